// SPDX-License-Identifier: Apache-2.0
#include "etc/compare.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"
#include "crypto/fsverity.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cfs::etc {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;

/// Up to a whole block at `offset`; less only at the end of the file.
std::size_t read_block(Node& node, Bytes& buffer, off_t offset) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t n = ::pread(node.fd(),
                                  buffer.data() + filled,
                                  buffer.size() - filled,
                                  offset + static_cast<off_t>(filled));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_errno("reading '" + printable(node.path(), 400) + "'");
        if (n == 0) break;
        filled += static_cast<std::size_t>(n);
    }
    return filled;
}

bool same_large_file(Node& one, Node& other, const std::stop_token& stop) {
    Bytes left(kBlock);
    Bytes right(kBlock);
    for (off_t offset = 0;; offset += static_cast<off_t>(kBlock)) {
        check(stop);
        const std::size_t n = read_block(one, left, offset);
        if (read_block(other, right, offset) != n) return false;
        if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n), right.begin()))
            return false;
        if (n < kBlock) return true;
    }
}

bool same_inode(const Node& one, const Node& other) {
    return one.stat().st_dev == other.stat().st_dev && one.stat().st_ino == other.stat().st_ino;
}

/// Does the kernel vouch for the same bytes? False says nothing: Merkle trees of other block sizes
/// have other digests, and most files have none.
bool same_verity(Node& one, Node& other) {
    try {
        const auto digest = measure_verity(one.fd());
        return digest && digest == measure_verity(other.fd());
    } catch (const Error&) {
        // An algorithm that only the kernel knows: the bytes will tell.
        return false;
    }
}

bool same_file(Node& one, Node& other, const std::stop_token& stop) {
    if (one.stat().st_size != other.stat().st_size) return false;
    if (one.stat().st_size == 0 || same_inode(one, other)) return true;
    const Bytes* left = one.small_content();
    if (left == nullptr) return same_verity(one, other) || same_large_file(one, other, stop);
    const Bytes* right = other.small_content();
    return right != nullptr && *left == *right;
}

class Differ {
 public:
    Differ(bool other_is_current, std::size_t limit, const std::stop_token& stop)
        : other_is_current_(other_is_current), limit_(limit), stop_(stop) {}

    void compare(Node* one, Node* other, int depth) {
        if (full() || !counts(one, other)) return;
        if (one == nullptr || other == nullptr || !same_entry(*one, *other, stop_)) {
            found_.push_back((one == nullptr ? other : one)->path());
        }
        if (one != nullptr && other != nullptr) compare_children(*one, *other, depth);
    }

    std::vector<std::string> take() { return std::move(found_); }

 private:
    [[nodiscard]] bool full() const { return found_.size() >= limit_; }

    /// False for nothing on both sides and for a special file made on the machine.
    bool counts(Node* one, Node* other) const {
        if (other == nullptr) return one != nullptr;
        if (!other_is_current_ || other->type() != NodeType::Special) return true;
        return one != nullptr && same_content(*one, *other, stop_);
    }

    void compare_children(Node& one, Node& other, int depth) {
        if (one.type() != NodeType::Directory || other.type() != NodeType::Directory) return;
        if (depth >= kMaxDepth) {
            throw Error(ErrorCode::BadFormat,
                        "'" + printable(one.path(), 400) + "' is nested more than " +
                            std::to_string(kMaxDepth) + " directories deep");
        }
        for (const std::string& name : union_of_names(&one, &other, nullptr)) {
            if (full()) return;
            const NodePtr left = find_child(&one, name);
            const NodePtr right = find_child(&other, name);
            compare(left.get(), right.get(), depth + 1);
        }
    }

    bool other_is_current_;
    std::size_t limit_;
    const std::stop_token& stop_;
    std::vector<std::string> found_;
};

}  // namespace

XattrRole xattr_role(std::string_view name) {
    if (name == kSelinuxLabel) return XattrRole::Label;
    if (name == "system.posix_acl_access" || name == "security.capability") {
        return XattrRole::Permission;
    }
    if (name == "security.ima" || name == "security.evm") return XattrRole::Content;
    return XattrRole::Plain;
}

Xattrs xattrs_of(Node& node, XattrRole role) {
    Xattrs out;
    for (const auto& [name, value] : node.xattrs()) {
        if (xattr_role(name) == role) out.emplace(name, value);
    }
    return out;
}

Permissions permissions_of(Node& node) {
    const struct stat& st = node.stat();
    return {st.st_mode & 07777, st.st_uid, st.st_gid, xattrs_of(node, XattrRole::Permission)};
}

bool same_content(Node& one, Node& other, const std::stop_token& stop) {
    if ((one.stat().st_mode & S_IFMT) != (other.stat().st_mode & S_IFMT)) return false;
    switch (one.type()) {
        case NodeType::File:
            return same_file(one, other, stop);
        case NodeType::Directory:
            return true;
        case NodeType::Link:
            return one.target() == other.target();
        case NodeType::Special:
            return one.stat().st_rdev == other.stat().st_rdev;
    }
    return false;
}

bool same_entry(Node& one, Node& other, const std::stop_token& stop) {
    return one.type() == other.type() && permissions_of(one) == permissions_of(other) &&
           xattrs_of(one, XattrRole::Plain) == xattrs_of(other, XattrRole::Plain) &&
           same_content(one, other, stop);
}

std::vector<std::string> differences(
    Node* one, Node* other, bool other_is_current, std::size_t limit, const std::stop_token& stop) {
    Differ differ(other_is_current, limit, stop);
    differ.compare(one, other, 0);
    return differ.take();
}

}  // namespace cfs::etc
