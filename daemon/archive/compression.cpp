// SPDX-License-Identifier: Apache-2.0
#include "archive/decompress.hpp"
#include "base/error.hpp"

#include <array>

namespace cfs::archive {
namespace {

struct LayerType {
    std::string_view name;
    Compression compression;
};

// OCI image-spec 1.1 layer.md, and Docker image manifest v2 schema 2. The last is what Docker-typed
// images with zstd layers carry in practice.
constexpr std::array<LayerType, 6> kLayerTypes = {{
    {"application/vnd.oci.image.layer.v1.tar", Compression::None},
    {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::Gzip},
    {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::Zstd},
    {"application/vnd.docker.image.rootfs.diff.tar", Compression::None},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::Gzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::Zstd},
}};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string_view to_string(Compression compression) {
    switch (compression) {
        case Compression::None:
            return "none";
        case Compression::Gzip:
            return "gzip";
        case Compression::Zstd:
            return "zstd";
    }
    return "none";
}

Compression compression_from_media_type(std::string_view media_type) {
    for (const LayerType& type : kLayerTypes) {
        if (type.name == media_type) return type.compression;
    }
    const std::string shown = "layer type '" + printable(media_type) + "'";
    if (contains(media_type, "+encrypted")) {
        throw Error(ErrorCode::Unsupported,
                    shown + " is encrypted; encrypted layers cannot be read",
                    "publish the image without layer encryption");
    }
    if (contains(media_type, "nondistributable") || contains(media_type, ".foreign.")) {
        throw Error(ErrorCode::Unsupported,
                    shown + " is a foreign layer, which registries do not hold",
                    "build the image from layers that can be distributed");
    }
    throw Error(ErrorCode::Unsupported,
                shown + " is unknown; expected an OCI or Docker tar layer, plain, gzip or zstd",
                "check that the reference names a bootable image and not another artifact");
}

std::optional<Compression> sniff_compression(ByteView start) {
    if (start.size() >= 2 && start[0] == 0x1f && start[1] == 0x8b) return Compression::Gzip;
    if (start.size() >= 4 && load_le<std::uint32_t>(start, 0) == 0xfd2fb528U) {
        return Compression::Zstd;
    }
    return std::nullopt;
}

}  // namespace cfs::archive
