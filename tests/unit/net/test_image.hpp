// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/hasher.hpp"
#include "net/oci_types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::test {

inline std::string oci_digest(std::string_view bytes) {
    return to_oci(hash(HashAlgorithm::Sha256, as_bytes(bytes)));
}

/// {"mediaType":...,"digest":...,"size":...} and `more` members.
inline std::string descriptor_json(std::string_view type,
                                   std::string_view content,
                                   const std::string& more = "") {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + oci_digest(content) +
           R"(","size":)" + std::to_string(content.size()) + more + "}";
}

inline net::Descriptor descriptor_of(std::string_view content) {
    net::Descriptor out;
    out.media_type = "application/octet-stream";
    out.digest = hash(HashAlgorithm::Sha256, as_bytes(content));
    out.size = content.size();
    return out;
}

/// An image's documents, its layers' bytes standing in for tars.
struct TestImage {
    std::vector<std::string> layers{"layer one", "layer two"};
    std::string architecture = "amd64";
    std::string config_type{net::kOciConfig};

    [[nodiscard]] std::string config() const {
        std::string ids;
        for (const std::string& layer : layers) {
            ids += (ids.empty() ? "\"" : ",\"") + oci_digest(layer) + "\"";
        }
        return R"({"os":"linux","architecture":")" + architecture +
               R"(","rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
    }

    [[nodiscard]] std::string manifest() const {
        std::string list;
        for (const std::string& layer : layers) {
            list += (list.empty() ? "" : ",") +
                    descriptor_json("application/vnd.oci.image.layer.v1.tar", layer);
        }
        return R"({"schemaVersion":2,"mediaType":")" + std::string(net::kOciManifest) +
               R"(","config":)" + descriptor_json(config_type, config()) + R"(,"layers":[)" + list +
               "]}";
    }
};

inline std::string platform_json(const std::string& architecture, const std::string& variant = "") {
    return R"(,"platform":{"os":"linux","architecture":")" + architecture + '"' +
           (variant.empty() ? "" : R"(,"variant":")" + variant + '"') + "}";
}

inline std::string tag_json(const std::string& tag) {
    return R"(,"annotations":{"org.opencontainers.image.ref.name":")" + tag + R"("})";
}

inline std::string index_json(const std::vector<std::string>& entries) {
    std::string list;
    for (const std::string& entry : entries)
        list += (list.empty() ? "" : ",") + entry;
    return R"({"schemaVersion":2,"manifests":[)" + list + "]}";
}

inline const net::Platform kAmd64{"linux", "amd64", ""};

}  // namespace cfs::test
