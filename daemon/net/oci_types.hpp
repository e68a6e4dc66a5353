// SPDX-License-Identifier: Apache-2.0
/// \file OCI image documents as values, and their strict parsers.
///
/// Format: OCI image-spec 1.1 (index, manifest, config) and Docker's image manifest v2 schema 2.
/// Parsers take hostile bytes, never need privilege, and throw BadFormat with the field's name.
/// A parsed document is a view for us only: whoever stores or hashes one keeps the exact bytes.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::net {

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxLayers = 512;
inline constexpr std::size_t kMaxIndexEntries = 1024;
/// The largest size a JSON number carries exactly everywhere.
inline constexpr std::uint64_t kMaxBlobBytes = std::uint64_t{1} << 53;

inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

/// Annotation of index.json entries that holds the tag.
inline constexpr std::string_view kRefNameAnnotation = "org.opencontainers.image.ref.name";

using Annotations = std::map<std::string, std::string>;

/// Go's names: "linux", "amd64", "v8".
struct Platform {
    std::string os;
    std::string architecture;
    std::string variant;  ///< may be empty

    bool operator==(const Platform&) const = default;
};

/// "linux/arm64/v8"; empty parts show as "?".
[[nodiscard]] std::string to_string(const Platform& platform);

/// The running machine's.
[[nodiscard]] Platform host_platform();

struct Descriptor {
    std::string media_type;
    Digest digest;
    std::uint64_t size = 0;  ///< bytes, at most kMaxBlobBytes
    Annotations annotations;
    std::optional<Platform> platform;
    std::string artifact_type;  ///< may be empty
};

struct Index {
    std::string media_type;  ///< may be empty: the field is optional in OCI
    std::vector<Descriptor> manifests;
    Annotations annotations;
};

struct Manifest {
    std::string media_type;     ///< may be empty
    std::string artifact_type;  ///< may be empty
    Descriptor config;
    std::optional<Descriptor> subject;  ///< the manifest that this one belongs to
    std::vector<Descriptor> layers;     ///< lowest first
    Annotations annotations;
};

struct ImageConfig {
    std::string os;
    std::string architecture;
    std::string variant;
    std::vector<Digest> diff_ids;  ///< of the uncompressed layers, lowest first
    Annotations labels;            ///< config.Labels
    std::string created;           ///< RFC 3339 as written; may be empty
};

enum class DocumentKind { Index, Manifest };

/// Which of the two a document is. The document's own `mediaType`, the type it was announced as
/// (HTTP Content-Type or descriptor; may be empty or generic) and its members must agree, so that
/// no two readers see different images. Unsupported for Docker schema 1 and other types, BadFormat
/// for something that is not a JSON object at all (HTML is named as such).
[[nodiscard]] DocumentKind document_kind(ByteView document, std::string_view announced_type);

[[nodiscard]] Index parse_index(ByteView document);
[[nodiscard]] Manifest parse_manifest(ByteView document);
[[nodiscard]] ImageConfig parse_config(ByteView document);

/// Content of the file `oci-layout`: throws unless it says version 1.x.
void check_layout_version(ByteView document);

/// A registry's answer to a failed request ({"errors":[{code,message}]}) as one line for people;
/// printable start of the body when it is something else. Never throws for odd input.
[[nodiscard]] std::string describe_error_body(ByteView body);

}  // namespace cfs::net
