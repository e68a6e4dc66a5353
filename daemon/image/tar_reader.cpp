// SPDX-License-Identifier: Apache-2.0
#include "image/tar_reader.hpp"

#include "base/error.hpp"
#include "image/tar_header.hpp"

#include <algorithm>
#include <utility>

namespace cfs::image {
namespace {

constexpr std::uint64_t kMaxExtensionBytes = 1 << 20;
constexpr int kMaxExtensions = 16;

std::uint64_t padding(std::uint64_t size) {
    return (kTarBlock - size % kTarBlock) % kTarBlock;
}

std::string_view without_nul(std::string_view text) {
    if (text.ends_with('\0')) text.remove_suffix(1);
    return text;
}

FileType file_type(char type) {
    switch (type) {
        case '0':
        case '\0':
        case '7':
        case '1':
            return FileType::Regular;
        case '2':
            return FileType::Symlink;
        case '3':
            return FileType::CharDevice;
        case '4':
            return FileType::BlockDevice;
        case '5':
            return FileType::Directory;
        case '6':
            return FileType::Fifo;
        case 'S':
            throw Error(ErrorCode::BadFormat,
                        "the file is sparse (type 'S'), expected a plain one",
                        "Build the image without sparse archive members (tar without --sparse).");
        default:
            throw Error(ErrorCode::BadFormat,
                        "type '" + printable({&type, 1}) + "' is none that an image can hold");
    }
}

}  // namespace

class TarReader::Impl {
 public:
    Impl(TarHandler& handler, TarLimits limits) : handler_(handler), limits_(limits) {}

    void feed(ByteView data) {
        while (!data.empty()) {
            const ByteView part = data.first(take(data.size()));
            data = data.subspan(part.size());
            consume(part);
        }
    }

    void feed_external(const Digest& digest, std::uint64_t size) {
        if (state_ != State::File || begun_ || size != entry_.size) {
            fail("the stored layer has an external file of " + std::to_string(size) +
                 " bytes here, where the archive has " +
                 (state_ == State::File ? std::to_string(left_) + " bytes of payload" : "none"));
        }
        offset_ += size;
        left_ = 0;
        entry_.external = digest;
        emit();
    }

    void finish() {
        const bool between = state_ == State::Zero || (state_ == State::Header && !extended());
        if (state_ == State::End || (between && block_.empty())) return;
        fail("the archive ends inside an entry", "The layer is cut short; fetch it again.");
    }

 private:
    enum class State { Header, Zero, Extension, Skip, Small, File, Padding, End };

    /// How many of the next `available` bytes belong to what is being read.
    [[nodiscard]] std::size_t take(std::size_t available) const {
        if (state_ == State::End) return available;
        const std::uint64_t wanted =
            state_ == State::Header || state_ == State::Zero ? kTarBlock - block_.size() : left_;
        return static_cast<std::size_t>(std::min<std::uint64_t>(available, wanted));
    }

    void consume(ByteView part) {
        offset_ += part.size();
        if (state_ == State::File) return consume_file(part);
        handler_.literal(part);
        switch (state_) {
            case State::Header:
            case State::Zero:
                block_.insert(block_.end(), part.begin(), part.end());
                if (block_.size() == kTarBlock) on_block();
                return;
            case State::Extension:
                extension_ += as_text(part);
                break;
            case State::Small:
                entry_.content += as_text(part);
                break;
            case State::Skip:
            case State::Padding:
                break;
            case State::File:
            case State::End:
                return;
        }
        left_ -= part.size();
        if (left_ == 0) on_payload_end();
    }

    void consume_file(ByteView part) {
        if (!begun_) handler_.file_begin(entry_.size);
        begun_ = true;
        handler_.file_data(part);
        left_ -= part.size();
        if (left_ > 0) return;
        entry_.external = handler_.file_end();
        emit();
    }

    void on_payload_end() {
        switch (state_) {
            case State::Extension:
                with_context(where(), [this] { apply_extension(); });
                pad(extension_size_);
                break;
            case State::Skip:
                pad(extension_size_);
                break;
            case State::Small:
                emit();
                break;
            default:
                state_ = State::Header;
        }
    }

    void pad(std::uint64_t size) {
        left_ = padding(size);
        state_ = left_ > 0 ? State::Padding : State::Header;
    }

    void on_block() {
        const Bytes block = std::exchange(block_, {});
        if (is_zero_block(block)) {
            if (extended()) fail("the archive ends after an extension header without its entry");
            state_ = state_ == State::Zero ? State::End : State::Zero;
            return;
        }
        if (state_ == State::Zero) fail("a single block of zeros stands between two entries");
        header_offset_ = offset_ - kTarBlock;
        entry_ = {};
        const TarHeader header =
            with_context(where(), [&block] { return parse_tar_header(block); });
        entry_.path = header.name;
        with_context(where(), [&] { begin(header); });
    }

    void begin(const TarHeader& header) {
        add_metadata(kTarBlock);
        switch (header.type) {
            case 'L':
            case 'K':
            case 'x':
            case 'g':
                begin_extension(header);
                break;
            default:
                begin_entry(header);
        }
    }

    void add_metadata(std::uint64_t bytes) {
        count("bytes of metadata", metadata_, bytes, limits_.max_metadata_bytes);
    }

    static void count(std::string_view what,
                      std::uint64_t& used,
                      std::uint64_t more,
                      std::uint64_t limit) {
        if (more > limit - used) {
            throw Error(ErrorCode::BadFormat,
                        "the layer holds more " + std::string(what) + " than its limit of " +
                            std::to_string(limit) + ": found " + std::to_string(used) +
                            " and then " + std::to_string(more),
                        "The layer is not what its manifest promised; do not install it.");
        }
        used += more;
    }

    void begin_extension(const TarHeader& header) {
        extension_type_ = header.type;
        extension_size_ = left_ = header.size;
        extension_.clear();
        if (header.size > kMaxExtensionBytes - extension_sum_) {
            fail_here("extension headers of one entry have more than 1 MiB");
        }
        add_metadata(header.size);
        if (header.type != 'g') {
            extension_sum_ += header.size;
            if (++extension_count_ > kMaxExtensions) {
                fail_here("an entry has more than 16 extension headers");
            }
        }
        state_ = header.type == 'g' ? State::Skip : State::Extension;
        if (left_ == 0) on_payload_end();
    }

    void apply_extension() {
        if (extension_type_ == 'x') {
            if (pax_) fail_here("two PAX headers stand before one entry");
            pax_ = parse_pax(extension_);
            return;
        }
        auto& name = extension_type_ == 'L' ? long_name_ : long_link_;
        if (name) fail_here("two GNU long names of one kind stand before one entry");
        name = without_nul(extension_);
    }

    [[nodiscard]] bool extended() const { return extension_count_ > 0; }

    void begin_entry(const TarHeader& header) {
        const PaxRecords pax = std::exchange(pax_, {}).value_or(PaxRecords());
        const auto long_name = std::exchange(long_name_, {});
        const auto long_link = std::exchange(long_link_, {});
        extension_count_ = 0;
        extension_sum_ = 0;
        entry_.path = pax.path ? *pax.path : long_name ? *long_name : header.name;
        count("entries", entries_, 1, limits_.max_entries);
        entry_.path = normalise_path(entry_.path);
        entry_.type = file_type(header.type);
        entry_.hard_link = header.type == '1';
        set_metadata(header, pax);
        set_link(pax.link ? *pax.link : long_link ? *long_link : header.link);
        entry_.size = pax.size.value_or(header.size);
        begin_payload();
    }

    void set_metadata(const TarHeader& header, const PaxRecords& pax) {
        const std::uint64_t mtime = pax.mtime.value_or(header.mtime);
        if (mtime > INT64_MAX) fail_here("mtime " + std::to_string(mtime) + " is beyond 63 bits");
        entry_.meta.mode = static_cast<std::uint32_t>(header.mode & 07777);
        entry_.meta.uid = static_cast<std::uint32_t>(pax.uid.value_or(header.uid));
        entry_.meta.gid = static_cast<std::uint32_t>(pax.gid.value_or(header.gid));
        entry_.meta.mtime_sec = static_cast<std::int64_t>(mtime);
        entry_.meta.mtime_nsec = pax.mtime_nsec.value_or(0);
        entry_.meta.xattrs = pax.xattrs;
        entry_.rdev = header.rdev;
    }

    void set_link(const std::string& target) {
        if (entry_.hard_link) {
            entry_.link_target = normalise_path(target);
        } else if (entry_.type == FileType::Symlink) {
            if (target.empty() || target.size() > kMaxSymlink || target.find('\0') != target.npos) {
                fail_here("the link's target '" + printable(target) +
                          "' is empty, holds a NUL byte or has more than 4095 bytes");
            }
            entry_.link_target = target;
        }
    }

    void begin_payload() {
        if (entry_.type != FileType::Regular || entry_.hard_link) {
            if (entry_.size != 0) {
                fail_here("an entry that is no regular file has a payload of " +
                          std::to_string(entry_.size) + " bytes, expected none");
            }
            return emit();
        }
        count("bytes of files", unpacked_, entry_.size, limits_.max_unpacked_bytes);
        left_ = entry_.size;
        begun_ = false;
        state_ = entry_.size > kMaxInline ? State::File : State::Small;
        if (left_ == 0) emit();
    }

    void emit() {
        const std::uint64_t size = entry_.size;
        handler_.entry(std::exchange(entry_, {}));
        pad(size);
    }

    [[nodiscard]] std::string where() const {
        return "tar entry '" + printable(entry_.path) + "' at byte " +
               std::to_string(header_offset_);
    }

    [[noreturn]] static void fail_here(const std::string& what) {
        throw Error(ErrorCode::BadFormat, what);
    }

    [[noreturn]] void fail(const std::string& what, std::string hint = {}) const {
        throw Error(ErrorCode::BadFormat, where() + ": " + what, std::move(hint));
    }

    TarHandler& handler_;
    const TarLimits limits_;
    State state_ = State::Header;
    Bytes block_;                      ///< the unfinished header
    std::uint64_t left_ = 0;           ///< bytes of payload or padding still to come
    std::uint64_t offset_ = 0;         ///< in the archive, behind what was consumed
    std::uint64_t header_offset_ = 0;  ///< of the entry being read
    TarEntry entry_;
    bool begun_ = false;  ///< file_begin() was called for entry_
    char extension_type_ = 0;
    std::uint64_t extension_size_ = 0;
    std::string extension_;
    std::uint64_t extension_sum_ = 0;  ///< bytes of extensions before the next entry
    int extension_count_ = 0;
    std::optional<PaxRecords> pax_;
    std::optional<std::string> long_name_;
    std::optional<std::string> long_link_;
    std::uint64_t entries_ = 0;
    std::uint64_t unpacked_ = 0;
    std::uint64_t metadata_ = 0;
};

TarReader::TarReader(TarHandler& handler, TarLimits limits)
    : impl_(std::make_unique<Impl>(handler, limits)) {}

TarReader::~TarReader() = default;

void TarReader::feed(ByteView data) {
    impl_->feed(data);
}

void TarReader::feed_external(const Digest& digest, std::uint64_t size) {
    impl_->feed_external(digest, size);
}

void TarReader::finish() {
    impl_->finish();
}

}  // namespace cfs::image
