// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "uki/os_release.hpp"
#include "uki/text.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs;
    try {
        const auto release = uki::OsRelease::parse(as_text({data, size}));
        for (const auto& [key, value] : release.fields()) {
            if (key.empty() || value.size() > size || !uki::is_utf8(value)) std::abort();
        }
        (void)release.version();
        (void)release.pretty_name();
        (void)release.security_version();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
    }
    return 0;
}
