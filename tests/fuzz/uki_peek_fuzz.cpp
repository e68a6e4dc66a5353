// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "uki/peek.hpp"

#include <sys/mman.h>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const cfs::UniqueFd file(::memfd_create("uki", MFD_CLOEXEC));
    cfs::write_all(file.get(), {data, size});
    try {
        (void)cfs::uki::peek_os_release(file.get());
    } catch (const cfs::Error&) {
    }
    return 0;
}
