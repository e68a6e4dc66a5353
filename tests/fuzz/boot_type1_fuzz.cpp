// SPDX-License-Identifier: Apache-2.0
// First line: a file name; the rest: a type-1 entry, and a loader.conf.
#include "boot/loader_config.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto end = input.find('\n');
    const std::string_view file = input.substr(0, end);
    const std::string_view text =
        end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
    const auto type1 = cfs::boot::parse_type1(file, text);
    if (type1 && type1->program.starts_with('/')) std::abort();
    if (!type1) return 0;
    // A pattern from the medium meets a name from the medium.
    (void)cfs::boot::choose(
        {type1->entry}, cfs::boot::default_pattern(text), cfs::boot::EntryIds::WithoutCounter);
    return 0;
}
