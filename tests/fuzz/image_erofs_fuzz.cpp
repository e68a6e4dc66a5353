// SPDX-License-Identifier: Apache-2.0
// Image -> tree. What can be written again must then be a fixed point: written, read and written.
#include "base/error.hpp"
#include "image/dump.hpp"
#include "image/erofs_reader.hpp"

#include <cstdlib>

namespace {

using namespace cfs;
using namespace cfs::image;

Bytes write_again(const FileTree& tree, ErofsVersion version) {
    try {
        return write_erofs(tree, version, HashAlgorithm::Sha256);
    } catch (const Error&) {
        return {};  // the tree holds what this version or algorithm cannot
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView image(data, size);
    try {
        (void)erofs_objects(image);
        const FileTree tree = read_erofs(image);
        const ErofsVersion version = erofs_version(image);
        if (!diff_trees(tree, tree.copy(), 4).empty()) std::abort();
        const Bytes once = write_again(tree, version);
        if (once.empty()) return 0;
        if (write_again(read_erofs(once), version) != once) std::abort();
    } catch (const Error&) {
    }
    return 0;
}
