// SPDX-License-Identifier: Apache-2.0
#include "client/output/image_text.hpp"

#include "client/output/human.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace cfs::client {
namespace {

using image::FileType;

constexpr std::size_t kShownValue = 40;

/// "drwxr-xr-t" as ls(1) has it.
std::string mode_text(FileType type, std::uint32_t mode) {
    std::string out(1, image::type_letter(type));
    for (const unsigned shift : {6U, 3U, 0U}) {
        const std::uint32_t bits = mode >> shift;
        out += (bits & 4U) != 0 ? 'r' : '-';
        out += (bits & 2U) != 0 ? 'w' : '-';
        const bool special = (mode & (shift == 6 ? 04000U : shift == 3 ? 02000U : 01000U)) != 0;
        const bool run = (bits & 1U) != 0;
        const char letter = shift == 0 ? 't' : 's';
        const char upper = shift == 0 ? 'T' : 'S';
        out += special ? (run ? letter : upper) : (run ? 'x' : '-');
    }
    return out;
}

/// "2026-01-31 12:00:00", UTC: the same for everybody.
std::string utc(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    struct tm parts {};
    if (::gmtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
    std::array<char, 64> out{};
    (void)std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return out.data();
}

std::string owner_text(const image::Metadata& meta) {
    return std::to_string(meta.uid) + ":" + std::to_string(meta.gid);
}

std::string size_text(const ListEntry& entry) {
    if (entry.leaf == nullptr) return "-";
    if (entry.type != FileType::CharDevice && entry.type != FileType::BlockDevice)
        return std::to_string(entry.leaf->size);
    return std::to_string(gnu_dev_major(entry.leaf->rdev)) + "," +
           std::to_string(gnu_dev_minor(entry.leaf->rdev));
}

std::string object_text(const ListEntry& entry) {
    if (entry.leaf == nullptr) return "-";
    if (entry.leaf->external) return entry.leaf->external->hex();
    const std::string path = object_of(*entry.leaf);
    return path.empty() ? "-" : escaped(path);
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    const std::string gap(width > text.size() ? width - text.size() : 0, ' ');
    return right ? gap + text : text + gap;
}

/// "1234 bytes", "directory", "symbolic link".
std::string kind_text(const PathChange& change) {
    const std::string type(image::to_string(change.type));
    if (change.type != FileType::Regular) return type;
    return type + ", " + plural(change.size, "byte");
}

std::string value_text(const std::optional<std::string>& value) {
    return value ? shorten(*value, kShownValue) : "none";
}

std::string row(const std::string& key, const std::string& value) {
    return padded(key, 10, false) + value + "\n";
}

}  // namespace

std::string format_name(image::ErofsVersion version) {
    return "v" + std::to_string(static_cast<int>(version));
}

std::string list_text(const std::vector<ListEntry>& entries, bool digests) {
    std::size_t owner = 0;
    std::size_t size = 0;
    for (const ListEntry& entry : entries) {
        owner = std::max(owner, owner_text(*entry.meta).size());
        size = std::max(size, size_text(entry).size());
    }
    std::string out;
    for (const ListEntry& entry : entries) {
        out += mode_text(entry.type, entry.meta->mode) + " ";
        out += padded(owner_text(*entry.meta), owner, false) + " ";
        out += padded(size_text(entry), size, true) + " ";
        out += utc(entry.meta->mtime_sec) + " ";
        if (digests) out += object_text(entry) + " ";
        out += escaped(entry.path);
        if (entry.type == FileType::Symlink) out += " -> " + escaped(entry.leaf->content);
        out += '\n';
    }
    return out;
}

std::string summary_text(const ImageSummary& summary) {
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    const auto both = [&](std::uint64_t bytes) {
        return number(bytes) + " bytes (" + human_bytes(bytes) + ")";
    };
    const std::uint64_t devices =
        summary.count(FileType::CharDevice) + summary.count(FileType::BlockDevice);
    const std::uint64_t others = summary.count(FileType::Fifo) + summary.count(FileType::Socket);
    std::string out = row("format", "composefs EROFS " + format_name(summary.version));
    out += row("size", both(summary.size));
    out += row("blocks", number(summary.blocks) + " of 4096 bytes");
    out += row("inodes", number(summary.inodes));
    out += row("names",
               plural(summary.count(FileType::Regular), "file") + ", " +
                   number(summary.count(FileType::Directory)) + " directories, " +
                   plural(summary.count(FileType::Symlink), "link") + ", " +
                   plural(devices, "device") + ", " + plural(others, "pipe or socket"));
    out += row("objects", number(summary.objects) + ", " + both(summary.object_bytes));
    out += row("hash", std::string(to_string(summary.hash)));
    out += row("sha256", summary.sha256.hex());
    return out + row("sha512", summary.sha512.hex());
}

std::string changes_text(const std::vector<PathChange>& changes) {
    std::string out;
    for (const PathChange& change : changes) {
        const std::string path = escaped(change.path);
        if (change.change != Change::Changed) {
            const char sign = change.change == Change::Added ? '+' : '-';
            out += std::string(1, sign) + " " + path + " (" + kind_text(change) + ")\n";
            continue;
        }
        out += "~ " + path + ":";
        const char* separator = " ";
        for (const FieldChange& field : change.fields) {
            out += separator + field.name + " " + value_text(field.one) + " -> " +
                   value_text(field.other);
            separator = "; ";
        }
        out += '\n';
    }
    return out;
}

}  // namespace cfs::client
