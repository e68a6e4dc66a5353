// SPDX-License-Identifier: Apache-2.0
#include "net/registry_source.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "crypto/hasher.hpp"
#include "net/blob_check.hpp"

#include <algorithm>

namespace cfs::net {
namespace {

using Counter = std::atomic<std::uint64_t>;

/// A small document: each attempt starts anew.
class DocumentDownload final : public Download, private Sink {
 public:
    explicit DocumentDownload(Counter& fetched) : fetched_(fetched) {}

    std::uint64_t offset() const override { return 0; }

    Sink& begin(const HttpResponse& response) override {
        response_ = response;
        bytes_.clear();
        return *this;
    }

    bool complete() override { return true; }

    std::uint64_t progress() const override { return 0; }

    [[nodiscard]] const HttpResponse& response() const { return response_; }

    [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
    void write(ByteView data) override {
        fetched_ += data.size();
        if (data.size() > kMaxDocumentBytes - bytes_.size()) {
            throw Error(ErrorCode::BadFormat,
                        "the manifest has more than the " + std::to_string(kMaxDocumentBytes) +
                            " bytes allowed",
                        "check the image reference");
        }
        bytes_.insert(bytes_.end(), data.begin(), data.end());
    }

    Counter& fetched_;
    HttpResponse response_;
    Bytes bytes_;
};

/// A blob: attempts continue where the one before stopped.
class BlobDownload final : public Download, private Sink {
 public:
    BlobDownload(const Descriptor& blob, Sink& out, Counter& fetched)
        : blob_(blob), checked_(blob, out), fetched_(fetched) {}

    std::uint64_t offset() const override { return checked_.received(); }

    std::uint64_t progress() const override { return checked_.received(); }

    Sink& begin(const HttpResponse& response) override {
        if (response.content_type == "text/html") {
            throw Error(ErrorCode::Network,
                        "got a web page (text/html) instead of blob " + to_oci(blob_.digest),
                        "a login portal or a proxy answers in the registry's place: check the "
                        "network connection");
        }
        const std::uint64_t start = response.status == 206 ? range_start(response) : 0;
        if (response.content_length && *response.content_length != blob_.size - start) {
            wrong_size(blob_, std::to_string(*response.content_length + start));
        }
        skip_ = offset() - start;
        return *this;
    }

    bool complete() override { return checked_.received() == blob_.size; }

    void finish() { checked_.finish(); }

 private:
    /// A range that is not the one asked for must never be glued to what is there.
    std::uint64_t range_start(const HttpResponse& response) const {
        const auto range = parse_content_range(response.content_range);
        if (range && range->first == offset() && range->last == blob_.size - 1 &&
            range->total.value_or(blob_.size) == blob_.size) {
            return range->first;
        }
        throw Error(ErrorCode::Network,
                    "asked for bytes " + std::to_string(offset()) + "-" +
                        std::to_string(blob_.size - 1) + " of blob " + to_oci(blob_.digest) +
                        " and got '" + printable(response.content_range) + "'",
                    "the registry or a proxy in between answers range requests wrongly");
    }

    /// Bytes that an earlier attempt brought come again when the registry ignores Range.
    void write(ByteView data) override {
        fetched_ += data.size();
        const std::uint64_t known = std::min<std::uint64_t>(skip_, data.size());
        skip_ -= known;
        checked_.write(data.subspan(static_cast<std::size_t>(known)));
    }

    const Descriptor& blob_;
    BlobCheck checked_;
    Counter& fetched_;
    std::uint64_t skip_ = 0;
};

std::vector<std::string> manifest_headers() {
    std::string accept = "Accept: ";
    for (const std::string_view type : {kOciIndex, kOciManifest, kDockerIndex, kDockerManifest}) {
        accept += type;
        if (type != kDockerManifest) accept += ", ";
    }
    return {accept};
}

void refuse_web_page(const HttpResponse& response, const Bytes& bytes) {
    if (response.content_type != "text/html") return;
    throw Error(ErrorCode::BadFormat,
                "got text/html instead of a manifest: '" + printable(as_text(bytes), 60) + "'",
                "a login portal or a proxy answers in the registry's place, or the host is no "
                "registry: check the reference and the network connection");
}

/// The digest to hold a manifest to: the pinned one, or what the registry says of it, or ours.
Digest checked_digest(const ImageRef& ref, const HttpResponse& response, const Bytes& bytes) {
    std::optional<Digest> expected = ref.digest;
    if (!expected) expected = digest_from_oci(response.docker_content_digest);
    const Digest found = hash(expected ? expected->algorithm() : HashAlgorithm::Sha256, bytes);
    if (expected && found != *expected) {
        throw Error(ErrorCode::DigestMismatch,
                    "the manifest's digest is " + to_oci(found) + "; expected " + to_oci(*expected),
                    "the registry or something in between altered it: try again, or publish again");
    }
    return found;
}

/// What registries.conf calls insecure is so for this source.
NetOptions with_insecure(NetOptions options, const std::vector<Endpoint>& route) {
    for (const Endpoint& endpoint : route) {
        if (!endpoint.insecure) continue;
        options.insecure_registries.push_back(endpoint.ref.host);
        options.unverified_registries.push_back(endpoint.ref.host);
    }
    return options;
}

std::string place_name(const ImageRef& ref) {
    return "'" + printable(ref.host + "/" + ref.name, 300) + "'";
}

}  // namespace

RegistrySource::RegistrySource(ImageRef ref, const NetOptions& options)
    : ref_(std::move(ref)),
      reference_(to_string(ref_)),
      route_(load_registries(options.registries_conf).route(ref_)),
      http_(with_insecure(options, route_)) {
    const NetOptions own = with_insecure(options, route_);
    for (const Endpoint& endpoint : route_) {
        const ImageRef& at = endpoint.ref;
        places_.emplace_back(new Place{at, {at.host, at.name, own, http_}});
    }
}

/// Is there another place to ask after `error` came from place `at`? Says so in the log.
bool RegistrySource::goes_on(std::size_t at, const Error& error) const {
    if (error.code() == ErrorCode::Cancelled || at + 1 == places_.size()) return false;
    log::warn(std::string("a mirror failed: ") + error.what() + " mirror=" +
              place_name(places_[at]->ref) + " next=" + place_name(places_[at + 1]->ref));
    return true;
}

Document RegistrySource::fetch_top(Place& place, const std::stop_token& stop) {
    const ImageRef& ref = place.ref;
    const std::string which = ref.digest ? to_oci(*ref.digest) : ref.tag;
    DocumentDownload download(fetched_);
    place.client.get("manifests/" + which, manifest_headers(), download, stop);
    Bytes bytes = download.take();
    refuse_web_page(download.response(), bytes);
    const Digest digest = checked_digest(ref, download.response(), bytes);
    return {digest, std::move(bytes), download.response().content_type};
}

Bytes RegistrySource::fetch_manifest(Place& place,
                                     const Descriptor& descriptor,
                                     const std::stop_token& stop) {
    check_document_size(descriptor);
    MemorySink sink(kMaxDocumentBytes);
    BlobDownload download(descriptor, sink, fetched_);
    place.client.get("manifests/" + to_oci(descriptor.digest), manifest_headers(), download, stop);
    download.finish();
    return sink.take();
}

Bytes RegistrySource::fetch_config(Place& place,
                                   const Descriptor& descriptor,
                                   const std::stop_token& stop) {
    check_document_size(descriptor);
    MemorySink sink(kMaxDocumentBytes);
    BlobDownload download(descriptor, sink, fetched_);
    place.client.get("blobs/" + to_oci(descriptor.digest), {}, download, stop);
    download.finish();
    return sink.take();
}

Resolved RegistrySource::resolve_at(Place& place,
                                    const Platform& platform,
                                    const std::stop_token& stop) {
    Resolved out = resolve_document(
        fetch_top(place, stop),
        platform,
        {[&](const Descriptor& wanted) { return fetch_manifest(place, wanted, stop); },
         [&](const Descriptor& wanted) { return fetch_config(place, wanted, stop); }});
    out.reference = reference_;
    return out;
}

Resolved RegistrySource::resolve(const Platform& platform, const std::stop_token& stop) {
    return with_context(reference_, [&] {
        for (std::size_t at = 0;; ++at) {
            try {
                Resolved out = resolve_at(*places_[at], platform, stop);
                current_ = at;
                return out;
            } catch (const Error& e) {
                if (!goes_on(at, e)) throw;
            }
        }
    });
}

void RegistrySource::fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) {
    BlobDownload download(blob, sink, fetched_);
    for (std::size_t at = current_;; ++at) {
        try {
            places_[at]->client.get("blobs/" + to_oci(blob.digest), {}, download, stop);
            break;
        } catch (const Error& e) {
            const bool elsewhere = e.code() == ErrorCode::Network ||
                                   e.code() == ErrorCode::NotFound ||
                                   e.code() == ErrorCode::AuthRequired;
            if (!elsewhere || !goes_on(at, e)) throw;
            std::size_t same = at;
            if (e.code() == ErrorCode::Network) current_.compare_exchange_strong(same, at + 1);
        }
    }
    download.finish();
}

}  // namespace cfs::net
