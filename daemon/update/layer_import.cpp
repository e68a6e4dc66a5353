// SPDX-License-Identifier: Apache-2.0
#include "update/layer_import.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "store/splitstream.hpp"
#include "update/layer_stream.hpp"

#include <algorithm>
#include <memory>

namespace cfs::update {
namespace {

/// Stops a layer that turns out to be larger than the room that the plan found for it: a blob's
/// size says nothing about what it unpacks to.
class SpaceWatch {
 public:
    SpaceWatch(const store::Repository& store, std::uint64_t keep_free)
        : store_(store),
          keep_free_(keep_free),
          step_(std::clamp(keep_free / 4, std::uint64_t{64} << 10, std::uint64_t{4} << 20)) {}

    void wrote(std::size_t bytes) {
        since_ += bytes;
        if (since_ < step_) return;
        since_ = 0;
        check_room(store_, keep_free_, 0);
    }

 private:
    const store::Repository& store_;
    std::uint64_t keep_free_;
    std::uint64_t step_;       // bytes between two looks
    std::uint64_t since_ = 0;  // bytes written after the last look
};

/// Large payloads become objects, everything else goes literally into the splitstream.
class StoreHandler final : public image::TarHandler {
 public:
    StoreHandler(store::Repository& store, std::uint64_t keep_free)
        : store_(store), watch_(store, keep_free), stream_(store) {}

    void literal(ByteView data) override {
        stream_.literal(data);
        watch_.wrote(data.size());
    }

    void file_begin(std::uint64_t) override { object_ = store_.new_object(); }

    void file_data(ByteView data) override {
        object_->write(data);
        watch_.wrote(data.size());
    }

    Digest file_end() override {
        const std::uint64_t size = object_->size();
        const Digest digest = object_->commit();
        object_.reset();
        stream_.external(digest, size);
        return digest;
    }

    void entry(image::TarEntry&&) override {}

    [[nodiscard]] Digest finish() { return stream_.finish(store::kOciLayer); }

 private:
    store::Repository& store_;
    SpaceWatch watch_;
    store::SplitstreamWriter stream_;
    std::unique_ptr<store::ObjectWriter> object_;
};

/// Of the large payloads only the wanted ones become objects; the rest of the tar is dropped.
class WantedHandler final : public image::TarHandler {
 public:
    WantedHandler(store::Repository& store, const std::function<bool(const Digest&)>& wanted)
        : store_(store), wanted_(wanted) {}

    void literal(ByteView) override {}

    void file_begin(std::uint64_t) override { object_ = store_.new_object(); }

    void file_data(ByteView data) override { object_->write(data); }

    Digest file_end() override {
        const Digest digest = object_->digest();
        if (wanted_(digest) && !store_.has_object(digest)) {
            (void)object_->commit();
            ++written_;
        }
        object_.reset();
        return digest;
    }

    void entry(image::TarEntry&&) override {}

    [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
    store::Repository& store_;
    const std::function<bool(const Digest&)>& wanted_;
    std::unique_ptr<store::ObjectWriter> object_;
    std::uint64_t written_ = 0;
};

/// Hashes large payloads and remembers only the small ones of them.
class ScanHandler final : public image::TarHandler {
 public:
    ScanHandler(HashAlgorithm algorithm,
                std::uint64_t keep_up_to,
                const OnContent& on_content,
                const OnEntry& on_entry)
        : hasher_(algorithm),
          keep_up_to_(keep_up_to),
          on_content_(on_content),
          on_entry_(on_entry) {}

    void literal(ByteView) override {}

    void file_begin(std::uint64_t size) override {
        content_.clear();
        keep_ = size <= keep_up_to_;
    }

    void file_data(ByteView data) override {
        hasher_.update(data);
        if (keep_) content_.insert(content_.end(), data.begin(), data.end());
    }

    Digest file_end() override {
        const Digest digest = hasher_.finish();
        if (keep_ && on_content_) on_content_(digest, content_);
        return digest;
    }

    void entry(image::TarEntry&& entry) override { on_entry_(std::move(entry)); }

 private:
    VerityHasher hasher_;
    std::uint64_t keep_up_to_;
    const OnContent& on_content_;
    const OnEntry& on_entry_;
    Bytes content_;
    bool keep_ = false;
};

class EntryHandler final : public image::TarHandler {
 public:
    explicit EntryHandler(const OnEntry& on_entry) : on_entry_(on_entry) {}

    void literal(ByteView) override {}
    void file_begin(std::uint64_t) override { refuse(); }
    void file_data(ByteView) override { refuse(); }

    Digest file_end() override { refuse(); }

    void entry(image::TarEntry&& entry) override { on_entry_(std::move(entry)); }

 private:
    [[noreturn]] static void refuse() {
        throw Error(ErrorCode::StateCorrupt,
                    "a stored layer has a large file among its literal bytes",
                    "run 'cfsctl store fsck'");
    }

    const OnEntry& on_entry_;
};

class Replay final : public store::SplitstreamVisitor {
 public:
    explicit Replay(image::TarReader& tar) : tar_(tar) {}

    void literal(ByteView data) override { tar_.feed(data); }

    void external(const Digest& object, std::uint64_t size) override {
        tar_.feed_external(object, size);
    }

 private:
    image::TarReader& tar_;
};

/// Bytes that were refused once are refused again; others may come from the same place later.
bool blames_content(const Error& error) {
    return error.code() == ErrorCode::BadFormat || error.code() == ErrorCode::DigestMismatch ||
           error.code() == ErrorCode::Unsupported;
}

/// Like stream_layer(); what is kept of bytes that are no good is forgotten.
void read_layer(net::ImageSource& source,
                const net::Descriptor& blob,
                const Digest& diff_id,
                const LayerLimits& limits,
                image::TarHandler& handler,
                const OnBytes& on_bytes,
                const std::stop_token& stop) {
    try {
        (void)stream_layer(source, blob, diff_id, limits, handler, on_bytes, stop);
    } catch (const Error& e) {
        if (blames_content(e)) source.forget(blob);
        throw;
    }
}

}  // namespace

void check_room(const store::Repository& store, std::uint64_t keep_free, std::uint64_t needed) {
    const std::uint64_t available = free_space(store.dir_fd()).available;
    if (available >= keep_free && available - keep_free >= needed) return;
    throw Error(ErrorCode::NoSpace,
                "the store at '" + store.path() + "' has " + std::to_string(available) +
                    " bytes free, of which " + std::to_string(keep_free) +
                    " stay free (store.reserve); " +
                    (needed > 0 ? "the image needs at least " + std::to_string(needed)
                                : std::string("a layer unpacks to more")),
                "run 'cfsctl gc' or free space there");
}

std::string layer_stream_name(const Digest& diff_id) {
    return "oci-layer-" + to_oci(diff_id);
}

std::string manifest_stream_name(const Digest& manifest) {
    return "oci-manifest-" + to_oci(manifest);
}

std::string config_stream_name(const Digest& config) {
    return "oci-config-" + to_oci(config);
}

/// Which layer it was about, unless the failure says so itself: digests are long.
template <typename F>
static auto in_layer(const net::Descriptor& blob, F&& read) {
    const std::string digest = to_oci(blob.digest);
    try {
        return std::forward<F>(read)();
    } catch (Error& e) {
        if (std::string_view(e.what()).find(digest) == std::string_view::npos)
            e.add_context("layer " + digest);
        throw;
    }
}

Digest import_layer(store::Repository& store,
                    net::ImageSource& source,
                    const net::Descriptor& blob,
                    const Digest& diff_id,
                    const LayerLimits& limits,
                    const LayerEvents& events,
                    const std::stop_token& stop) {
    return in_layer(blob, [&] {
        StoreHandler handler(store, limits.keep_free);
        read_layer(source, blob, diff_id, limits, handler, events.bytes, stop);
        const Digest stream = handler.finish();
        if (events.streamed) events.streamed();
        store.commit_stream(layer_stream_name(diff_id), stream);
        source.forget(blob);
        return stream;
    });
}

std::uint64_t refetch_objects(store::Repository& store,
                              net::ImageSource& source,
                              const net::Descriptor& blob,
                              const Digest& diff_id,
                              const LayerLimits& limits,
                              const std::function<bool(const Digest&)>& wanted,
                              const OnBytes& on_bytes,
                              const std::stop_token& stop) {
    return in_layer(blob, [&] {
        WantedHandler handler(store, wanted);
        read_layer(source, blob, diff_id, limits, handler, on_bytes, stop);
        store.sync();
        source.forget(blob);
        return handler.written();
    });
}

std::uint64_t scan_layer(HashAlgorithm algorithm,
                         net::ImageSource& source,
                         const net::Descriptor& blob,
                         const Digest& diff_id,
                         const LayerLimits& limits,
                         std::uint64_t keep_up_to,
                         const OnContent& on_content,
                         const OnEntry& on_entry,
                         const std::stop_token& stop) {
    return in_layer(blob, [&] {
        ScanHandler handler(algorithm, keep_up_to, on_content, on_entry);
        return stream_layer(source, blob, diff_id, limits, handler, {}, stop);
    });
}

void replay_layer(const store::Repository& store,
                  const Digest& stream,
                  const LayerLimits& limits,
                  const OnEntry& on_entry) {
    EntryHandler handler(on_entry);
    image::TarReader tar(handler, limits.tar);
    Replay replay(tar);
    store::read_splitstream(store, stream, replay);
    tar.finish();
}

bool layer_is_complete(const store::Repository& store, const Digest& diff_id) {
    const auto stream = store.find_stream(layer_stream_name(diff_id));
    if (!stream || !store.has_object(*stream)) return false;
    const auto reader = store::open_splitstream(store, *stream);
    for (const Digest& object : reader.object_refs()) {
        if (!store.has_object(object)) return false;
    }
    return true;
}

}  // namespace cfs::update
