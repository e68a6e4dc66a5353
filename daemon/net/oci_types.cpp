// SPDX-License-Identifier: Apache-2.0
#include "net/oci_types.hpp"

#include "base/error.hpp"
#include "net/json_reader.hpp"

#include <boost/json/array.hpp>

namespace cfs::net {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTypeLength = 255;

std::string media_type_of(const json::object& object, std::string_view path) {
    std::string type = string_or_empty(object, "mediaType", path);
    if (type.size() > kMaxTypeLength) bad_field(std::string(path) + ".mediaType", "too long");
    return type;
}

Platform read_platform(const json::object& object, std::string_view path) {
    Platform platform;
    platform.os = string_or_empty(object, "os", path);
    platform.architecture = string_or_empty(object, "architecture", path);
    platform.variant = string_or_empty(object, "variant", path);
    return platform;
}

Descriptor read_descriptor(const json::value& value, const std::string& path) {
    const json::object& object = as_object(value, path);
    Descriptor out;
    out.media_type = media_type_of(object, path);
    if (out.media_type.empty()) bad_field(path + ".mediaType", "missing");
    out.digest = as_digest(required(object, "digest", path), path + ".digest");
    out.size = as_size(required(object, "size", path), path + ".size");
    out.annotations = string_map(object, "annotations", path);
    out.artifact_type = string_or_empty(object, "artifactType", path);
    if (const json::value* platform = optional_field(object, "platform")) {
        out.platform = read_platform(as_object(*platform, path + ".platform"), path + ".platform");
    }
    return out;
}

std::vector<Descriptor> read_descriptors(const json::object& object,
                                         const std::string& key,
                                         std::size_t limit) {
    std::vector<Descriptor> out;
    for (const json::value& value : as_array(required(object, key, ""), key, limit)) {
        out.push_back(read_descriptor(value, key + "[" + std::to_string(out.size()) + "]"));
    }
    return out;
}

void check_schema_version(const json::object& object) {
    const std::uint64_t version = as_size(required(object, "schemaVersion", ""), "schemaVersion");
    if (version != 2) bad_field("schemaVersion", "expected 2, found " + std::to_string(version));
}

std::optional<DocumentKind> kind_of_type(std::string_view type) {
    if (type == kOciIndex || type == kDockerIndex) return DocumentKind::Index;
    if (type == kOciManifest || type == kDockerManifest) return DocumentKind::Manifest;
    return std::nullopt;
}

/// Types that say nothing: what plain file servers and misconfigured registries announce.
bool is_generic(std::string_view type) {
    return type.empty() || type == "application/json" || type == "application/octet-stream" ||
           type == "text/plain";
}

std::optional<DocumentKind> known_kind(std::string_view type, std::string_view who) {
    const auto kind = kind_of_type(type);
    if (kind || is_generic(type)) return kind;
    const bool schema1 = type.find("distribution.manifest.v1") != std::string_view::npos;
    throw Error(ErrorCode::Unsupported,
                std::string(who) + " media type '" + printable(type) + "'" +
                    (schema1 ? " is Docker's schema 1, which names no config;" : ":") +
                    " expected an OCI or Docker (schema 2) image manifest or index",
                "check that the reference names a container image; convert old ones with skopeo "
                "copy --format oci");
}

}  // namespace

DocumentKind document_kind(ByteView document, std::string_view announced_type) {
    const json::object object = parse_object(document, "manifest");
    const auto announced = known_kind(announced_type, "announced");
    const auto stated = known_kind(media_type_of(object, ""), "the document's");
    const bool has_manifests = optional_field(object, "manifests") != nullptr;
    const bool has_layers = optional_field(object, "layers") != nullptr;
    if (has_manifests == has_layers) {
        bad_field("manifests", "exactly one of 'manifests' and 'layers' must be there");
    }
    const DocumentKind kind = has_manifests ? DocumentKind::Index : DocumentKind::Manifest;
    if ((announced && *announced != kind) || (stated && *stated != kind)) {
        bad_field("mediaType",
                  std::string("the document is an ") +
                      (has_manifests ? "index" : "image manifest") +
                      ", but its media type says otherwise");
    }
    return kind;
}

Index parse_index(ByteView document) {
    const json::object object = parse_object(document, "image index");
    check_schema_version(object);
    if (optional_field(object, "layers") != nullptr) bad_field("layers", "an index has none");
    Index out;
    out.media_type = media_type_of(object, "");
    out.manifests = read_descriptors(object, "manifests", kMaxIndexEntries);
    out.annotations = string_map(object, "annotations", "");
    return out;
}

Manifest parse_manifest(ByteView document) {
    const json::object object = parse_object(document, "image manifest");
    check_schema_version(object);
    if (optional_field(object, "manifests") != nullptr) {
        bad_field("manifests", "an image manifest has none");
    }
    Manifest out;
    out.media_type = media_type_of(object, "");
    out.artifact_type = string_or_empty(object, "artifactType", "");
    out.config = read_descriptor(required(object, "config", ""), "config");
    if (const json::value* subject = optional_field(object, "subject")) {
        out.subject = read_descriptor(*subject, "subject");
    }
    out.layers = read_descriptors(object, "layers", kMaxLayers);
    out.annotations = string_map(object, "annotations", "");
    return out;
}

ImageConfig parse_config(ByteView document) {
    const json::object object = parse_object(document, "image config");
    ImageConfig out;
    const Platform platform = read_platform(object, "");
    out.os = platform.os;
    out.architecture = platform.architecture;
    out.variant = platform.variant;
    out.created = string_or_empty(object, "created", "");
    const json::object& rootfs = as_object(required(object, "rootfs", ""), "rootfs");
    const std::string type = string_or_empty(rootfs, "type", "rootfs");
    if (type != "layers") {
        bad_field("rootfs.type", "expected 'layers', found '" + printable(type) + "'");
    }
    const std::string path = "rootfs.diff_ids";
    for (const json::value& id :
         as_array(required(rootfs, "diff_ids", "rootfs"), path, kMaxLayers)) {
        out.diff_ids.push_back(
            as_digest(id, path + "[" + std::to_string(out.diff_ids.size()) + "]"));
    }
    if (const json::value* config = optional_field(object, "config")) {
        out.labels = string_map(as_object(*config, "config"), "Labels", "config");
    }
    return out;
}

void check_layout_version(ByteView document) {
    const json::object object = parse_object(document, "file oci-layout");
    const std::string version = string_or_empty(object, "imageLayoutVersion", "");
    if (!version.starts_with("1.")) {
        throw Error(ErrorCode::Unsupported,
                    "OCI layout version '" + printable(version) + "'; expected 1.0.0",
                    "make the layout with a current tool, for example skopeo copy");
    }
}

std::string describe_error_body(ByteView body) {
    const std::string fallback = "'" + printable(as_text(body), 100) + "'";
    try {
        const json::object object = parse_object(body, "answer");
        const json::array& errors = as_array(required(object, "errors", ""), "errors", 100);
        if (errors.empty()) return fallback;
        const json::object& first = as_object(errors.front(), "errors[0]");
        return printable(string_or_empty(first, "code", ""), 60) + " " +
               printable(string_or_empty(first, "message", ""), 200);
    } catch (const Error&) {
        return fallback;
    }
}

}  // namespace cfs::net
