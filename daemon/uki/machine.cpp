// SPDX-License-Identifier: Apache-2.0
#include "uki/machine.hpp"

#include "base/bytes.hpp"

#include <array>

namespace cfs::uki {
namespace {

struct Machine {
    std::uint16_t number;
    std::string_view oci;
    bool wide;
};

// PE/COFF "Machine Types"; OCI words are Go's GOARCH.
constexpr std::array<Machine, 6> kMachines = {{
    {0x8664, "amd64", true},
    {0xaa64, "arm64", true},
    {0x014c, "386", false},
    {0x01c2, "arm", false},
    {0x5064, "riscv64", true},
    {0x6264, "loong64", true},
}};

}  // namespace

std::optional<std::string_view> oci_architecture(std::uint16_t machine) {
    for (const Machine& known : kMachines) {
        if (known.number == machine) return known.oci;
    }
    return std::nullopt;
}

std::optional<std::uint16_t> pe_machine(std::string_view oci_architecture) {
    for (const Machine& known : kMachines) {
        if (known.oci == oci_architecture) return known.number;
    }
    return std::nullopt;
}

std::optional<bool> is_64bit(std::uint16_t machine) {
    for (const Machine& known : kMachines) {
        if (known.number == machine) return known.wide;
    }
    return std::nullopt;
}

std::string describe_machine(std::uint16_t machine) {
    const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(machine >> 8),
                                               static_cast<std::uint8_t>(machine & 0xff)};
    return "EFI machine 0x" + to_hex(bytes) + " (" +
           std::string(oci_architecture(machine).value_or("unknown")) + ")";
}

}  // namespace cfs::uki
