// SPDX-License-Identifier: Apache-2.0
/// \file The few files of an image whose content decides how the image is made, from layers that
/// are read and not stored.
#pragma once

#include "crypto/digest.hpp"
#include "image/transform.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace cfs::update {

/// SELinux policies and os-release files are far below this, in bytes.
inline constexpr std::uint64_t kKeepUpTo = std::uint64_t{16} << 20;

/// Is this path, without a leading '/', one of those that labels are made of?
[[nodiscard]] bool is_policy(std::string_view path);

/// Content of a few files, by digest, from one pass over the layers: each is offered, and kept when
/// the entry that follows asks for it. One thread.
class KeptFiles {
 public:
    void offer(const Digest& digest, ByteView content);
    void keep(const Digest& digest);

    /// nullptr: it was not kept.
    [[nodiscard]] const std::string* find(const Digest& digest) const;

    /// BadFormat for what was not kept. \pre this outlives the result
    [[nodiscard]] image::ReadContent reader() const;

 private:
    std::pair<Digest, std::string> last_;
    std::unordered_map<Digest, std::string> contents_;
};

}  // namespace cfs::update
