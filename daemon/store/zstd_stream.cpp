// SPDX-License-Identifier: Apache-2.0
#include "store/zstd_stream.hpp"

#include "base/error.hpp"

#include <zstd.h>

#include <new>

namespace cfs::store {
namespace {

constexpr int kLevel = 3;
constexpr int kMaxWindowLog = 25;

struct FreeZstd {
    void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }

    void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

template <typename Context>
std::unique_ptr<Context, FreeZstd> owned(Context* context) {
    if (context == nullptr) throw std::bad_alloc();
    return std::unique_ptr<Context, FreeZstd>(context);
}

}  // namespace

struct ZstdSink::State {
    Sink& out;
    std::unique_ptr<ZSTD_CCtx, FreeZstd> context = owned(ZSTD_createCCtx());
    Bytes buffer = Bytes(ZSTD_CStreamOutSize());

    /// True once the directive is carried out in full.
    bool step(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
        ZSTD_outBuffer target{buffer.data(), buffer.size(), 0};
        const std::size_t left = ZSTD_compressStream2(context.get(), &target, &in, directive);
        if (ZSTD_isError(left)) {
            throw Error(ErrorCode::Internal,
                        std::string("zstd refuses to compress: ") + ZSTD_getErrorName(left));
        }
        out.write(ByteView(buffer).first(target.pos));
        return directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
};

ZstdSink::ZstdSink(Sink& out) : state_(new State{out}) {
    (void)ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, kLevel);
}

ZstdSink::~ZstdSink() = default;

void ZstdSink::write(ByteView data) {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    while (in.pos < in.size)
        (void)state_->step(in, ZSTD_e_continue);
}

void ZstdSink::finish() {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (!state_->step(in, ZSTD_e_end)) {
    }
}

struct ZstdSource::State {
    std::unique_ptr<Source> in;
    std::unique_ptr<ZSTD_DCtx, FreeZstd> context = owned(ZSTD_createDCtx());
    Bytes buffer = Bytes(ZSTD_DStreamInSize());
    ZSTD_inBuffer pending{nullptr, 0, 0};
    bool at_frame_end = true;
    bool ended = false;

    /// False at the end of the input.
    bool refill() {
        if (ended) return false;
        const std::size_t n = in->read(buffer);
        pending = {buffer.data(), n, 0};
        ended = n == 0;
        return !ended;
    }
};

ZstdSource::ZstdSource(std::unique_ptr<Source> in) : state_(new State{std::move(in)}) {
    (void)ZSTD_DCtx_setParameter(state_->context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
}

ZstdSource::~ZstdSource() = default;

std::size_t ZstdSource::read(std::span<std::uint8_t> buffer) {
    State& s = *state_;
    ZSTD_outBuffer target{buffer.data(), buffer.size(), 0};
    while (target.pos == 0 && !buffer.empty()) {
        const bool more_input = s.pending.pos < s.pending.size || s.refill();
        if (!more_input && s.at_frame_end) break;
        const std::size_t before = s.pending.pos;
        const std::size_t left = ZSTD_decompressStream(s.context.get(), &target, &s.pending);
        if (ZSTD_isError(left)) {
            throw Error(ErrorCode::BadFormat,
                        std::string("broken zstd data: ") + ZSTD_getErrorName(left));
        }
        s.at_frame_end = left == 0;
        if (!more_input && target.pos == 0 && s.pending.pos == before && !s.at_frame_end) {
            throw Error(ErrorCode::BadFormat, "the zstd data ends too early");
        }
    }
    return target.pos;
}

}  // namespace cfs::store
