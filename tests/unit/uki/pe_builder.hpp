// SPDX-License-Identifier: Apache-2.0
/// \file Test images: those of tests/data/uki, and small ones made on the spot.
#pragma once

#include "base/bytes.hpp"
#include "crypto/x509.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace cfs::test {

/// A file of tests/data/uki.
[[nodiscard]] Bytes read_fixture(const std::string& name);
[[nodiscard]] Certificate fixture_certificate(const std::string& name);

/// Name and content, in file order.
using Sections = std::vector<std::pair<std::string, std::string>>;

/// A sound PE32+ EFI application for amd64.
[[nodiscard]] Bytes build_pe(const Sections& sections);

/// Where build_pe and make.py put the fields that tests bend; offsets in the file.
inline constexpr std::size_t kPe = 0x40;
inline constexpr std::size_t kOptional = kPe + 24;
inline constexpr std::size_t kDirectories = kOptional + 112;
inline constexpr std::size_t kCertificateEntry = kDirectories + 32;
inline constexpr std::size_t kSectionTable = kOptional + 240;

/// What e.what() says when `run` throws an Error; "no error" when it does not.
[[nodiscard]] std::string error_of(const std::function<void()>& run);

/// Names the cases of a parametrised test after their `name` member.
inline constexpr auto case_name = [](const auto& row) { return std::string(row.param.name); };

}  // namespace cfs::test
