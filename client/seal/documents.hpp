// SPDX-License-Identifier: Apache-2.0
/// \file The OCI documents and the layer of a sealed image, made from those of the image without a
/// UKI. Pure; same input, same bytes. What this client does not know in a document stays in it.
#pragma once

#include "base/bytes.hpp"
#include "net/oci_types.hpp"
#include "uki/os_release.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cfs::client {

inline constexpr std::string_view kPlainLayer = "application/vnd.oci.image.layer.v1.tar";

/// A tar with boot/EFI/, boot/EFI/Linux/ and boot/EFI/Linux/`name`. No entry for boot/ itself: that
/// would replace the metadata of the image's own /boot, which is part of the digest.
[[nodiscard]] Bytes uki_layer(const std::string& name, ByteView uki);

/// The config with one more diff_id, and one more history entry if the image has a history.
[[nodiscard]] Bytes config_with_layer(ByteView config, const Digest& diff_id);

/// Descriptor of a blob that is `content`.
[[nodiscard]] net::Descriptor describe_blob(std::string_view media_type, ByteView content);

/// The manifest with `config` instead of its own and one more layer, annotated as the UKI's; the
/// layers before it are annotated with their unpacked sizes, as many as are given.
/// InvalidArgs when it has such a layer already, Unsupported when it is not an OCI manifest.
[[nodiscard]] Bytes manifest_with_layer(ByteView manifest,
                                        const net::Descriptor& config,
                                        const net::Descriptor& layer,
                                        const std::vector<std::uint64_t>& unpacked);

/// An index in which `tag` names `manifest`. Other entries of `old_index` stay.
[[nodiscard]] Bytes index_with_manifest(const std::optional<Bytes>& old_index,
                                        const net::Descriptor& manifest,
                                        const std::string& tag);

/// "<IMAGE_ID or ID>_<version>.efi" in lower case, with what a file name or a boot counter could
/// misread replaced by '-'.
[[nodiscard]] std::string uki_file_name(const uki::OsRelease& os_release);

}  // namespace cfs::client
