// SPDX-License-Identifier: Apache-2.0
#include "archive/input_buffer.hpp"
#include "base/error.hpp"

#include <zstd.h>
#include <zstd_errors.h>

namespace cfs::archive {
namespace {

/// 128 MiB: the most that `zstd` itself decodes unless told otherwise; bounds our memory.
constexpr int kWindowLog = 27;

[[noreturn]] void fail(std::string_view what) {
    throw Error(ErrorCode::BadFormat,
                "zstd data: " + std::string(what),
                "the image is damaged where it is published: publish it again");
}

struct FreeStream {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdSource final : public Source {
 public:
    explicit ZstdSource(Source& input) : input_(input), stream_(ZSTD_createDStream()) {
        if (!stream_ ||
            ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLog))) {
            throw Error(ErrorCode::Internal, "setting up the zstd decoder");
        }
    }

    std::size_t read(std::span<std::uint8_t> buffer) override {
        for (;;) {
            const bool more_input = input_.refill();
            if (!more_input && !in_frame_) {
                if (frames_ == 0) fail("the input is empty");
                return 0;
            }
            const std::size_t count = step(buffer);
            if (count > 0) return count;
            if (!more_input && in_frame_) fail("the input ends in the middle");
        }
    }

 private:
    /// One call of the decoder; the number of bytes it gave.
    std::size_t step(std::span<std::uint8_t> buffer) {
        const std::span<std::uint8_t> rest = input_.rest();
        ZSTD_inBuffer in{rest.data(), rest.size(), 0};
        ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
        const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
        if (ZSTD_isError(result) != 0U) explain(result);
        input_.consume(in.pos);
        in_frame_ = result != 0;
        if (!in_frame_) ++frames_;
        return out.pos;
    }

    [[noreturn]] void explain(std::size_t result) {
        switch (ZSTD_getErrorCode(result)) {
            case ZSTD_error_prefix_unknown:
                fail((frames_ == 0 ? "the bytes do not start with a zstd frame"
                                   : "there are bytes after its end") +
                     looks_like(input_.rest(), Compression::Zstd));
            case ZSTD_error_frameParameter_windowTooLarge:
                fail("a frame wants a window of more than 128 MiB");
            case ZSTD_error_checksum_wrong:
                fail("a wrong checksum");
            default:
                fail(ZSTD_getErrorName(result));
        }
    }

    InputBuffer input_;
    std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
    std::uint64_t frames_ = 0;
    bool in_frame_ = false;
};

}  // namespace

std::unique_ptr<Source> zstd_source(Source& input) {
    return std::make_unique<ZstdSource>(input);
}

}  // namespace cfs::archive
