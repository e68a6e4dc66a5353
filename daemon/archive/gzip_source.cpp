// SPDX-License-Identifier: Apache-2.0
#include "archive/input_buffer.hpp"
#include "base/error.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>

namespace cfs::archive {
namespace {

std::string_view meaning(int code) {
    switch (code) {
        case ISAL_INVALID_BLOCK:
            return "an invalid deflate block";
        case ISAL_INVALID_SYMBOL:
            return "an invalid deflate symbol";
        case ISAL_INVALID_LOOKBACK:
            return "a reference to before the start of the data";
        case ISAL_INVALID_WRAPPER:
            return "no gzip header";
        case ISAL_UNSUPPORTED_METHOD:
            return "a compression method other than deflate";
        case ISAL_INCORRECT_CHECKSUM:
            return "a wrong checksum or length";
        default:
            return "an error";
    }
}

[[noreturn]] void fail(std::string_view what) {
    throw Error(ErrorCode::BadFormat,
                "gzip data: " + std::string(what),
                "the image is damaged where it is published: publish it again");
}

class GzipSource final : public Source {
 public:
    explicit GzipSource(Source& input)
        : input_(input), state_(std::make_unique<struct inflate_state>()) {
        isal_inflate_init(state_.get());
        state_->crc_flag = ISAL_GZIP;
    }

    std::size_t read(std::span<std::uint8_t> buffer) override {
        while (!finished_) {
            const bool more_input = input_.refill();
            if (in_member_ || more_input) {
                const std::size_t count = step(buffer, more_input);
                if (count > 0) return count;
            } else if (members_ == 0) {
                fail("the input is empty");
            } else {
                finished_ = true;
            }
        }
        return 0;
    }

 private:
    /// One call of the decoder; the number of bytes it gave.
    std::size_t step(std::span<std::uint8_t> buffer, bool more_input) {
        if (!in_member_) start_member();
        const std::span<std::uint8_t> in = input_.rest();
        const std::size_t room =
            std::min<std::size_t>(buffer.size(), std::numeric_limits<std::uint32_t>::max());
        state_->next_in = in.data();
        state_->avail_in = static_cast<std::uint32_t>(in.size());
        state_->next_out = buffer.data();
        state_->avail_out = static_cast<std::uint32_t>(room);
        const int code = isal_inflate(state_.get());
        if (code < 0) fail(meaning(code));
        input_.consume(in.size() - state_->avail_in);
        const std::size_t count = room - state_->avail_out;
        if (state_->block_state == ISAL_BLOCK_FINISH) {
            in_member_ = false;
            ++members_;
        } else if (!more_input && count == 0) {
            fail("the input ends in the middle");
        } else if (count == 0 && state_->avail_in == in.size()) {
            fail("the decoder makes no progress");
        }
        return count;
    }

    /// What follows a member is another member or a mistake: RFC 1952 knows no padding.
    void start_member() {
        const ByteView start = input_.rest();
        if (start[0] != 0x1f) {
            fail((members_ == 0 ? "the bytes do not start with a gzip header"
                                : "there are bytes after its end") +
                 looks_like(start, Compression::Gzip));
        }
        isal_inflate_reset(state_.get());
        state_->crc_flag = ISAL_GZIP;
        in_member_ = true;
    }

    InputBuffer input_;
    std::unique_ptr<struct inflate_state> state_;  ///< 80 KiB and more: not on a stack
    std::uint64_t members_ = 0;
    bool in_member_ = false;
    bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> gzip_source(Source& input) {
    return std::make_unique<GzipSource>(input);
}

}  // namespace cfs::archive
