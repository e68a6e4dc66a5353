// SPDX-License-Identifier: Apache-2.0
// Unpacks the input as an oci-archive into a fresh directory, which must then hold nothing but what
// a layout has.
#include "archive/outer_archive.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

using namespace cfs;

std::string make_directory() {
    std::string path = "/tmp/cfs-fuzz-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const UniqueFd input(::memfd_create("archive", MFD_CLOEXEC));
    write_all(input.get(), {data, size});
    if (::lseek(input.get(), 0, SEEK_SET) != 0) std::abort();
    const std::string path = make_directory();
    const UniqueFd dir = open_root(path);
    try {
        const archive::OuterArchiveLimits limits{50, 100'000};
        const auto report = archive::unpack_oci_archive(input.get(), dir.get(), limits, {});
        if (report.bytes > limits.max_bytes) std::abort();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
    }
    for (const std::string& name : list_dir(dir.get())) {
        if (name != "blobs" && name != "index.json" && name != "oci-layout") std::abort();
        remove_tree_at(dir.get(), name);
    }
    if (::rmdir(path.c_str()) != 0) std::abort();
    return 0;
}
