// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/oci_types.hpp"

#include <vector>

namespace cfs::net {

/// The entry of an index for `wanted`: the first whose platform is equal (a left-out variant means
/// v8 on arm64, v7 on arm, v1 on amd64), else the only manifest there is if it names no platform.
/// Entries of other media types are passed over. NotOurs, naming what is there, if none fits.
[[nodiscard]] const Descriptor& select_platform(const std::vector<Descriptor>& entries,
                                                const Platform& wanted);

}  // namespace cfs::net
