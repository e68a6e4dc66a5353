// SPDX-License-Identifier: Apache-2.0
#include "store/fsck.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "crypto/fsverity.hpp"
#include "store/fsck_objects.hpp"
#include "store/marks.hpp"
#include "store/parts.hpp"
#include "store/splitstream.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <set>

namespace cfs::store {
namespace {

constexpr std::array<std::string_view, 7> kKinds = {
    "meta", "object", "stray", "stream", "image", "ref", "missing-object"};
static_assert(kKinds.size() == static_cast<std::size_t>(FindingKind::MissingObject) + 1);

class NullVisitor final : public SplitstreamVisitor {
 public:
    void literal(ByteView) override {}

    void external(const Digest&, std::uint64_t) override {}
};

class Checker {
 public:
    Checker(const Repository& repository, const ImageObjects& image_objects, bool metadata_only)
        : repository_(repository),
          parts_(parts_of(repository)),
          image_objects_(image_objects),
          metadata_only_(metadata_only) {}

    void check_meta() {
        guarded(FindingKind::Meta, kMetaName, [&] {
            const UniqueFd fd = open_at(parts_.dir.get(), kMetaName, O_RDONLY | O_NONBLOCK);
            const Bytes text = read_whole(fd.get(), std::size_t{64} * 1024);
            const Meta meta = parse_meta(as_text(text));
            if (meta.algorithm != parts_.meta.algorithm) {
                add(FindingKind::Meta, kMetaName, "it was exchanged while the store was open");
            }
            if (parts_.secure && !measure_verity(fd.get())) {
                add(FindingKind::Meta, kMetaName, "it lost its fs-verity");
            }
        });
    }

    void check_all_objects(const std::stop_token& stop) {
        ObjectsReport objects = check_objects(parts_, metadata_only_, stop);
        report_.objects_checked = objects.checked;
        report_.bytes_checked = objects.bytes;
        std::move(
            objects.findings.begin(), objects.findings.end(), std::back_inserter(report_.findings));
    }

    void check_streams(const std::stop_token& stop) {
        const LinkList list = list_entry_links(parts_, "streams");
        add_odd(list);
        for (const auto& link : list.links) {
            check(stop);
            ++report_.streams_checked;
            guarded(FindingKind::Stream, link.path, [&] { check_stream(link); });
        }
        check_refs("streams", list);
    }

    void check_images(const std::stop_token& stop) {
        const LinkList list = list_entry_links(parts_, "images");
        add_odd(list);
        for (const auto& link : list.links) {
            check(stop);
            ++report_.images_checked;
            guarded(FindingKind::Image, link.path, [&] { check_image(link); });
        }
        check_refs("images", list);
    }

    FsckReport finish() {
        std::sort(report_.findings.begin(), report_.findings.end());
        report_.clean = report_.findings.empty();
        return std::move(report_);
    }

 private:
    void add(FindingKind kind, const std::string& path, std::string problem) {
        report_.findings.push_back({kind, path, std::move(problem)});
    }

    template <typename Check>
    void guarded(FindingKind kind, const std::string& path, Check check_it) {
        try {
            check_it();
        } catch (const Error& e) {
            if (e.code() == ErrorCode::Cancelled) throw;
            add(kind, path, e.what());
        }
    }

    void add_odd(const LinkList& list) {
        for (const auto& path : list.odd)
            add(FindingKind::Stray, path, "is no symbolic link");
    }

    /// nullopt, with a finding, unless the link leads to an object that is there.
    std::optional<Digest> object_behind(FindingKind kind, const Link& link) {
        const auto object = object_of_target(link.target, parts_.meta.algorithm);
        if (!object) {
            add(kind, link.path, "leads to '" + printable(link.target) + "', which is no object");
        } else if (!repository_.object_size(*object)) {
            add(FindingKind::MissingObject, link.path, "its object is missing: " + object->hex());
        } else {
            return object;
        }
        return std::nullopt;
    }

    void require_objects(const std::vector<Digest>& objects, const std::string& path) {
        for (const auto& object : objects) {
            const bool ours = object.algorithm() == parts_.meta.algorithm;
            if (ours && repository_.object_size(object)) continue;
            add(FindingKind::MissingObject, path, "it names the missing object " + object.hex());
        }
    }

    void check_stream(const Link& link) {
        const auto object = object_behind(FindingKind::Stream, link);
        if (!object) return;
        const SplitstreamReader stream = open_splitstream(repository_, *object);
        (void)stream.named_refs();
        require_objects(stream.object_refs(), link.path);
        require_objects(stream.stream_refs(), link.path);
        if (metadata_only_) return;
        NullVisitor visitor;
        // A missing object is a finding of its own already; here the lengths are checked.
        const bool complete = std::all_of(
            stream.object_refs().begin(), stream.object_refs().end(), [&](const Digest& digest) {
                return repository_.object_size(digest).has_value();
            });
        if (complete) {
            stream.read([&](const Digest& digest) { return *repository_.object_size(digest); },
                        visitor);
        }
    }

    void check_image(const Link& link) {
        const auto object = object_behind(FindingKind::Image, link);
        if (!object) return;
        if (link.name != object->hex()) {
            add(FindingKind::Image, link.path, "is named otherwise than its object");
        }
        require_objects(image_objects_(read_image(repository_, *object)), link.path);
    }

    void check_refs(const std::string& kind, const LinkList& entries) {
        std::set<std::string> names;
        for (const auto& link : entries.links)
            names.insert(link.name);
        const LinkList list = list_ref_links(parts_, kind);
        add_odd(list);
        for (const auto& ref : list.links) {
            ++report_.refs_checked;
            const std::string entry = entry_of_target(ref.target);
            if (names.count(entry) == 0) {
                add(FindingKind::Ref, ref.path, "points to nothing: " + printable(ref.target));
            } else if (ref.target != ref_target(ref.name, entry)) {
                add(FindingKind::Ref,
                    ref.path,
                    "leads to '" + printable(ref.target) + "', expected '" +
                        ref_target(ref.name, entry) + "'");
            }
        }
    }

    const Repository& repository_;
    const RepositoryParts& parts_;
    const ImageObjects& image_objects_;
    bool metadata_only_;
    FsckReport report_;
};

}  // namespace

std::string_view to_string(FindingKind kind) {
    return kKinds.at(static_cast<std::size_t>(kind));
}

FsckReport fsck(Repository& repository,
                const ImageObjects& image_objects,
                bool metadata_only,
                const std::stop_token& stop) {
    Checker checker(repository, image_objects, metadata_only);
    checker.check_meta();
    checker.check_all_objects(stop);
    checker.check_streams(stop);
    checker.check_images(stop);
    return checker.finish();
}

}  // namespace cfs::store
