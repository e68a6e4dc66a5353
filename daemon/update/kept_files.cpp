// SPDX-License-Identifier: Apache-2.0
#include "update/kept_files.hpp"

#include "base/error.hpp"

namespace cfs::update {

bool is_policy(std::string_view path) {
    return path.starts_with("etc/selinux/");
}

void KeptFiles::offer(const Digest& digest, ByteView content) {
    last_ = {digest, std::string(as_text(content))};
}

void KeptFiles::keep(const Digest& digest) {
    if (last_.first == digest) contents_[digest] = std::move(last_.second);
}

const std::string* KeptFiles::find(const Digest& digest) const {
    const auto found = contents_.find(digest);
    return found == contents_.end() ? nullptr : &found->second;
}

image::ReadContent KeptFiles::reader() const {
    return [this](const image::Inode& inode) {
        if (!inode.external) return inode.content;
        if (const std::string* content = find(*inode.external)) return *content;
        throw Error(ErrorCode::BadFormat,
                    "the file with digest " + inode.external->hex() +
                        " is needed and larger than " + std::to_string(kKeepUpTo) + " bytes");
    };
}

}  // namespace cfs::update
