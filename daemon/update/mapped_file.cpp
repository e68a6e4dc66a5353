// SPDX-License-Identifier: Apache-2.0
#include "update/mapped_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace cfs::update {

namespace {

constexpr std::uintptr_t kPage = 4096;
/// A fault maps the pages around it, too, up to this boundary: those before a part go with it.
constexpr std::uintptr_t kAround = std::uintptr_t{2} << 20;

}  // namespace

MappedFile::MappedFile(int fd) {
    const auto size = static_cast<std::size_t>(file_size(fd));
    if (size == 0) throw Error(ErrorCode::BadFormat, "the file is empty");
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (start == MAP_FAILED) throw_errno("mapping a file");
    bytes_ = ByteView(static_cast<const std::uint8_t*>(start), size);
}

MappedFile::~MappedFile() {
    // munmap wants a non-const pointer to what mmap gave.
    (void)::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

void MappedFile::done_with(ByteView part) const {
    const auto base = reinterpret_cast<std::uintptr_t>(bytes_.data());
    const auto start = reinterpret_cast<std::uintptr_t>(part.data());
    if (start < base || start + part.size() > base + bytes_.size()) return;
    const std::uintptr_t from = std::max(base, start / kAround * kAround);
    const std::uintptr_t to = (start + part.size()) / kPage * kPage;
    if (from >= to) return;
    (void)::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

}  // namespace cfs::update
