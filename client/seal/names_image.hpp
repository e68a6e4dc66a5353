// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"
#include "uki/cmdline.hpp"
#include "update/offline.hpp"

#include <functional>
#include <string>

namespace cfs::client {

/// Digest of the image under given rules; expensive.
using ComputeDigest = std::function<Digest(const update::DigestOptions&)>;

/// Checks that every composefs argument of `cmdline` names an image that `compute` gives under some
/// rule of its format. Returns the digest that the first argument names. BadFormat without one;
/// DigestMismatch with what is named and what was found, all candidates in the details.
[[nodiscard]] Digest check_names_image(const std::string& cmdline, const ComputeDigest& compute);

}  // namespace cfs::client
