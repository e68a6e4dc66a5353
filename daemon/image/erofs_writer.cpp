// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_writer.hpp"

#include "base/cores.hpp"
#include "base/error.hpp"
#include "image/erofs_layout.hpp"
#include "image/image_stream.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <future>
#include <string>

namespace cfs::image {
namespace {

using namespace erofs;

/// Inodes; below this a thread costs more than it brings.
constexpr std::size_t kWorthAThread = 16'384;

/// "00" to "ff": digests as text are a fifth of an image.
constexpr auto kHexPairs = [] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
    return pairs;
}();

/// A place in the image's window that moves on with each thing it is given. Whoever asked for the
/// room has measured it.
class Cursor {
 public:
    explicit Cursor(std::uint8_t* at) : at_(at) {}

    template <typename T>
    Cursor& put(T value) {
        // Bytes that are written might be at_ itself, as far as the compiler knows.
        std::uint8_t* const at = at_;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            at[i] = static_cast<std::uint8_t>(value >> (8 * i));
        at_ = at + sizeof(T);
        return *this;
    }

    Cursor& skip(std::size_t count) {
        at_ += count;
        return *this;
    }

    Cursor& text(std::string_view text) {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
        return *this;
    }

    /// Of one of two sizes, each of which is copied without a call when the compiler knows it.
    Cursor& digest(ByteView bytes) {
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
        return *this;
    }

    /// Two digits a byte.
    Cursor& hex(ByteView bytes) {
        std::uint8_t* at = at_;
        for (const std::uint8_t byte : bytes) {
            std::memcpy(at, kHexPairs[byte].data(), 2);
            at += 2;
        }
        at_ = at;
        return *this;
    }

    /// Of few bytes as a rule.
    Cursor& fill(std::uint8_t value, std::size_t count) {
        if (count == 4) return put(value * 0x01010101u);
        at_ = std::fill_n(at_, count, value);
        return *this;
    }

 private:
    std::uint8_t* at_;
};

std::uint16_t cut16(std::uint64_t value) {
    return static_cast<std::uint16_t>(value);
}

std::uint32_t cut32(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}

/// The second pass: everything is placed, this fills the image from its first byte to its last.
class Emitter {
 public:
    Emitter(const InodeList& inodes,
            const XattrTable& xattrs,
            const ImageLayout& layout,
            const Rules& rules,
            Sink* sink)
        : inodes_(inodes),
          xattrs_(xattrs),
          layout_(layout),
          rules_(rules),
          out_(sink, rules.algorithm, layout.size) {}

    ErofsImage run() {
        put_header();
        put_superblock();
        for (std::uint32_t i = 0; i < inodes_.items.size(); ++i) {
            if (i + kAhead < inodes_.items.size()) prefetch(inodes_.items[i + kAhead]);
            put_inode(i);
        }
        for (const std::uint32_t id : xattrs_.shared()) {
            const Xattr& xattr = xattrs_.xattr(id);
            Cursor at(out_.room(layout_.inodes_end + xattr.offset, xattr.stored_size()));
            put_entry(xattr, at);
        }
        for (std::uint32_t i = 0; i < inodes_.items.size(); ++i) {
            if (layout_.places[i].blocks > 0) put_blocks(inodes_.items[i], layout_.places[i]);
        }
        return {
            .version = rules_.version, .size = layout_.size, .digest = out_.finish(layout_.size)};
    }

 private:
    void put_header() {
        Cursor(out_.room(0, 16))
            .put(kComposefsMagic)
            .put(kComposefsHeaderVersion)
            .put(!rules_.v2() && xattrs_.has_acl() ? kFlagHasAcl : 0u)
            .put(static_cast<std::uint32_t>(rules_.version));
    }

    void put_superblock() {
        Cursor at(out_.room(kSuperblock, kSuperblockSize));
        at.put(kErofsMagic).put(0u).put(kFeatureCompat).put(std::uint8_t{12}).skip(1);
        at.put(cut16(nid(0))).put(std::uint64_t{inodes_.items.size()});
        if (rules_.v2()) {
            at.skip(12);
        } else {
            at.put(static_cast<std::uint64_t>(inodes_.min_sec)).put(inodes_.min_nsec);
        }
        at.put(cut32(layout_.size / kBlock)).skip(4);
        if (!rules_.v2()) at.put(cut32(layout_.inodes_end / kBlock));
    }

    [[nodiscard]] std::uint64_t nid(std::uint32_t inode) const {
        return layout_.places[inode].offset / kSlot;
    }

    void put_inode(std::uint32_t index) {
        const Item& item = inodes_.items[index];
        const Place& place = layout_.places[index];
        const std::uint32_t xattr_size = xattrs_.stored_size(index);
        Cursor at(out_.room(place.offset, place.header_size() + xattr_size + place.tail));
        at.put(cut16(place.layout << 1 | (place.extended ? 1 : 0)));
        at.put(cut16(xattr_size == 0 ? 0 : 1 + (xattr_size - kXattrHeader) / 4));
        at.put(cut16(mode_bits(item.type) | item.meta->mode));
        const auto number = rules_.v2() ? cut32(nid(index)) : index;
        if (place.extended) {
            at.skip(2).put(place.size).put(union_field(item, place)).put(number);
            at.put(item.meta->uid).put(item.meta->gid);
            at.put(static_cast<std::uint64_t>(item.meta->mtime_sec));
            at.put(rules_.v2() ? 0u : item.meta->mtime_nsec).put(item.nlink).skip(16);
        } else {
            at.put(cut16(item.nlink)).put(cut32(place.size)).skip(4);
            at.put(union_field(item, place)).put(number);
            at.put(cut16(item.meta->uid)).put(cut16(item.meta->gid)).skip(4);
        }
        if (xattr_size != 0) put_xattrs(index, at);
        if (place.tail > 0) put_tail(item, place, at);
    }

    /// i_u: block address, device number or chunk format.
    [[nodiscard]] std::uint32_t union_field(const Item& item, const Place& place) const {
        if (place.layout == kChunkBased) {
            if (rules_.v2()) return 31;
            return (chunk_bits(place.size) - 12) | (place.first_block & 0xffff0000);
        }
        if (item.type == FileType::CharDevice || item.type == FileType::BlockDevice) {
            return item.leaf == nullptr ? 0 : item.leaf->rdev;
        }
        return place.first_block;
    }

    void put_xattrs(std::uint32_t index, Cursor& at) {
        const std::uint64_t base = rules_.v2() ? layout_.inodes_end : layout_.inodes_end % kBlock;
        Cursor head = at;
        at.skip(kXattrHeader);
        std::uint8_t references = 0;
        local_.clear();
        xattrs_.for_each(index, [&](const XattrRef& ref) {
            if (ref.reference) {
                at.put(cut32((base + ref.xattr->offset) / 4));
                ++references;
            } else {
                local_.push_back(ref);
            }
        });
        head.put(xattrs_.filter(index)).put(references);
        for (const XattrRef& ref : local_) {
            if (ref.xattr != nullptr) {
                put_entry(*ref.xattr, at);
            } else if (ref.redirect) {
                put_redirect(*ref.digest, at);
            } else {
                put_metacopy(*ref.digest, at);
            }
        }
    }

    static void put_entry(const Xattr& xattr, Cursor& at) {
        const std::string_view suffix = xattr.suffix();
        at.put(static_cast<std::uint8_t>(suffix.size())).put(xattr.index);
        at.put(cut16(xattr.value.size())).text(suffix).text(xattr.value);
        at.skip(xattr.stored_size() - 4 - suffix.size() - xattr.value.size());
    }

    static constexpr std::string_view kTrusted = "trusted.";
    static constexpr std::uint8_t kTrustedIndex = 4;

    /// \returns how many bytes of padding the entry needs
    template <const std::string_view& kName>
    static std::size_t put_trusted_head(std::size_t value, Cursor& at) {
        constexpr std::string_view suffix = kName.substr(kTrusted.size());
        at.put(static_cast<std::uint8_t>(suffix.size())).put(kTrustedIndex);
        at.put(cut16(value)).text(suffix);
        return (4 - (suffix.size() + value) % 4) % 4;
    }

    void put_metacopy(const Digest& digest, Cursor& at) const {
        const std::size_t size = 4 + digest.bytes().size();
        const std::size_t pad = put_trusted_head<kMetacopy>(size, at);
        at.put(std::uint8_t{0}).put(static_cast<std::uint8_t>(size)).put(std::uint8_t{0});
        at.put(static_cast<std::uint8_t>(rules_.algorithm));
        at.digest(digest.bytes()).skip(pad);
    }

    static void put_redirect(const Digest& digest, Cursor& at) {
        const ByteView bytes = digest.bytes();
        const std::size_t pad = put_trusted_head<kRedirect>(2 + 2 * bytes.size(), at);
        constexpr std::uint8_t kSlash = '/';
        at.put(kSlash).hex(bytes.first(1)).put(kSlash).hex(bytes.subspan(1)).skip(pad);
    }

    void put_tail(const Item& item, const Place& place, Cursor& at) {
        if (item.directory != nullptr) {
            const std::uint32_t end = item.first_entry + item.entry_count;
            std::uint32_t first = item.first_entry;
            for (std::uint32_t left = place.blocks; left > 0; --left)
                first += entries_in_block(inodes_.entries, first, end);
            put_group(first, end, at);
        } else if (place.layout == kChunkBased) {
            at.fill(0xff, place.tail);
        } else {
            const std::string_view content = item.leaf->content;
            at.text(content.substr(content.size() - place.tail));
        }
    }

    void put_blocks(const Item& item, const Place& place) {
        std::uint64_t offset = place.first_block * kBlock;
        if (item.directory != nullptr) {
            const std::uint32_t end = item.first_entry + item.entry_count;
            std::uint32_t first = item.first_entry;
            for (std::uint32_t left = place.blocks; left > 0; --left, offset += kBlock) {
                const std::uint32_t count = entries_in_block(inodes_.entries, first, end);
                put_group(first, first + count, Cursor(out_.room(offset, kBlock)));
                first += count;
            }
            return;
        }
        const std::size_t size = place.blocks * kBlock;
        Cursor at(out_.room(offset, size));
        if (place.layout == kChunkBased) {
            at.fill(0xff, size);
        } else {
            const std::string_view content = item.leaf->content;
            at.text(content.substr(0, content.size() - place.tail));
        }
    }

    void put_group(std::uint32_t first, std::uint32_t end, Cursor at) const {
        const auto group = std::span(inodes_.entries).subspan(first, end - first);
        std::uint64_t names = kDirent * group.size();
        for (const Entry& entry : group) {
            at.put(nid(entry.inode)).put(cut16(names));
            at.put(dirent_type(entry.type)).skip(1);
            names += entry.name.size();
        }
        for (const Entry& entry : group)
            at.text(entry.name);
    }

    const InodeList& inodes_;
    const XattrTable& xattrs_;
    const ImageLayout& layout_;
    const Rules& rules_;
    ImageStream out_;
    std::vector<XattrRef> local_;  ///< of the inode that is being written, those it stores itself
};

void check(const ErofsOptions& options) {
    const bool c = options.dialect == ImageDialect::C;
    if (c && (options.min_version == ErofsVersion::V2 || options.max_version == ErofsVersion::V2)) {
        throw Error(ErrorCode::InvalidArgs,
                    "the C dialect has no version 2 of the format",
                    "Ask for version 0 or 1.");
    }
}

/// Calls `visit` with the index of each inode, whose parts are on their way into the cache by then.
template <typename Visit>
void for_each_inode(const InodeList& inodes, Visit visit) {
    for (std::size_t i = 0; i < inodes.items.size(); ++i) {
        if (i + 2 * kAhead < inodes.items.size()) prefetch(inodes.items[i + 2 * kAhead]);
        visit(i);
    }
}

/// Attributes and content do not need each other, so two cores share them.
void measure(const InodeList& inodes, XattrTable& xattrs, Placement& placement) {
    if (inodes.items.size() < kWorthAThread || usable_cores() < 2) {
        for_each_inode(inodes, [&](std::size_t i) {
            xattrs.add(i);
            placement.add(i);
        });
        return xattrs.finish();
    }
    std::future<void> attributes = std::async(std::launch::async, [&] {
        for_each_inode(inodes, [&](std::size_t i) { xattrs.add(i); });
        xattrs.finish();
    });
    for_each_inode(inodes, [&](std::size_t i) { placement.add(i); });
    attributes.get();
}

/// Where to write an image of that size; nullptr: nowhere.
using SinkFor = std::function<Sink*(std::uint64_t size)>;

ErofsImage write_to(const FileTree& tree, const ErofsOptions& options, const SinkFor& sink_for) {
    check(options);
    Rules rules{options.min_version, options.dialect, options.algorithm};
    const InodeList inodes = number_inodes(tree, rules);
    // libcomposefs raises the version when only the newer one says it all.
    if (rules.c() && inodes.holds_escaped && rules.version < options.max_version) {
        rules.version = options.max_version;
    }
    XattrTable xattrs(inodes, rules);
    Placement placement(inodes, rules);
    measure(inodes, xattrs, placement);
    const ImageLayout layout = placement.finish(xattrs);
    return Emitter(inodes, xattrs, layout, rules, sink_for(layout.size)).run();
}

}  // namespace

ErofsImage write_erofs(const FileTree& tree, const ErofsOptions& options, Sink& sink) {
    return write_to(tree, options, [&](std::uint64_t /*size*/) { return &sink; });
}

ErofsImage measure_erofs(const FileTree& tree, const ErofsOptions& options) {
    return write_to(tree, options, [](std::uint64_t /*size*/) { return nullptr; });
}

ErofsBuffer write_erofs_buffer(const FileTree& tree,
                               ErofsVersion version,
                               HashAlgorithm algorithm) {
    MemorySink sink(std::size_t{1} << 44);
    const ErofsOptions options{.algorithm = algorithm, .min_version = version};
    const auto sink_for = [&](std::uint64_t size) {
        sink.expect(size);
        return &sink;
    };
    const ErofsImage image = write_to(tree, options, sink_for);
    return {sink.take(), image.digest};
}

Bytes write_erofs(const FileTree& tree, ErofsVersion version, HashAlgorithm algorithm) {
    return write_erofs_buffer(tree, version, algorithm).bytes;
}

}  // namespace cfs::image
