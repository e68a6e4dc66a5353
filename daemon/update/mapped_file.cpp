// SPDX-License-Identifier: Apache-2.0
#include "update/mapped_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"

#include <sys/mman.h>

namespace cfs::update {

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

void MappedFile::done_until(ByteView part) const {
    constexpr std::size_t kPage = 4096;
    auto* const start = const_cast<std::uint8_t*>(bytes_.data());
    const auto end = static_cast<std::size_t>(part.data() + part.size() - bytes_.data());
    (void)::madvise(start, end / kPage * kPage, MADV_DONTNEED);  // they come back when touched
}

}  // namespace cfs::update
