// SPDX-License-Identifier: Apache-2.0
#include "update/layer_stream.hpp"

#include "archive/decompress.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "crypto/hasher.hpp"
#include "update/byte_pipe.hpp"

#include <atomic>
#include <optional>
#include <thread>

namespace cfs::update {
namespace {

constexpr std::size_t kPipeBytes = std::size_t{1} << 20;
/// Little enough to stay in a cache on its way from the thread that unpacks to the one that stores.
constexpr std::size_t kUnpackedPipeBytes = std::size_t{256} << 10;
constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
/// How much of a blob that does not parse is still fetched, to learn whether it is the blob that
/// was named.
constexpr std::uint64_t kDrainBytes = std::uint64_t{64} << 20;

class CountingSink final : public Sink {
 public:
    CountingSink(Sink& next, std::atomic<std::uint64_t>& count) : next_(next), count_(count) {}

    void write(ByteView data) override {
        next_.write(data);
        count_ += data.size();
    }

 private:
    Sink& next_;
    std::atomic<std::uint64_t>& count_;
};

/// Runs a download on a thread of its own; the bytes come out of reader().
class Download {
 public:
    Download(net::ImageSource& source, const net::Descriptor& blob, const std::stop_token& stop)
        : pipe_(kPipeBytes), forward_(stop, [this] { own_stop_.request_stop(); }) {
        thread_ = std::jthread([this, &source, &blob] {
            try {
                CountingSink sink(pipe_.writer(), count_);
                source.fetch_blob(blob, sink, own_stop_.get_token());
                pipe_.end_writing(nullptr);
            } catch (...) {
                pipe_.end_writing(std::current_exception());
            }
        });
    }

    ~Download() {
        pipe_.end_reading();
        own_stop_.request_stop();
    }

    Download(const Download&) = delete;
    Download& operator=(const Download&) = delete;

    [[nodiscard]] Source& reader() { return pipe_.reader(); }

    /// Tells `on_bytes` what arrived since the last call.
    void report(const OnBytes& on_bytes) {
        const std::uint64_t now = count_;
        if (on_bytes && now > reported_) on_bytes(now - reported_);
        reported_ = now;
    }

    /// Nobody waits for the rest.
    void cancel() { own_stop_.request_stop(); }

    /// Reads on to the end, so that a wrong digest or a broken connection is what gets reported.
    void drain() {
        Bytes buffer(kBufferBytes);
        for (std::uint64_t total = 0; total < kDrainBytes;) {
            const std::size_t n = pipe_.reader().read(buffer);
            if (n == 0) return;
            total += n;
        }
    }

 private:
    BytePipe pipe_;
    std::atomic<std::uint64_t> count_{0};  // compressed bytes that arrived
    std::uint64_t reported_ = 0;
    std::stop_source own_stop_;
    std::stop_callback<std::function<void()>> forward_;
    std::jthread thread_;  // last: joined before what it uses goes
};

/// Unpacks a download and hashes the result on a thread of its own, beside the one that splits and
/// stores: in most layers both have about as much to do.
class Unpacking {
 public:
    Unpacking(Download& download,
              archive::Compression compression,
              std::uint64_t max_unpacked,
              HashAlgorithm algorithm)
        : pipe_(kUnpackedPipeBytes), hasher_(algorithm) {
        thread_ = std::jthread([this, &download, compression, max_unpacked] {
            try {
                run(*archive::decompress(download.reader(), compression, max_unpacked));
                pipe_.end_writing(nullptr);
            } catch (...) {
                pipe_.end_writing(std::current_exception());
            }
        });
    }

    ~Unpacking() { pipe_.end_reading(); }

    Unpacking(const Unpacking&) = delete;
    Unpacking& operator=(const Unpacking&) = delete;

    [[nodiscard]] std::optional<Bytes> next(Bytes used) { return pipe_.pull(std::move(used)); }

    /// The diff_id of what was unpacked. \pre next() came to the end
    [[nodiscard]] Digest digest() { return hasher_.finish(); }

    /// Ends the thread: the download may be read by somebody else then.
    void abandon() {
        pipe_.end_reading();
        if (thread_.joinable()) thread_.join();
    }

 private:
    void run(Source& unpacked) {
        for (;;) {
            Bytes buffer = pipe_.spare();
            buffer.resize(kBufferBytes);
            const std::size_t n = unpacked.read(buffer);
            if (n == 0) return;
            buffer.resize(n);
            hasher_.update(buffer);
            pipe_.push(std::move(buffer));
        }
    }

    BytePipe pipe_;
    Hasher hasher_;        // the thread's until it has ended the pipe
    std::jthread thread_;  // last: joined before what it uses goes
};

}  // namespace

std::uint64_t stream_layer(net::ImageSource& source,
                           const net::Descriptor& blob,
                           const Digest& diff_id,
                           const LayerLimits& limits,
                           image::TarHandler& handler,
                           const OnBytes& on_bytes,
                           const std::stop_token& stop) {
    const auto compression = archive::compression_from_media_type(blob.media_type);
    Download download(source, blob, stop);
    Unpacking unpacking(download, compression, limits.max_unpacked, diff_id.algorithm());
    std::uint64_t unpacked = 0;
    try {
        image::TarReader tar(handler, limits.tar);
        auto chunk = unpacking.next({});
        for (; chunk; chunk = unpacking.next(std::move(*chunk))) {
            check(stop);
            tar.feed(*chunk);
            unpacked += chunk->size();
            download.report(on_bytes);
        }
        tar.finish();
        download.report(on_bytes);
        if (const Digest found = unpacking.digest(); found != diff_id) {
            throw Error(ErrorCode::DigestMismatch,
                        "the layer unpacks to " + to_oci(found) + ", the image's config says " +
                            to_oci(diff_id),
                        "the image was built or copied wrongly: ask its builder");
        }
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) download.cancel();
        unpacking.abandon();
        if (e.code() == ErrorCode::BadFormat) download.drain();
        throw;
    } catch (...) {
        download.cancel();
        throw;
    }
    return unpacked;
}

}  // namespace cfs::update
