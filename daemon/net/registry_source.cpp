// SPDX-License-Identifier: Apache-2.0
#include "net/registry_source.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "crypto/hasher.hpp"
#include "net/downloads.hpp"
#include "net/referrers.hpp"

#include <algorithm>

namespace cfs::net {
namespace {

std::vector<std::string> manifest_headers() {
    std::string accept = "Accept: ";
    for (const std::string_view type : {kOciIndex, kOciManifest, kDockerIndex, kDockerManifest}) {
        accept += type;
        if (type != kDockerManifest) accept += ", ";
    }
    return {accept};
}

std::vector<std::string> index_headers() {
    return {"Accept: " + std::string(kOciIndex)};
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
      keep_(options.keep),
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
    DocumentDownload download("manifest", fetched_);
    place.client.get("manifests/" + which, manifest_headers(), download, stop);
    Bytes bytes = download.take();
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

std::vector<Descriptor> RegistrySource::referrers_at(Place& place,
                                                     const Digest& subject,
                                                     const std::string& artifact_type,
                                                     const std::stop_token& stop) {
    ReferrersList list(artifact_type);
    const auto get = [&](const std::string& what) {
        DocumentDownload download("list of referrers", fetched_);
        place.client.get(what, index_headers(), download, stop);
        list.add(download.take());
        return download.response().link;
    };
    std::string what = "referrers/" + to_oci(subject);
    try {
        // The whole list and no filter in the query: not every registry that has the list knows it.
        for (std::string link = get(what); !link.empty(); link = get(what)) {
            what = next_page(link, "/v2/" + place.ref.name + "/referrers/" + to_oci(subject));
            if (what.empty()) break;
            what = "referrers/" + to_oci(subject) + what;
        }
        return list.take();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::NotFound) throw;
    }
    try {
        (void)get("manifests/" + referrers_tag(subject));
    } catch (const Error& e) {
        if (e.code() != ErrorCode::NotFound) throw;
    }
    return list.take();
}

std::vector<Descriptor> RegistrySource::referrers(const Digest& subject,
                                                  const std::string& artifact_type,
                                                  const std::stop_token& stop) {
    return with_context("referrers of " + to_oci(subject), [&] {
        for (std::size_t at = current_;; ++at) {
            try {
                return referrers_at(*places_[at], subject, artifact_type, stop);
            } catch (const Error& e) {
                if (!goes_on(at, e)) throw;
            }
        }
    });
}

void RegistrySource::fetch_blob(const Descriptor& blob, Sink& sink, const std::stop_token& stop) {
    BlobDownload download(blob, sink, fetched_, KeptBlob::open(keep_, blob, stop));
    download.replay(stop);
    for (std::size_t at = current_; !download.complete(); ++at) {
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
    try {
        download.finish();
    } catch (const Error&) {
        forget(blob);
        throw;
    }
}

}  // namespace cfs::net
