// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "store/parts.hpp"
#include "store/repository.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace cfs::store {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr int kMaxRefDepth = 16;  ///< of refs that we make
constexpr std::string_view kObjectsPrefix = "../objects/";

bool plain_component(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= kMaxName &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

void require_entry_name(const std::string& name) {
    if (plain_component(name) && name != "refs") return;
    throw Error(ErrorCode::InvalidArgs,
                "'" + printable(name) + "' cannot be the name of a stream",
                "use one path component of at most 255 bytes");
}

void require_ref(const std::string& ref) {
    std::size_t start = 0;
    int depth = 0;
    for (;;) {
        const std::size_t slash = ref.find('/', start);
        const std::string part = ref.substr(start, slash - start);
        if (!plain_component(part) || ++depth > kMaxRefDepth) {
            throw Error(ErrorCode::InvalidArgs,
                        "'" + printable(ref) + "' cannot be the name of a ref",
                        "use a relative path without '.' and '..'; encode a tag with %2F for '/'");
        }
        if (slash == std::string::npos) return;
        start = slash + 1;
    }
}

/// symlinkat's errno, 0 when done.
int try_symlink(const RepositoryParts& parts, const std::string& target, const std::string& path) {
    const auto [parent, name] = split_parent(path);
    const auto dir = find_at(parts.dir.get(), parent, O_PATH | O_DIRECTORY);
    if (!dir) return ENOENT;
    return ::symlinkat(target.c_str(), dir->get(), name.c_str()) == 0 ? 0 : errno;
}

void replace_link(const RepositoryParts& parts,
                  const std::string& target,
                  const std::string& path) {
    const int root = parts.dir.get();
    const std::string step = ".symlink-" + random_alnum12();
    if (::symlinkat(target.c_str(), root, step.c_str()) != 0) {
        throw_errno("creating the link '" + path + "'");
    }
    if (::renameat(root, step.c_str(), root, path.c_str()) != 0) {
        const int err = errno;
        (void)::unlinkat(root, step.c_str(), 0);
        throw_errno(err, "replacing the link '" + path + "'");
    }
}

/// Afterwards `path` is a link to `target`; at every instant it is that or what it was before.
void set_link(const RepositoryParts& parts, const std::string& target, const std::string& path) {
    require_writable(parts);
    int err = try_symlink(parts, target, path);
    if (err == ENOENT) {
        make_dirs_at(parts.dir.get(), split_parent(path).first, 0755);
        err = try_symlink(parts, target, path);
    }
    if (err == 0) return;
    if (err != EEXIST) throw_errno(err, "creating the link '" + path + "'");
    if (read_link_at(parts.dir.get(), path) == target) return;
    replace_link(parts, target, path);
}

std::string object_target(const Digest& digest) {
    return std::string(kObjectsPrefix) + object_path(digest);
}

void set_ref(const RepositoryParts& parts,
             const std::string& kind,
             const std::string& ref,
             const std::string& entry) {
    require_ref(ref);
    if (!read_link_at(parts.dir.get(), kind + "/" + entry)) {
        throw Error(ErrorCode::NotFound,
                    "the store '" + parts.path + "' has no '" + kind + "/" + printable(entry) +
                        "' for the ref '" + printable(ref) + "'");
    }
    set_link(parts, ref_target(ref, entry), kind + "/refs/" + ref);
    crash_point("store.ref-linked");
}

bool remove_ref(const RepositoryParts& parts, const std::string& kind, const std::string& ref) {
    require_writable(parts);
    require_ref(ref);
    const std::string path = kind + "/refs/" + ref;
    if (!read_link_at(parts.dir.get(), path)) return false;
    return unlink_at(parts.dir.get(), path);
}

/// Refs are followed however deep they lie: one that is overlooked is a root that is lost.
void walk_refs(const RepositoryParts& parts,
               const std::string& dir,
               const std::string& prefix,
               LinkList& out) {
    const UniqueFd fd = open_dir_at(parts.dir.get(), dir);
    for (const auto& name : list_dir(fd.get())) {
        const std::string path = dir + "/" + name;
        const auto st = stat_at(fd.get(), name);
        if (auto target = read_link_at(fd.get(), name)) {
            out.links.push_back({path, prefix + name, std::move(*target)});
        } else if (st && S_ISDIR(st->st_mode)) {
            walk_refs(parts, path, prefix + name + "/", out);
        } else if (st) {
            out.odd.push_back(path);
        }
    }
}

bool is_directory(int dir, const std::string& path) {
    const auto st = stat_at(dir, path);
    return st && S_ISDIR(st->st_mode);
}

std::vector<Entry> entries(const RepositoryParts& parts, const std::string& kind) {
    std::vector<Entry> out;
    for (const auto& link : list_entry_links(parts, kind).links) {
        if (const auto object = object_of_target(link.target, parts.meta.algorithm)) {
            out.push_back({link.name, *object});
        }
    }
    return out;
}

std::vector<Ref> refs(const RepositoryParts& parts, const std::string& kind) {
    std::vector<Ref> out;
    for (const auto& link : list_ref_links(parts, kind).links) {
        out.push_back({link.name, entry_of_target(link.target)});
    }
    return out;
}

}  // namespace

std::string encode_ref(std::string_view tag) {
    std::string out;
    for (const char c : tag) {
        if (c == '%') {
            out += "%25";
        } else if (c == '/') {
            out += "%2F";
        } else {
            out.push_back(c);
        }
    }
    if (!plain_component(out) || out.front() == '@') {
        throw Error(ErrorCode::InvalidArgs,
                    "'" + printable(tag) + "' cannot be the name of a tag in the store",
                    "use a name of at most 255 bytes that does not start with '@'");
    }
    return out;
}

std::optional<std::string> decode_ref(std::string_view name) {
    std::string out;
    if (!plain_component(name) || name.front() == '@') return std::nullopt;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '%') {
            out.push_back(name[i]);
            continue;
        }
        const std::string_view code = name.substr(i, 3);
        if (code != "%25" && code != "%2F") return std::nullopt;
        out.push_back(code == "%25" ? '%' : '/');
        i += 2;
    }
    return out;
}

LinkList list_entry_links(const RepositoryParts& parts, const std::string& kind) {
    LinkList out;
    const int root = parts.dir.get();
    if (!is_directory(root, kind)) {
        if (stat_at(root, kind)) out.odd.push_back(kind);
        return out;
    }
    const UniqueFd fd = open_dir_at(root, kind);
    for (const auto& name : list_dir(fd.get())) {
        const std::string path = kind + "/" + name;
        if (auto target = read_link_at(fd.get(), name)) {
            out.links.push_back({path, name, std::move(*target)});
        } else if (name != "refs" || !is_directory(fd.get(), name)) {
            out.odd.push_back(path);
        }
    }
    return out;
}

LinkList list_ref_links(const RepositoryParts& parts, const std::string& kind) {
    LinkList out;
    const std::string refs_dir = kind + "/refs";
    const bool there = is_directory(parts.dir.get(), kind);
    if (there && is_directory(parts.dir.get(), refs_dir)) walk_refs(parts, refs_dir, "", out);
    return out;
}

std::optional<Digest> object_of_target(std::string_view target, HashAlgorithm algorithm) {
    if (target.substr(0, kObjectsPrefix.size()) != kObjectsPrefix) return std::nullopt;
    target.remove_prefix(kObjectsPrefix.size());
    if (target.size() < 3 || target[2] != '/') return std::nullopt;
    return digest_from_parts(target.substr(0, 2), target.substr(3), algorithm);
}

std::string entry_of_target(const std::string& target) {
    return split_parent(target).second;
}

std::string ref_target(const std::string& ref, const std::string& entry) {
    std::string out = "../";
    for (const char c : ref) {
        if (c == '/') out += "../";
    }
    return out + entry;
}

std::optional<Digest> Repository::find_stream(const std::string& name) const {
    require_entry_name(name);
    const auto target = read_link_at(dir_fd(), "streams/" + name);
    if (!target) return std::nullopt;
    if (auto digest = object_of_target(*target, algorithm())) return digest;
    throw Error(ErrorCode::StateCorrupt,
                "'streams/" + printable(name) + "' in the store '" + path() + "' points to '" +
                    printable(*target) + "', which is no object",
                "run 'cfsctl repair', which replaces the link");
}

void Repository::link_stream(const std::string& name, const Digest& object) {
    require_entry_name(name);
    require_algorithm(object.algorithm());
    set_link(*parts_, object_target(object), "streams/" + name);
    crash_point("store.stream-linked");
}

void Repository::commit_stream(const std::string& name, const Digest& object) {
    sync();
    link_stream(name, object);
}

std::vector<Entry> Repository::list_streams() const {
    return entries(*parts_, "streams");
}

void Repository::link_image(const Digest& image) {
    require_algorithm(image.algorithm());
    set_link(*parts_, object_target(image), "images/" + image.hex());
    crash_point("store.image-linked");
}

void Repository::commit_image(const Digest& image) {
    sync();
    link_image(image);
}

bool Repository::has_image(const Digest& image) const {
    return read_link_at(dir_fd(), "images/" + image.hex()) == object_target(image) &&
           has_object(image);
}

UniqueFd Repository::open_image(const Digest& image) const {
    if (read_link_at(dir_fd(), "images/" + image.hex()) != object_target(image)) {
        throw Error(ErrorCode::NotFound,
                    "the store '" + path() + "' has no image " + image.hex(),
                    "update or install the image first");
    }
    return open_object(image);
}

std::vector<Entry> Repository::list_images() const {
    return entries(*parts_, "images");
}

void Repository::set_stream_ref(const std::string& ref, const std::string& stream_name) {
    require_entry_name(stream_name);
    set_ref(*parts_, "streams", ref, stream_name);
}

void Repository::set_image_ref(const std::string& ref, const Digest& image) {
    set_ref(*parts_, "images", ref, image.hex());
}

bool Repository::remove_stream_ref(const std::string& ref) {
    return remove_ref(*parts_, "streams", ref);
}

bool Repository::remove_image_ref(const std::string& ref) {
    return remove_ref(*parts_, "images", ref);
}

std::vector<Ref> Repository::list_stream_refs() const {
    return refs(*parts_, "streams");
}

std::vector<Ref> Repository::list_image_refs() const {
    return refs(*parts_, "images");
}

}  // namespace cfs::store
