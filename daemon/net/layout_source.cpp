// SPDX-License-Identifier: Apache-2.0
#include "net/layout_source.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "net/blob_check.hpp"
#include "net/platform.hpp"
#include "net/referrers.hpp"
#include "net/resolve.hpp"

#include <fcntl.h>

#include <set>

namespace cfs::net {
namespace {

constexpr std::size_t kChunk = std::size_t{256} * 1024;
constexpr std::size_t kTagsShown = 20;

std::string tag_of(const Descriptor& entry) {
    const auto found = entry.annotations.find(std::string(kRefNameAnnotation));
    return found == entry.annotations.end() ? std::string() : found->second;
}

std::string blob_path(const Digest& digest) {
    return "blobs/" + std::string(to_string(digest.algorithm())) + "/" + digest.hex();
}

std::string tags_in(const Index& index) {
    std::set<std::string> tags;
    for (const Descriptor& entry : index.manifests) {
        if (const std::string tag = tag_of(entry); !tag.empty()) tags.insert(tag);
    }
    if (tags.empty()) return "no tags";
    std::string out = "the tags ";
    std::size_t shown = 0;
    for (const std::string& tag : tags) {
        if (shown == kTagsShown) return out + ", ...";
        out += (shown++ == 0 ? "'" : ", '") + printable(tag) + "'";
    }
    return out;
}

[[noreturn]] void no_choice(const Index& index, const std::string& problem) {
    const std::size_t count = index.manifests.size();
    throw Error(ErrorCode::NotFound,
                problem + "; the layout has " + std::to_string(count) +
                    (count == 1 ? " entry and " : " entries and ") + tags_in(index),
                "name one of the tags: oci:DIR:TAG");
}

}  // namespace

LayoutSource::LayoutSource(UniqueFd dir, std::string tag, std::string reference)
    : dir_(std::move(dir)), tag_(std::move(tag)), reference_(std::move(reference)) {}

Bytes LayoutSource::read_small(const std::string& name) {
    if (!stat_at(dir_.get(), name)) {
        throw Error(ErrorCode::NotFound,
                    "no file '" + name + "', so this is no OCI image layout",
                    "name a directory written by: skopeo copy ... oci:DIR:TAG");
    }
    Bytes bytes = read_file_at(dir_.get(), name, kMaxDocumentBytes);
    fetched_ += bytes.size();
    return bytes;
}

Descriptor LayoutSource::pick_entry(const Platform& platform) {
    const Index index = parse_index(read_small("index.json"));
    std::vector<Descriptor> entries;
    for (const Descriptor& entry : index.manifests) {
        if (tag_.empty() || tag_of(entry) == tag_) entries.push_back(entry);
    }
    if (tag_.empty() && entries.size() != 1) no_choice(index, "no tag is given");
    if (entries.empty()) no_choice(index, "there is no tag '" + printable(tag_) + "'");
    if (entries.size() == 1 && !entries.front().platform) return entries.front();
    return select_platform(entries, platform);
}

Bytes LayoutSource::read_document(const Descriptor& descriptor, const std::stop_token& stop) {
    check_document_size(descriptor);
    MemorySink sink(kMaxDocumentBytes);
    fetch_blob(descriptor, sink, stop);
    return sink.take();
}

Resolved LayoutSource::resolve(const Platform& platform, const std::stop_token& stop) {
    return with_context(reference_, [&] {
        check_layout_version(read_small("oci-layout"));
        const Descriptor entry = pick_entry(platform);
        const auto read = [&](const Descriptor& wanted) { return read_document(wanted, stop); };
        Resolved out =
            resolve_document({entry.digest, read(entry), entry.media_type}, platform, {read, read});
        out.reference = reference_;
        return out;
    });
}

std::vector<Descriptor> LayoutSource::referrers(const Digest& subject,
                                                const std::string& artifact_type,
                                                const std::stop_token& stop) {
    ReferrersList list(artifact_type);
    for (Descriptor entry : parse_index(read_small("index.json")).manifests) {
        const bool is_list = tag_of(entry) == referrers_tag(subject);
        if (!is_list && entry.media_type != kOciManifest) continue;
        if (!stat_at(dir_.get(), blob_path(entry.digest))) continue;
        const Bytes document = read_document(entry, stop);
        if (is_list) {
            list.add(document);
            continue;
        }
        const Manifest manifest = parse_manifest(document);
        if (!manifest.subject || manifest.subject->digest != subject) continue;
        entry.artifact_type =
            manifest.artifact_type.empty() ? manifest.config.media_type : manifest.artifact_type;
        list.add(entry);
    }
    return list.take();
}

void LayoutSource::fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) {
    const std::string path = blob_path(blob.digest);
    // O_NONBLOCK: a FIFO under that name must not stop us.
    const auto file = find_at(dir_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) {
        throw Error(ErrorCode::NotFound,
                    "blob " + to_oci(blob.digest) + " is missing in " + reference_,
                    "the layout is incomplete: copy the image there again");
    }
    struct stat st {};
    if (::fstat(file->get(), &st) != 0) throw_errno("examining '" + path + "'");
    if (!S_ISREG(st.st_mode)) {
        throw Error(ErrorCode::BadFormat,
                    "'" + path + "' in " + reference_ + " is no regular file");
    }
    if (static_cast<std::uint64_t>(st.st_size) != blob.size) {
        wrong_size(blob, std::to_string(st.st_size));
    }
    BlobCheck checked(blob, sink);
    Bytes buffer(kChunk);
    for (;;) {
        check(stop);
        const std::size_t count = read_some(file->get(), buffer);
        if (count == 0) break;
        fetched_ += count;
        checked.write(ByteView(buffer).first(count));
    }
    checked.finish();
}

}  // namespace cfs::net
