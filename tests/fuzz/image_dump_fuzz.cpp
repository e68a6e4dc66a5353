// SPDX-License-Identifier: Apache-2.0
// Dump -> tree -> dump -> tree: both trees must be equal.
#include "base/error.hpp"
#include "image/dump.hpp"
#include "image/dump_reader.hpp"

#include <cstdlib>

namespace {

using namespace cfs;
using namespace cfs::image;

FileTree read(ByteView text) {
    return read_dump(text, DumpDialect::Rust, HashAlgorithm::Sha256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FileTree tree;
    try {
        tree = read({data, size});
    } catch (const Error&) {
        return 0;
    }
    MemorySink text(std::size_t{64} << 20);
    write_dump(tree, text);
    if (!diff_trees(tree, read(text.bytes()), 4).empty()) std::abort();
    return 0;
}
