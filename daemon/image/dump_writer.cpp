// SPDX-License-Identifier: Apache-2.0
#include "image/dump.hpp"
#include "image/dump_fields.hpp"

#include <array>
#include <charconv>
#include <unordered_map>

namespace cfs::image {
namespace {

constexpr std::size_t kFlushAt = 64 * 1024;

class DumpWriter {
 public:
    explicit DumpWriter(Sink& sink) : sink_(sink) {}

    void run(const FileTree& tree) {
        count_names(tree.root());
        put_directory("/", tree.root());
        tree.walk([this](const std::string& path, const Node& node) {
            if (node.is_directory()) {
                put_directory(path, *node.directory());
            } else {
                put_leaf(path, node.leaf());
            }
            if (text_.size() > kFlushAt) flush();
        });
        flush();
    }

 private:
    struct Names {
        std::uint32_t count = 0;
        std::string first;
    };

    void count_names(const Directory& directory) {
        for (const auto& [name, node] : directory.children) {
            if (node.is_directory()) {
                count_names(*node.directory());
            } else if (node.leaf().use_count() > 1) {
                ++links_[node.leaf().get()].count;
            }
        }
    }

    void put_number(std::uint64_t value, int base = 10) {
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
        text_.append(digits.data(), end);
        text_ += ' ';
    }

    void put_field(std::string_view raw) {
        append_escaped(text_, raw, DumpField::Plain);
        text_ += ' ';
    }

    /// PATH SIZE MODE NLINK UID GID RDEV MTIME
    void put_head(std::string_view path,
                  std::uint64_t size,
                  FileType type,
                  std::uint64_t nlink,
                  std::uint32_t rdev,
                  const Metadata& meta) {
        put_field(path);
        put_number(size);
        put_number(mode_bits(type) | meta.mode, 8);
        put_number(nlink);
        put_number(meta.uid);
        put_number(meta.gid);
        put_number(rdev);
        text_ += std::to_string(meta.mtime_sec);
        text_ += '.';
        put_number(meta.mtime_nsec);
    }

    void put_xattrs(const Metadata& meta) {
        for (const auto& [name, value] : meta.xattrs) {
            text_ += ' ';
            append_escaped(text_, name, DumpField::XattrName);
            text_ += '=';
            append_escaped(text_, value, DumpField::XattrValue);
        }
        text_ += '\n';
    }

    void put_directory(std::string_view path, const Directory& directory) {
        std::uint64_t nlink = 2;
        for (const auto& [name, node] : directory.children)
            nlink += node.is_directory() ? 1 : 0;
        put_head(path, 0, FileType::Directory, nlink, 0, directory.meta);
        text_ += "- - -";
        put_xattrs(directory.meta);
    }

    void put_leaf(const std::string& path, const std::shared_ptr<Inode>& leaf) {
        std::uint32_t nlink = 1;
        if (const auto link = links_.find(leaf.get()); link != links_.end()) {
            if (!link->second.first.empty()) {
                put_link(path, link->second.first);
                return;
            }
            link->second.first = path;
            nlink = link->second.count;
        }
        put_head(path, leaf->size, leaf->type, nlink, leaf->rdev, leaf->meta);
        put_field(payload(*leaf));
        put_field(leaf->type == FileType::Regular ? std::string_view(leaf->content)
                                                  : std::string_view());
        text_ += leaf->external ? leaf->external->hex() : "-";
        put_xattrs(leaf->meta);
    }

    static std::string payload(const Inode& leaf) {
        if (leaf.type == FileType::Symlink) return leaf.content;
        if (!leaf.backing_path.empty()) return std::string(leaf.backing_path.view());
        return leaf.external ? object_path(*leaf.external) : std::string();
    }

    void put_link(std::string_view path, std::string_view target) {
        put_field(path);
        text_ += "0 @120000 - - - - 0.0 ";
        put_field(target);
        text_ += "- -\n";
    }

    void flush() {
        sink_.write(as_bytes(text_));
        text_.clear();
    }

    Sink& sink_;
    std::string text_;
    std::unordered_map<const Inode*, Names> links_;
};

}  // namespace

void write_dump(const FileTree& tree, Sink& sink) {
    DumpWriter(sink).run(tree);
}

}  // namespace cfs::image
