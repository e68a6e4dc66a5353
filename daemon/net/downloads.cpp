// SPDX-License-Identifier: Apache-2.0
#include "net/downloads.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace cfs::net {

Sink& DocumentDownload::begin(const HttpResponse& response) {
    response_ = response;
    bytes_.clear();
    return *this;
}

void DocumentDownload::write(ByteView data) {
    fetched_ += data.size();
    if (data.size() > kMaxDocumentBytes - bytes_.size()) {
        throw Error(ErrorCode::BadFormat,
                    "the " + what_ + " has more than the " + std::to_string(kMaxDocumentBytes) +
                        " bytes allowed",
                    "check the image reference");
    }
    bytes_.insert(bytes_.end(), data.begin(), data.end());
}

Bytes DocumentDownload::take() {
    if (response_.content_type == "text/html") {
        throw Error(
            ErrorCode::BadFormat,
            "got text/html instead of a " + what_ + ": '" + printable(as_text(bytes_), 60) + "'",
            "a login portal or a proxy answers in the registry's place, or the host is no "
            "registry: check the reference and the network connection");
    }
    return std::move(bytes_);
}

Sink& BlobDownload::begin(const HttpResponse& response) {
    if (response.content_type == "text/html") {
        throw Error(ErrorCode::Network,
                    "got a web page (text/html) instead of blob " + to_oci(blob_.digest),
                    "a login portal or a proxy answers in the registry's place: check the network "
                    "connection");
    }
    const std::uint64_t start = response.status == 206 ? range_start(response) : 0;
    if (response.content_length && *response.content_length != blob_.size - start) {
        wrong_size(blob_, std::to_string(*response.content_length + start));
    }
    skip_ = offset() - start;
    if (skip_ > 0) {
        log::warn("the registry does not continue a transfer and starts again blob=" +
                  to_oci(blob_.digest) + " bytes_again=" + std::to_string(skip_));
    }
    return *this;
}

/// A range that is not the one asked for must never be glued to what is there.
std::uint64_t BlobDownload::range_start(const HttpResponse& response) const {
    const auto range = parse_content_range(response.content_range);
    if (range && range->first == offset() && range->last == blob_.size - 1 &&
        range->total.value_or(blob_.size) == blob_.size) {
        return range->first;
    }
    throw Error(ErrorCode::Network,
                "asked for bytes " + std::to_string(offset()) + "-" +
                    std::to_string(blob_.size - 1) + " of blob " + to_oci(blob_.digest) +
                    " and got '" + printable(response.content_range) + "'",
                "the registry or a proxy in between answers range requests wrongly");
}

/// Bytes that an earlier attempt brought come again when the registry ignores Range.
void BlobDownload::write(ByteView data) {
    fetched_ += data.size();
    const std::uint64_t known = std::min<std::uint64_t>(skip_, data.size());
    skip_ -= known;
    const ByteView fresh = data.subspan(static_cast<std::size_t>(known));
    if (kept_) kept_->append(fresh);
    checked_.write(fresh);
    if (kept_ && kept_->wants_mark()) mark();
}

void BlobDownload::replay(const std::stop_token& stop) {
    if (!kept_ || kept_->size() == 0) return;
    log::info("a transfer goes on where it was interrupted blob=" + to_oci(blob_.digest) +
              " offset=" + std::to_string(kept_->size()));
    kept_->replay(checked_, stop);
}

/// Vouches for what is kept, unless the sink refused some of it or keeping ended.
void BlobDownload::mark() noexcept {
    if (kept_ && kept_->size() == checked_.received()) kept_->mark(checked_.so_far());
}

}  // namespace cfs::net
