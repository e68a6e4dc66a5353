// SPDX-License-Identifier: Apache-2.0
#include "unit/image/vectors.hpp"

#include "archive/decompress.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace cfs::image::test {

Bytes read_data(const std::string& name) {
    constexpr std::size_t kLimit = 64 << 20;
    const UniqueFd root = open_root(CFS_TEST_DATA);
    Bytes bytes = read_file_at(root.get(), name, kLimit);
    if (!name.ends_with(".gz")) return bytes;
    MemorySource packed(bytes);
    MemorySink unpacked(kLimit);
    copy_stream(*archive::decompress(packed, archive::Compression::Gzip, kLimit), unpacked);
    return unpacked.take();
}

std::vector<std::vector<std::string>> read_table(const std::string& name) {
    std::istringstream text{std::string(as_text(read_data(name)))};
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(text, line);) {
        std::istringstream fields(line);
        std::vector<std::string> row;
        for (std::string field; std::getline(fields, field, '\t');)
            row.push_back(field);
        if (!row.empty()) rows.push_back(row);
    }
    return rows;
}

HashAlgorithm algorithm_named(std::string_view name) {
    return hash_algorithm_from(name).value();
}

ErofsVersion version_named(std::string_view name) {
    if (name == "V0") return ErofsVersion::V0;
    if (name == "V1") return ErofsVersion::V1;
    if (name == "V2") return ErofsVersion::V2;
    throw Error(ErrorCode::InvalidArgs, "no version '" + std::string(name) + "'");
}

std::string test_name(std::string_view text) {
    std::string name(text);
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

}  // namespace cfs::image::test
