// SPDX-License-Identifier: Apache-2.0
/// \file What this component uses of the bus library, by its short names.
#pragma once

#include "bus/bus_error.hpp"
#include "bus/bus_pump.hpp"
#include "bus/caller_check.hpp"
#include "bus/initiator.hpp"
#include "bus/polkit.hpp"
#include "bus/reply.hpp"
#include "bus/text.hpp"

namespace cfs::service {

using bus::bus_error_name;
using bus::bus_line;
using bus::bus_text;
using bus::BusPump;
using bus::CallerCheck;
using bus::guard;
using bus::Initiator;
using bus::interaction_required;
using bus::kMaxText;
using bus::Polkit;
using bus::quietly;
using bus::Reply;
using bus::to_bus_error;
using bus::to_error;

}  // namespace cfs::service
