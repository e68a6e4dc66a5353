// SPDX-License-Identifier: Apache-2.0
#include "boot/efi_text.hpp"

namespace cfs::boot {

std::string efi_text(std::string_view content) {
    std::string out;
    for (std::size_t i = 4; i + 1 < content.size(); i += 2) {
        if (content[i] == 0 && content[i + 1] == 0) break;
        const bool ascii = content[i + 1] == 0 && content[i] >= ' ' && content[i] <= '~';
        out += ascii ? content[i] : '?';
    }
    return out;
}

}  // namespace cfs::boot
