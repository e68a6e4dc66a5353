// SPDX-License-Identifier: Apache-2.0
#include "store/spool.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"

#include <unistd.h>

#include <algorithm>

namespace cfs::store {
namespace {

constexpr std::size_t kMemory = std::size_t{512} * 1024;
constexpr std::size_t kPiece = std::size_t{128} * 1024;

}  // namespace

void Spool::write(ByteView data) {
    memory_.insert(memory_.end(), data.begin(), data.end());
    if (memory_.size() > kMemory) spill();
}

void Spool::spill() {
    with_context("writing a temporary file in the store", [&] {
        if (!file_) file_.emplace(dir_);
        write_all(file_->fd(), memory_);
    });
    in_file_ += memory_.size();
    memory_.clear();
}

void Spool::drain(Sink& out) {
    Bytes piece;
    for (std::uint64_t offset = 0; offset < in_file_; offset += piece.size()) {
        piece.resize(std::min<std::uint64_t>(kPiece, in_file_ - offset));
        pread_exact(file_->fd(), piece, offset);
        out.write(piece);
    }
    out.write(memory_);
    memory_.clear();
    if (in_file_ == 0) return;
    in_file_ = 0;
    if (::ftruncate(file_->fd(), 0) != 0 || ::lseek(file_->fd(), 0, SEEK_SET) != 0) {
        throw_errno("emptying a temporary file in the store");
    }
}

}  // namespace cfs::store
