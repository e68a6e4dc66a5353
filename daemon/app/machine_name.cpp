// SPDX-License-Identifier: Apache-2.0
#include "app/machine_name.hpp"

#include "base/log.hpp"

#include <systemd/sd-id128.h>

#include <array>

namespace cfs::app {
namespace {

constexpr sd_id128_t kApplication =
    SD_ID128_MAKE(7d, 1c, 42, 9a, 5e, 0b, 4f, 63, 9b, 2d, 81, c6, 30, a4, ee, 57);

}  // namespace

std::string machine_name() {
    sd_id128_t id{};
    if (const int failed = sd_id128_get_machine_app_specific(kApplication, &id); failed < 0) {
        log::warn(
            "this machine has no id (/etc/machine-id): rollouts take it for one that is "
            "called 'unknown'");
        return "unknown";
    }
    std::array<char, SD_ID128_STRING_MAX> text{};
    return sd_id128_to_string(id, text.data());
}

}  // namespace cfs::app
