// SPDX-License-Identifier: Apache-2.0
#include "boot/efi_variables.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "boot/efi_text.hpp"

namespace cfs::boot {
namespace {

constexpr const char* kLoaderGuid = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr const char* kLastBooted = "@saved";

}  // namespace

std::optional<std::string> loader_variable(const std::string& efivars, const std::string& name) {
    try {
        const UniqueFd dir = open_root(efivars);
        const auto content = find_text_at(dir.get(), name + kLoaderGuid, kMaxEfiVariable);
        if (content) return efi_text(*content);
    } catch (const Error& e) {
        log::debug("the EFI variable " + name + " is ignored: " + e.what());
    }
    return std::nullopt;
}

LoaderChoice loader_choice(const std::string& efivars) {
    LoaderChoice out;
    if (efivars.empty()) return out;
    out.one_shot = loader_variable(efivars, "LoaderEntryOneShot").value_or("");
    out.standing = loader_variable(efivars, "LoaderEntryDefault").value_or("");
    if (out.standing == kLastBooted)
        out.standing = loader_variable(efivars, "LoaderEntryLastBooted").value_or("");
    return out;
}

}  // namespace cfs::boot
