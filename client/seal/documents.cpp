// SPDX-License-Identifier: Apache-2.0
#include "client/seal/documents.hpp"

#include "base/error.hpp"
#include "client/seal/ustar.hpp"
#include "crypto/hasher.hpp"
#include "update/offline.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>

namespace cfs::client {
namespace {

namespace json = boost::json;

constexpr std::size_t kTarOverhead = std::size_t{1} << 20;

json::object parse(ByteView document, const char* what) {
    boost::system::error_code error;
    const json::value value =
        json::parse(json::string_view(as_text(document).data(), document.size()), error);
    if (!error && value.is_object()) return value.get_object();
    throw Error(ErrorCode::BadFormat,
                std::string(what) + " is not a JSON object" + (error ? ": " + error.message() : ""),
                "write the image again");
}

Bytes to_document(const json::object& object) {
    const std::string text = json::serialize(object);
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

json::object& member_object(json::object& parent, const char* key, const char* what) {
    json::value& value = parent[key];
    if (value.is_object()) return value.get_object();
    throw Error(ErrorCode::BadFormat,
                std::string(what) + ": '" + key + "' is not an object",
                "write the image again");
}

json::array& member_array(json::object& parent, const char* key, const char* what) {
    json::value& value = parent[key];
    if (value.is_array()) return value.get_array();
    throw Error(ErrorCode::BadFormat,
                std::string(what) + ": '" + key + "' is not an array",
                "write the image again");
}

json::object descriptor_json(const net::Descriptor& descriptor) {
    json::object out = {
        {"mediaType", descriptor.media_type},
        {"digest", to_oci(descriptor.digest)},
        {"size", descriptor.size},
    };
    if (descriptor.platform) {
        out["platform"] = json::object{
            {"architecture", descriptor.platform->architecture},
            {"os", descriptor.platform->os},
        };
    }
    if (descriptor.annotations.empty()) return out;
    json::object annotations;
    for (const auto& [key, value] : descriptor.annotations)
        annotations[key] = value;
    out["annotations"] = std::move(annotations);
    return out;
}

/// Value of a text annotation; empty when missing.
std::string annotation(const json::value& descriptor, json::string_view key) {
    const json::object* object = descriptor.if_object();
    const json::value* annotations =
        object == nullptr ? nullptr : object->if_contains("annotations");
    if (annotations == nullptr || !annotations->is_object()) return {};
    const json::value* value = annotations->get_object().if_contains(key);
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->get_string());
}

void refuse_sealed(const json::array& layers) {
    for (const json::value& layer : layers) {
        if (annotation(layer, update::kLayerAnnotation) != update::kLayerAnnotationUki) continue;
        throw Error(ErrorCode::InvalidArgs,
                    "the image is sealed already: one of its layers is annotated as the UKI's",
                    "seal the image that it was made from");
    }
}

void require_oci(const json::object& manifest) {
    const json::value* type = manifest.if_contains("mediaType");
    if (type == nullptr || !type->is_string() || type->get_string() == net::kOciManifest) return;
    throw Error(ErrorCode::Unsupported,
                "the manifest is of type '" + printable(std::string(type->get_string())) +
                    "', expected '" + std::string(net::kOciManifest) + "'",
                "convert the image: 'skopeo copy --format oci'");
}

void annotate(json::value& descriptor, const char* key, const std::string& value) {
    json::object& object = descriptor.as_object();
    json::value& annotations = object["annotations"];
    if (!annotations.is_object()) annotations = json::object();
    annotations.get_object()[key] = value;
}

}  // namespace

Bytes uki_layer(const std::string& name, ByteView uki) {
    MemorySink sink(uki.size() + kTarOverhead);
    UstarWriter tar(sink);
    tar.directory("boot/EFI/");
    tar.directory("boot/EFI/Linux/");
    tar.file("boot/EFI/Linux/" + name, uki);
    tar.finish();
    return sink.take();
}

Bytes config_with_layer(ByteView config, const Digest& diff_id) {
    json::object out = parse(config, "the image's config");
    json::object& rootfs = member_object(out, "rootfs", "the image's config");
    member_array(rootfs, "diff_ids", "the image's config").emplace_back(to_oci(diff_id));
    // Readers compare the number of history entries with the number of layers, so an image without
    // a history gets none.
    json::value* history = out.if_contains("history");
    if (history != nullptr && history->is_array() && !history->get_array().empty()) {
        json::object entry = {{"created_by", "cfsctl image seal"}};
        if (const json::value* created = out.if_contains("created")) entry["created"] = *created;
        history->get_array().push_back(std::move(entry));
    }
    return to_document(out);
}

net::Descriptor describe_blob(std::string_view media_type, ByteView content) {
    net::Descriptor out;
    out.media_type = media_type;
    out.digest = hash(HashAlgorithm::Sha256, content);
    out.size = content.size();
    return out;
}

Bytes manifest_with_layer(ByteView manifest,
                          const net::Descriptor& config,
                          const net::Descriptor& layer,
                          const std::vector<std::uint64_t>& unpacked) {
    json::object out = parse(manifest, "the image's manifest");
    require_oci(out);
    json::array& layers = member_array(out, "layers", "the image's manifest");
    refuse_sealed(layers);
    for (std::size_t i = 0; i < std::min(layers.size(), unpacked.size()); ++i)
        annotate(layers[i], update::kUnpackedAnnotation, std::to_string(unpacked[i]));
    net::Descriptor annotated = layer;
    annotated.annotations[update::kLayerAnnotation] = update::kLayerAnnotationUki;
    layers.push_back(descriptor_json(annotated));
    json::object& old_config = member_object(out, "config", "the image's manifest");
    const json::object new_config = descriptor_json(config);
    old_config["digest"] = new_config.at("digest");
    old_config["size"] = new_config.at("size");
    return to_document(out);
}

Bytes index_with_manifest(const std::optional<Bytes>& old_index,
                          const net::Descriptor& manifest,
                          const std::string& tag) {
    json::object out = old_index ? parse(*old_index, "index.json")
                                 : json::object{{"schemaVersion", 2},
                                                {"mediaType", net::kOciIndex},
                                                {"manifests", json::array{}}};
    json::array& entries = member_array(out, "manifests", "index.json");
    json::array kept;
    for (json::value& entry : entries) {
        if (annotation(entry, net::kRefNameAnnotation) != tag) kept.push_back(std::move(entry));
    }
    net::Descriptor tagged = manifest;
    tagged.annotations[std::string(net::kRefNameAnnotation)] = tag;
    kept.push_back(descriptor_json(tagged));
    entries = std::move(kept);
    return to_document(out);
}

std::string uki_file_name(const uki::OsRelease& os_release) {
    std::string name = os_release.sort_key().empty() ? "linux" : os_release.sort_key();
    if (!os_release.version().empty()) name += "_" + os_release.version();
    const auto safe = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '~' || c == '-';
        return plain ? static_cast<char>(std::tolower(byte)) : '-';
    };
    std::transform(name.begin(), name.end(), name.begin(), safe);
    return name.substr(0, 64) + ".efi";
}

}  // namespace cfs::client
