// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "net/image_source.hpp"
#include "net/layout_source.hpp"
#include "net/registry_source.hpp"

#include <unistd.h>

#include <cerrno>

namespace cfs::net {
namespace {

UniqueFd open_directory(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
        throw Error(ErrorCode::NotFound,
                    "there is no directory '" + printable(path, 300) + "'",
                    "name a directory in OCI image layout: oci:DIR:TAG");
    }
    return open_root(path);
}

}  // namespace

std::unique_ptr<ImageSource> open_layout(UniqueFd dir,
                                         const std::string& tag,
                                         const std::string& reference) {
    return std::make_unique<LayoutSource>(std::move(dir), tag, reference);
}

std::unique_ptr<ImageSource> open_source(const ImageRef& ref, const NetOptions& options) {
    switch (ref.transport) {
        case Transport::OciLayout:
            return open_layout(open_directory(ref.path), ref.tag, to_string(ref));
        case Transport::Registry:
            return std::make_unique<RegistrySource>(ref, options);
        case Transport::OciArchive:
            break;
    }
    throw Error(ErrorCode::Unsupported,
                "'" + printable(to_string(ref), 300) + "' must be unpacked first");
}

}  // namespace cfs::net
