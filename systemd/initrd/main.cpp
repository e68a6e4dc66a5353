// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "initrd/aftermath.hpp"
#include "initrd/prepare.hpp"

#include <cstdio>
#include <exception>

namespace {

int run(const cfs::initrd::Options& options) {
    try {
        cfs::initrd::prepare_root(options);
        return 0;
    } catch (const cfs::Error& error) {
        return cfs::initrd::after_failure(options, error);
    } catch (const std::exception& error) {
        return cfs::initrd::after_failure(
            options, cfs::Error(cfs::ErrorCode::Internal, error.what(), "boot another entry"));
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const cfs::initrd::Options options = cfs::initrd::parse_options(argc, argv);
        if (options.help || options.version) {
            std::puts(options.help ? cfs::initrd::usage() : "cfs-prepare-root " CFS_VERSION);
            return 0;
        }
        return run(options);
    } catch (const cfs::Error& error) {
        static_cast<void>(
            std::fprintf(stderr, "cfs-prepare-root: %s; %s\n", error.what(), error.hint().c_str()));
        return 2;
    }
}
