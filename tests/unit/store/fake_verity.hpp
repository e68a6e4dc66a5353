// SPDX-License-Identifier: Apache-2.0
/// \file fs-verity where the kernel has none: while a FakeVerity lives, this test program's ioctl()
/// answers FS_IOC_ENABLE_VERITY and FS_IOC_MEASURE_VERITY as a file system with fs-verity would.
#pragma once

namespace cfs::test {

class FakeVerity {
 public:
    FakeVerity();
    FakeVerity(const FakeVerity&) = delete;
    FakeVerity& operator=(const FakeVerity&) = delete;
    ~FakeVerity();

    /// From now on enabling fails as on a file system without support.
    void stop_enabling();

    /// From now on files are measured as if they held other bytes than were written.
    void lie();
};

}  // namespace cfs::test
