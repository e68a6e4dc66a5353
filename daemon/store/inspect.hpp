// SPDX-License-Identifier: Apache-2.0
/// \file One object looked at by somebody who does not believe what was found before.
#pragma once

#include "store/repository.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace cfs::store {

enum class Look {
    Measure,  ///< there, of the right size, and what the kernel's fs-verity says where it has any
    Read,     ///< also every byte read from the disk and hashed
};

struct Inspection {
    ObjectState state = ObjectState::Missing;
    std::string problem;   ///< of a damaged one: expected and found
    bool vouched = false;  ///< sound by fs-verity or by reading; else it is only there
};

/// Hears how many bytes come next; may wait, and throws to end the look.
using OnRead = std::function<void(std::uint64_t)>;

/// Remembers nothing and believes nothing remembered; what memory holds of the file is dropped
/// before and after it is read. What is found damaged is distrusted (Repository::distrust). Throws
/// only what `on_read` throws and for an object of the other algorithm: one that cannot be read is
/// a damaged one. \param size bytes that it must have; nullopt: unknown
[[nodiscard]] Inspection inspect_object(Repository& repository,
                                        const Digest& object,
                                        Look look,
                                        std::optional<std::uint64_t> size,
                                        const OnRead& on_read);

}  // namespace cfs::store
