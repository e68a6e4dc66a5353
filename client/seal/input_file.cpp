// SPDX-License-Identifier: Apache-2.0
#include "client/seal/input_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>

namespace cfs::client {

Bytes read_input(const std::string& path, std::size_t limit) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("opening '" + path + "'");
    return with_context("reading '" + path + "'", [&] { return read_whole(fd.get(), limit); });
}

}  // namespace cfs::client
