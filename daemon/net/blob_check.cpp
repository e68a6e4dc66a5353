// SPDX-License-Identifier: Apache-2.0
#include "net/blob_check.hpp"

#include "base/error.hpp"

namespace cfs::net {
namespace {

constexpr const char* kHint =
    "the image is damaged or altered where it is published: publish it again, or try another "
    "mirror";

}  // namespace

void wrong_size(const Descriptor& blob, const std::string& found) {
    throw Error(ErrorCode::DigestMismatch,
                "blob " + to_oci(blob.digest) + " must have " + std::to_string(blob.size) +
                    " bytes but has " + found,
                kHint);
}

BlobCheck::BlobCheck(const Descriptor& blob, Sink& out)
    : blob_(blob), out_(out), hasher_(blob.digest.algorithm()) {}

void BlobCheck::write(ByteView data) {
    if (data.size() > blob_.size - received_) wrong_size(blob_, "more");
    hasher_.update(data);
    out_.write(data);
    received_ += data.size();
}

void BlobCheck::finish() {
    if (received_ != blob_.size) wrong_size(blob_, std::to_string(received_));
    const Digest found = hasher_.finish();
    if (found != blob_.digest) {
        throw Error(
            ErrorCode::DigestMismatch,
            "blob " + to_oci(blob_.digest) + " has other bytes: their digest is " + to_oci(found),
            kHint);
    }
}

}  // namespace cfs::net
