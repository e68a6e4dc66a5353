// SPDX-License-Identifier: Apache-2.0
#include "client/output/image_json.hpp"

#include <boost/json.hpp>

#include <sys/sysmacros.h>

namespace cfs::client {
namespace {

namespace json = boost::json;
using image::FileType;

std::string_view type_word(FileType type) {
    switch (type) {
        case FileType::Regular:
            return "file";
        case FileType::Directory:
            return "directory";
        case FileType::Symlink:
            return "symlink";
        case FileType::CharDevice:
            return "char-device";
        case FileType::BlockDevice:
            return "block-device";
        case FileType::Fifo:
            return "fifo";
        case FileType::Socket:
            return "socket";
    }
    return "unknown";
}

std::string_view change_word(Change change) {
    switch (change) {
        case Change::Added:
            return "added";
        case Change::Removed:
            return "removed";
        case Change::Changed:
            return "changed";
    }
    return "unknown";
}

json::value optional_text(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

json::value digest_value(const std::optional<Digest>& digest) {
    return digest ? json::value(digest->hex()) : json::value(nullptr);
}

void add_leaf(json::object& out, const image::Inode& leaf) {
    out["size"] = leaf.size;
    if (leaf.type == FileType::Symlink) out["target"] = escaped(leaf.content);
    if (leaf.type == FileType::CharDevice || leaf.type == FileType::BlockDevice) {
        out["device"] =
            json::object{{"major", gnu_dev_major(leaf.rdev)}, {"minor", gnu_dev_minor(leaf.rdev)}};
    }
    if (leaf.type != FileType::Regular) return;
    out["digest"] = digest_value(leaf.external);
    const std::string object = object_of(leaf);
    out["object"] = object.empty() ? json::value(nullptr) : json::value(escaped(object));
}

json::object value_of(const ListEntry& entry) {
    json::object xattrs;
    for (const auto& [name, value] : entry.meta->xattrs)
        xattrs[escaped(name)] = escaped(value);
    json::object out = {
        {"path", escaped(entry.path)},
        {"type", type_word(entry.type)},
        {"mode", octal_mode(entry.meta->mode)},
        {"uid", entry.meta->uid},
        {"gid", entry.meta->gid},
        {"mtime", entry.meta->mtime_sec},
        {"mtime_nsec", entry.meta->mtime_nsec},
        {"xattrs", std::move(xattrs)},
    };
    if (entry.leaf != nullptr) add_leaf(out, *entry.leaf);
    return out;
}

json::object value_of(const PathChange& change) {
    json::object out = {
        {"path", escaped(change.path)},
        {"change", change_word(change.change)},
        {"type", type_word(change.type)},
    };
    if (change.type == FileType::Regular) out["size"] = change.size;
    json::array fields;
    for (const FieldChange& field : change.fields) {
        fields.push_back(json::object{{"name", field.name},
                                      {"a", optional_text(field.one)},
                                      {"b", optional_text(field.other)}});
    }
    if (change.change == Change::Changed) out["fields"] = std::move(fields);
    return out;
}

}  // namespace

std::string to_json(const ImageSummary& summary) {
    json::object names;
    for (const FileType type : {FileType::Regular,
                                FileType::Directory,
                                FileType::Symlink,
                                FileType::CharDevice,
                                FileType::BlockDevice,
                                FileType::Fifo,
                                FileType::Socket}) {
        names[type_word(type)] = summary.count(type);
    }
    const bool sha256 = summary.hash == HashAlgorithm::Sha256;
    return json::serialize(json::object{
        {"schema", 1},
        {"format", format_name(summary.version)},
        {"version", static_cast<int>(summary.version)},
        {"hash", to_string(summary.hash)},
        {"digest", (sha256 ? summary.sha256 : summary.sha512).hex()},
        {"digests",
         json::object{{"sha256", summary.sha256.hex()}, {"sha512", summary.sha512.hex()}}},
        {"size", summary.size},
        {"blocks", summary.blocks},
        {"inodes", summary.inodes},
        {"names", std::move(names)},
        {"objects", summary.objects},
        {"object_bytes", summary.object_bytes},
    });
}

std::string to_json(const std::vector<ListEntry>& entries) {
    json::array list;
    list.reserve(entries.size());
    for (const ListEntry& entry : entries)
        list.push_back(value_of(entry));
    return json::serialize(json::object{{"schema", 1}, {"entries", std::move(list)}});
}

std::string to_json(const std::vector<PathChange>& changes) {
    json::array list;
    for (const PathChange& change : changes)
        list.push_back(value_of(change));
    return json::serialize(
        json::object{{"schema", 1}, {"equal", changes.empty()}, {"changes", std::move(list)}});
}

std::string objects_json(const std::map<std::string, ObjectInfo>& objects) {
    json::array list;
    std::uint64_t bytes = 0;
    for (const auto& [path, object] : objects) {
        list.push_back(json::object{{"path", escaped(path)},
                                    {"digest", digest_value(object.digest)},
                                    {"size", object.size}});
        bytes += object.size;
    }
    const std::size_t count = list.size();
    return json::serialize(json::object{
        {"schema", 1}, {"objects", std::move(list)}, {"count", count}, {"bytes", bytes}});
}

}  // namespace cfs::client
