// SPDX-License-Identifier: Apache-2.0
/// \file loader_choice ESP: what this project predicts that systemd-boot starts from a directory
/// that stands for an ESP; one line for loaders up to 256 and one for later ones.
#include "base/error.hpp"
#include "boot/uki_esp.hpp"
#include "update/machine.hpp"

#include <iostream>
#include <string>

namespace {

std::string choice(const std::string& path, cfs::boot::EntryIds ids) {
    return cfs::boot::UkiEsp::open_path(path, cfs::update::describe_uki)->predict_by_order(ids);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        for (const auto ids :
             {cfs::boot::EntryIds::WithCounter, cfs::boot::EntryIds::WithoutCounter})
            std::cout << choice(argv[1], ids) << '\n';
    } catch (const cfs::Error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return 0;
}
