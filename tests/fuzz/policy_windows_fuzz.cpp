// SPDX-License-Identifier: Apache-2.0
// The first line as a window, the second as a moment: what is accepted is printed to something that
// is accepted again and means the same, and opens within nine days of any moment.
#include "policy/calendar.hpp"
#include "policy/rollout.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs;
    const std::string text(data, data + size);
    const std::size_t line = text.find('\n');
    const auto window = settings::parse_window(text.substr(0, line));
    const auto moment =
        policy::parse_moment(line == text.npos ? "" : std::string_view(text).substr(line + 1));
    if (!window) return 0;
    require(window->days != 0 && window->days < 0x80);
    require(window->begin >= 0 && window->begin < settings::kMinutesOfDay);
    require(window->end >= 0 && window->end <= settings::kMinutesOfDay);
    require(window->begin != window->end);
    require(settings::parse_window(settings::format_window(*window)) == window);
    const policy::Time now = moment.value_or(policy::Time{});
    const bool always =
        window->days == 0x7f && window->end - window->begin == settings::kMinutesOfDay;
    const auto next = policy::next_change({*window}, now);
    require(next.has_value() != always);
    require(always || policy::is_open({*window}, *next) != policy::is_open({*window}, now));
    return 0;
}
