// SPDX-License-Identifier: Apache-2.0
// The bytes are steps that build three trees (in memory where there is /dev/shm); every promise of
// the merge must hold for them, and nothing outside may change.
#include "unit/etc/random_trees.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("CFS_TEST_TMP", "/dev/shm", 0);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs::etc::test;
    static Tree canary;
    static const std::string before = canary.file("file", "outside").listing();
    Trees trees;
    grow(trees, {data, size}, canary.real("."));
    const std::string broken = broken_promise(trees);
    if (!broken.empty() || canary.listing() != before) {
        std::fprintf(stderr,
                     "broken: %s\nP\n%sC\n%sN\n%s",
                     broken.c_str(),
                     trees.pristine.listing().c_str(),
                     trees.current.listing().c_str(),
                     trees.next.listing().c_str());
        std::abort();
    }
    return 0;
}
