// SPDX-License-Identifier: Apache-2.0
#include "update/policy_memory.hpp"

#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "update/state_dir.hpp"

namespace cfs::update {
namespace {

constexpr std::size_t kMaxFile = 65536;

}  // namespace

std::string load_policy_memory(const settings::Settings& settings) {
    try {
        const StateDir state(open_root(settings.sysroot).get(), false);
        return find_text_at(state.fd(), kPolicyMemory, kMaxFile).value_or("");
    } catch (const Error& e) {
        if (e.code() == ErrorCode::NotFound) return {};
        throw;
    }
}

void save_policy_memory(const settings::Settings& settings, const std::string& text) {
    const StateDir state(open_root(settings.sysroot).get(), true);
    replace_file_at(state.fd(), kPolicyMemory, as_bytes(text), 0600);
}

}  // namespace cfs::update
