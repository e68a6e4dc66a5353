// SPDX-License-Identifier: Apache-2.0
#include "peer_repo.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>

namespace cfs::test {

PeerRepo::PeerRepo(HashAlgorithm algorithm)
    : algorithm_(to_string(algorithm)), path_(dir_ / algorithm_) {
    const std::string command =
        "tar -C '" + dir_.path() + "' -xzf '" CFS_TEST_DATA "/repo/" + algorithm_ + ".tar.gz'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

std::unique_ptr<store::Repository> PeerRepo::open() const {
    return store::Repository::open(path_, store::VerityPolicy::Try);
}

std::vector<std::pair<std::string, std::string>> PeerRepo::ids() const {
    std::vector<std::pair<std::string, std::string>> out;
    std::ifstream in(CFS_TEST_DATA "/repo/" + algorithm_ + ".ids");
    for (std::string line; std::getline(in, line);) {
        const auto space = line.rfind(' ');
        out.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return out;
}

Digest PeerRepo::id(const std::string& what) const {
    for (const auto& [name, hex] : ids()) {
        if (name == what) return Digest::from_hex(hex).value();
    }
    throw std::runtime_error("no id " + what);
}

std::vector<Digest> scan_image(ByteView erofs) {
    std::set<Digest> out;
    const std::string_view text = as_text(erofs);
    for (std::size_t at = text.find('/'); at != std::string_view::npos;
         at = text.find('/', at + 1)) {
        if (at + 4 > text.size() || text[at + 3] != '/') continue;
        for (const std::size_t rest : {std::size_t{126}, std::size_t{62}}) {
            const std::string hex =
                std::string(text.substr(at + 1, 2)) + std::string(text.substr(at + 4, rest));
            if (const auto digest = Digest::from_hex(hex)) {
                out.insert(*digest);
                break;
            }
        }
    }
    return {out.begin(), out.end()};
}

}  // namespace cfs::test
