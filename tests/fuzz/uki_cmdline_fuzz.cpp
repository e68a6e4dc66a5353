// SPDX-License-Identifier: Apache-2.0
// A kernel command line; what is accepted reads the same after it was written anew.
#include "base/error.hpp"
#include "uki/cmdline.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs;
    try {
        for (const auto& arg : uki::composefs_args(as_text({data, size}))) {
            const auto again = uki::composefs_arg(
                uki::make_composefs_arg(arg.version, arg.digest, arg.insecure, arg.key));
            if (again.digest != arg.digest || again.version != arg.version ||
                again.insecure != arg.insecure) {
                std::abort();
            }
        }
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
    }
    return 0;
}
