// SPDX-License-Identifier: Apache-2.0
/// \file What becomes of the bytes that a RegistryClient brings. Private to this component.
#pragma once

#include "net/blob_check.hpp"
#include "net/kept_blob.hpp"
#include "net/registry_client.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace cfs::net {

/// Payload bytes taken from the network.
using ByteCounter = std::atomic<std::uint64_t>;

/// A small document: each attempt starts anew. BadFormat beyond kMaxDocumentBytes.
class DocumentDownload final : public Download, private Sink {
 public:
    /// \param what "manifest", for messages
    DocumentDownload(std::string what, ByteCounter& fetched)
        : what_(std::move(what)), fetched_(fetched) {}

    [[nodiscard]] std::uint64_t offset() const override { return 0; }

    [[nodiscard]] Sink& begin(const HttpResponse& response) override;

    [[nodiscard]] bool complete() override { return true; }

    [[nodiscard]] std::uint64_t progress() const override { return 0; }

    [[nodiscard]] const HttpResponse& response() const { return response_; }

    /// Throws BadFormat when a web page came.
    [[nodiscard]] Bytes take();

 private:
    void write(ByteView data) override;

    std::string what_;
    ByteCounter& fetched_;
    HttpResponse response_;
    Bytes bytes_;
};

/// A blob: attempts continue where the one before stopped, by Range where the registry honours it,
/// else by reading over what is there; the first one where another process
/// stopped. Wherever the attempts went, the digest is that of the whole.
class BlobDownload final : public Download, private Sink {
 public:
    /// All must outlive this.
    /// \param kept where the bytes go as well, for another life of the process; may be null
    BlobDownload(const Descriptor& blob,
                 Sink& out,
                 ByteCounter& fetched,
                 std::unique_ptr<KeptBlob> kept = nullptr)
        : blob_(blob), checked_(blob, out), fetched_(fetched), kept_(std::move(kept)) {}
    BlobDownload(const BlobDownload&) = delete;
    BlobDownload& operator=(const BlobDownload&) = delete;
    ~BlobDownload() override { mark(); }

    /// First of all: passes on what an earlier process kept.
    void replay(const std::stop_token& stop);

    [[nodiscard]] std::uint64_t offset() const override { return checked_.received(); }

    [[nodiscard]] std::uint64_t progress() const override { return checked_.received(); }

    [[nodiscard]] Sink& begin(const HttpResponse& response) override;

    [[nodiscard]] bool complete() override { return checked_.received() == blob_.size; }

    /// DigestMismatch unless exactly the named bytes came.
    void finish() {
        mark();  // the last time: the digest is taken out
        checked_.finish();
    }

 private:
    [[nodiscard]] std::uint64_t range_start(const HttpResponse& response) const;
    void write(ByteView data) override;
    void mark() noexcept;

    const Descriptor& blob_;
    BlobCheck checked_;
    ByteCounter& fetched_;
    std::unique_ptr<KeptBlob> kept_;
    std::uint64_t skip_ = 0;  ///< bytes of this attempt that are here already
};

}  // namespace cfs::net
