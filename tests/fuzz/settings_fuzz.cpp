// SPDX-License-Identifier: Apache-2.0
// Whatever a configuration file says: settings or an Error; and what was accepted prints to
// something that is accepted again.
#include "base/error.hpp"
#include "settings/load.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs::settings;
    Settings settings;
    std::vector<std::string> warnings;
    try {
        apply_text(std::string(data, data + size), "input", settings, warnings);
    } catch (const cfs::Error&) {
        return 0;
    }
    Settings again;
    const std::string printed = print_config(settings);
    apply_text(printed, "printed", again, warnings);
    if (print_config(again) != printed) std::abort();
    return 0;
}
