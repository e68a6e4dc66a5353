// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/details.hpp"

#include "bus/text.hpp"
#include "client/sysupdate/names.hpp"

namespace cfs::sysupdate {

bus::ActionDetails details(const std::string& version, bool offline) {
    bus::ActionDetails out{{"class", kHost}, {"name", kHost}, {"offline", offline ? "1" : "0"}};
    if (!version.empty()) out.emplace("version", bus::bus_line(version, kMaxVersion));
    return out;
}

}  // namespace cfs::sysupdate
