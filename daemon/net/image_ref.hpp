// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cfs::net {

enum class Transport { OciLayout, OciArchive, Registry };

/// A parsed image reference; a value.
///
///     oci:DIR[:TAG]                           directory in OCI image layout
///     oci-archive:FILE[:TAG]                  the same, packed into a tar (gzip, zstd or plain)
///     docker://HOST[:PORT]/NAME[:TAG][@DIGEST]   registry; TAG is "latest" if neither is given
struct ImageRef {
    Transport transport = Transport::OciLayout;
    std::string path;              ///< OciLayout, OciArchive: as written
    std::string host;              ///< Registry: "HOST[:PORT]", lower case, IPv6 in brackets
    std::string name;              ///< Registry: repository
    std::string tag;               ///< empty: none given (never both none for Registry)
    std::optional<Digest> digest;  ///< Registry: pins the manifest or index, wins over the tag

    bool operator==(const ImageRef&) const = default;
};

/// Throws InvalidArgs with an example of the right form. In `oci:` and `oci-archive:` the text
/// after the last colon is a tag unless it contains a slash, so directories may contain colons.
[[nodiscard]] ImageRef parse_image_ref(std::string_view text);

/// Canonical text: parse_image_ref(to_string(r)) == r.
[[nodiscard]] std::string to_string(const ImageRef& ref);

}  // namespace cfs::net
