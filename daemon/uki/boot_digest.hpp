// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"
#include "uki/pe.hpp"
#include "uki/uki.hpp"

namespace cfs::uki {

/// SHA-256 over what only the firmware can start anew: kernel, initrd, microcode, device trees and
/// what picks among them, of every profile, and the command lines without the argument that names
/// the image. Two UKIs with one boot digest differ in nothing that a running kernel still has, so
/// that a soft reboot leads from one's image to the other's (`man systemd-soft-reboot.service`).
/// What is kept of it is compared with what the same program computed: no format of others.
/// \pre `uki` is parse_uki(pe)
[[nodiscard]] Digest boot_digest(const PeImage& pe, const Uki& uki);

}  // namespace cfs::uki
