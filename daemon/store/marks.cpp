// SPDX-License-Identifier: Apache-2.0
#include "store/marks.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/limits.hpp"
#include "base/stop.hpp"
#include "store/splitstream.hpp"

#include <map>
#include <optional>

namespace cfs::store {
namespace {

/// The links of images/ or streams/, by name and by what they point to. An entry whose target is no
/// object stays as nullopt: it exists, and what it needs is unknown.
struct Entries {
    Entries(const LinkList& list, HashAlgorithm algorithm) {
        for (const auto& link : list.links) {
            const auto object = object_of_target(link.target, algorithm);
            by_name.emplace(link.name, object);
            if (object) objects.insert(*object);
        }
    }

    std::map<std::string, std::optional<Digest>> by_name;
    std::unordered_set<Digest> objects;
};

class Marker {
 public:
    Marker(const Repository& repository,
           const LinkList& images,
           const LinkList& streams,
           const ImageObjects& image_objects)
        : repository_(repository),
          images_(images, repository.algorithm()),
          streams_(streams, repository.algorithm()),
          image_objects_(image_objects) {}

    void add_refs(const std::string& kind, const std::set<std::string>& gone) {
        const LinkList refs = list_ref_links(parts_of(repository_), kind);
        for (const auto& ref : refs.links) {
            if (gone.count(ref.path) != 0) continue;
            const std::string entry = entry_of_target(ref.target);
            if (!add_root(kind == "images" ? images_ : streams_, entry)) {
                warn(ref.path + " points to nothing ('" + printable(ref.target) + "')");
            }
        }
        for (const auto& path : refs.odd)
            warn(path + " is no link: left alone");
    }

    void add_extra(const std::string& name) {
        const bool image = add_root(images_, name);
        const bool stream = add_root(streams_, name);
        if (!image && !stream) warn("the root '" + printable(name) + "' names nothing");
    }

    /// A stack instead of recursion: a hostile chain of streams costs memory, not our stack.
    Marks run(const std::stop_token& stop) {
        while (!pending_.empty()) {
            check(stop);
            const Digest next = pending_.back();
            pending_.pop_back();
            if (streams_.objects.count(next) != 0) visit(next, "stream", &Marker::follow_stream);
            if (images_.objects.count(next) != 0) visit(next, "image", &Marker::follow_image);
        }
        return std::move(marks_);
    }

 private:
    void warn(std::string text) { marks_.warnings.push_back(std::move(text)); }

    bool add_root(const Entries& entries, const std::string& name) {
        const auto found = entries.by_name.find(name);
        if (found == entries.by_name.end()) return false;
        if (found->second) {
            mark(*found->second);
        } else {
            give_up("'" + printable(name) + "' has a root and its link leads to no object");
        }
        return true;
    }

    void mark(const Digest& digest) {
        const bool followed =
            streams_.objects.count(digest) != 0 || images_.objects.count(digest) != 0;
        if (marks_.live.insert(digest).second && followed) pending_.push_back(digest);
    }

    void visit(const Digest& digest, const char* what, void (Marker::*follow)(const Digest&)) {
        try {
            (this->*follow)(digest);
        } catch (const Error& e) {
            give_up(std::string(what) + " " + digest.hex() + " cannot be read: " + e.what());
        }
    }

    void give_up(const std::string& why) {
        warn(why);
        if (marks_.incomplete.empty()) {
            marks_.incomplete =
                why + "; what it needs is unknown: repair it or drop its ref, then collect again";
        }
    }

    void follow_stream(const Digest& digest) {
        const SplitstreamReader stream = open_splitstream(repository_, digest);
        for (const auto& object : stream.object_refs())
            mark(object);
        for (const auto& target : stream.stream_refs())
            mark(target);
    }

    void follow_image(const Digest& digest) {
        const Bytes image = read_image(repository_, digest);
        for (const auto& object : image_objects_(image))
            mark(object);
    }

    const Repository& repository_;
    Entries images_;
    Entries streams_;
    const ImageObjects& image_objects_;
    Marks marks_;
    std::vector<Digest> pending_;
};

}  // namespace

Bytes read_image(const Repository& repository, const Digest& image) {
    const UniqueFd fd = repository.open_object(image);
    return with_context("reading the image " + image.hex(),
                        [&] { return read_whole(fd.get(), kMaxImageBytes); });
}

Marks mark_live(const Repository& repository,
                const LinkList& images,
                const LinkList& streams,
                const std::vector<std::string>& extra_roots,
                const ImageObjects& image_objects,
                const std::stop_token& stop,
                const std::set<std::string>& gone_refs) {
    Marker marker(repository, images, streams, image_objects);
    marker.add_refs("images", gone_refs);
    marker.add_refs("streams", gone_refs);
    for (const auto& name : extra_roots)
        marker.add_extra(name);
    return marker.run(stop);
}

}  // namespace cfs::store
