// SPDX-License-Identifier: Apache-2.0
#include "image/dump_records.hpp"

#include "base/error.hpp"
#include "image/erofs_format.hpp"

#include <algorithm>

namespace cfs::image {
namespace {

constexpr std::size_t kMaxSymlinkRust = 1024;

/// PAYLOAD is DIGEST with a slash in it, letter by letter: as all tools write it.
bool spells_path(std::string_view digest, std::string_view payload) {
    return payload.size() == digest.size() + 1 && payload.size() > 3 && payload[2] == '/' &&
           payload.substr(0, 2) == digest.substr(0, 2) && payload.substr(3) == digest.substr(2) &&
           std::none_of(
               payload.begin(), payload.end(), [](char c) { return 'A' <= c && c <= 'F'; });
}

}  // namespace

void RecordMaker::parse(Batch& batch, bool first, bool terminated) {
    std::string_view rest = batch.text;
    fields_.expect_nul(rest.find('\0') != rest.npos);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        try {
            if (rest.empty() && !terminated && fields_.strict()) {
                bad_field(line.substr(line.size()), "the last line has no line feed");
            }
            batch.records.push_back(make(line, batch, first));
        } catch (const LineError& error) {
            batch.error = error;
            batch.error_line = line;
            return;
        }
        first = false;
    }
}

Record RecordMaker::make(std::string_view text, Batch& batch, bool root) {
    const Line line = fields_.split(text);
    Record record;
    record.line = text;
    record.path = fields_.path(line.path);
    if (record.path.empty()) bad_field(line.path, "PATH is empty");
    // What is no piece of the line does not live longer than this call.
    if (record.path.data() != line.path.data()) record.path = batch.arena.keep(record.path);
    record.mode_column = static_cast<std::size_t>(line.mode.data() - text.data());
    record.payload_column = static_cast<std::size_t>(line.payload.data() - text.data());
    const bool link = line.mode.starts_with('@');
    if (root && record.path != "/") {
        bad_field(line.path,
                  "the first line is for '" + printable(record.path) + "', expected '/'");
    }
    const std::uint32_t mode = fields_.mode(link ? line.mode.substr(1) : line.mode);
    const FileType type = *file_type_from_mode(mode);
    if (root && (link || type != FileType::Directory)) {
        bad_field(line.mode,
                  "the root's MODE is " + printable(line.mode) + ", expected a directory's");
    }
    if (link) {
        record.target = link_target(line, batch);
    } else if (type == FileType::Directory) {
        record.directory = make_directory(line, mode);
    } else {
        record.leaf = make_leaf(line, mode, type);
    }
    return record;
}

/// What is not used has to be well-formed all the same.
std::unique_ptr<Directory> RecordMaker::make_directory(const Line& line, std::uint32_t mode) {
    const std::uint64_t size = fields_.number64(line.size, "SIZE");
    (void)fields_.number32(line.nlink, "NLINK");
    check_no_device(line);
    if (fields_.c()) {
        (void)fields_.payload(line.payload);
        (void)fields_.content(line.content, size);
    }
    auto directory = std::make_unique<Directory>();
    directory->meta = fields_.metadata(line, mode);
    return directory;
}

std::string_view RecordMaker::link_target(const Line& line, Batch& batch) {
    const std::uint32_t mode = fields_.mode(line.mode.substr(1));
    if (file_type_from_mode(mode) == FileType::Directory) {
        bad_field(line.mode, "MODE " + printable(line.mode) + " cannot be hard-linked");
    }
    const std::string_view target = fields_.payload(line.payload);
    if (target.empty()) bad_field(line.payload, "PAYLOAD names no target of the hard link");
    if (!fields_.c() && !target.starts_with('/')) {
        bad_field(line.payload, "PAYLOAD is no absolute path");
    }
    return target.data() == line.payload.data() ? target : batch.arena.keep(target);
}

std::shared_ptr<Inode> RecordMaker::make_leaf(const Line& line, std::uint32_t mode, FileType type) {
    std::shared_ptr<Inode> leaf = make_inode();
    leaf->type = type;
    leaf->meta = fields_.metadata(line, mode);
    leaf->size = fields_.number64(line.size, "SIZE");
    const std::uint32_t nlink = fields_.number32(line.nlink, "NLINK");
    if (fields_.c()) leaf->stated_nlink = nlink;
    switch (type) {
        case FileType::Regular:
            check_no_device(line);
            read_regular(line, *leaf);
            break;
        case FileType::Symlink:
            check_no_device(line);
            read_symlink(line, *leaf);
            break;
        default:
            read_special(line, *leaf);
    }
    return leaf;
}

void RecordMaker::check_no_device(const Line& line) const {
    const std::uint32_t rdev = fields_.number32(line.rdev, "RDEV");
    if (rdev != 0 && (!fields_.c() || fields_.strict())) {
        bad_field(line.rdev,
                  "RDEV is " + printable(line.rdev) + ", expected 0 for what is no device");
    }
}

void RecordMaker::read_special(const Line& line, Inode& leaf) {
    if (fields_.c()) {
        (void)fields_.payload(line.payload);
        (void)fields_.content(line.content, leaf.size);
    } else {
        leaf.size = 0;
    }
    if (leaf.type == FileType::CharDevice || leaf.type == FileType::BlockDevice) {
        leaf.rdev = fields_.number32(line.rdev, "RDEV");
    } else {
        check_no_device(line);
    }
}

void RecordMaker::read_symlink(const Line& line, Inode& leaf) {
    const std::string_view target = fields_.payload(line.payload);
    const std::size_t limit = fields_.c() ? kMaxSymlink : kMaxSymlinkRust;
    if (target.empty() || target.size() > limit) {
        bad_field(line.payload,
                  "PAYLOAD, the link's target, has " + std::to_string(target.size()) +
                      " bytes, expected 1 to " + std::to_string(limit));
    }
    leaf.content = target;
    if (fields_.c()) {
        const bool content = fields_.content(line.content, leaf.size).has_value();
        if (fields_.strict() && content) {
            bad_field(line.content, "a symbolic link has CONTENT");
        }
        if (fields_.strict() && leaf.size != target.size()) {
            bad_field(line.size,
                      "SIZE is " + printable(line.size) + ", expected the target's length, " +
                          std::to_string(target.size()));
        }
    }
    leaf.size = target.size();
}

void RecordMaker::read_regular(const Line& line, Inode& leaf) {
    if (leaf.size > erofs::kMaxFileSize) {
        bad_field(line.size, "SIZE is " + printable(line.size) + ", expected at most 2^53 bytes");
    }
    const std::string_view payload = fields_.payload(line.payload);
    if (!fields_.c()) return read_regular_rust(line, payload, leaf);
    if (auto content = fields_.content(line.content, leaf.size)) {
        leaf.content = std::move(*content);
    } else if (leaf.size > 0) {
        leaf.external = fields_.digest(line.digest);
        leaf.nameless = leaf.external && payload.empty();
        const bool implied = leaf.external && (spells_path(line.digest, payload) ||
                                               is_object_path_of(payload, *leaf.external));
        if (!implied) leaf.backing_path = payload;
    }
}

/// A payload makes the file external, whatever else is given.
void RecordMaker::read_regular_rust(const Line& line, std::string_view payload, Inode& leaf) {
    if (!payload.empty()) {
        leaf.external = fields_.digest(line.digest);
        if (leaf.external) return;
        if (!fields_.is_object_path(payload)) {
            bad_field(line.payload, "PAYLOAD '" + printable(payload) + "' is no object's path");
        }
        leaf.backing_path = payload;
        return;
    }
    if (line.digest != "-") bad_field(line.digest, "DIGEST is given without PAYLOAD");
    if (auto content = fields_.content(line.content, leaf.size)) {
        leaf.content = std::move(*content);
    }
}

}  // namespace cfs::image
