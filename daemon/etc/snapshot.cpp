// SPDX-License-Identifier: Apache-2.0
#include "etc/snapshot.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"
#include "etc/node.hpp"

#include <algorithm>
#include <cstring>

namespace cfs::etc {
namespace {

void append_number(std::string& out, std::uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}

std::string state_of(const struct stat& st) {
    std::string out;
    if (node_type(st.st_mode) == NodeType::Special) {
        append_number(out, st.st_mode & S_IFMT);
        return out;
    }
    // More than times: two writes within one tick of an older kernel's clock have the same time.
    append_number(out, st.st_dev);
    append_number(out, st.st_ino);
    append_number(out, st.st_mode);
    append_number(out, st.st_nlink);
    append_number(out, (std::uint64_t{st.st_uid} << 32) | st.st_gid);
    append_number(out, static_cast<std::uint64_t>(st.st_size));
    for (const timespec& time : {st.st_mtim, st.st_ctim}) {
        append_number(out, static_cast<std::uint64_t>(time.tv_sec));
        append_number(out, static_cast<std::uint64_t>(time.tv_nsec));
    }
    return out;
}

void walk(Node& directory, int depth, const std::stop_token& stop, Snapshot& out) {
    check(stop);
    // The merge itself refuses such a tree, with a better message.
    if (depth > kMaxDepth) return;
    for (const std::string& name : directory.names()) {
        const NodePtr child = find_child(&directory, name);
        if (!child) continue;
        out.entries.push_back({child->path(), state_of(child->stat())});
        if (child->type() == NodeType::Directory) walk(*child, depth + 1, stop, out);
    }
}

[[noreturn]] void throw_changed(const std::string& path) {
    throw Error(ErrorCode::Busy,
                "/etc/" + printable(path, 400) + " changed while /etc was merged",
                "merge again; a service that writes there can be stopped first");
}

}  // namespace

Snapshot take_snapshot(int directory, const std::stop_token& stop) {
    Snapshot out;
    const NodePtr root = Node::find(directory, ".", ".");
    if (!root) throw Error(ErrorCode::NotFound, "/etc does not exist any more");
    out.entries.push_back({".", state_of(root->stat())});
    walk(*root, 0, stop, out);
    return out;
}

void require_unchanged(const Snapshot& before, int directory, const std::stop_token& stop) {
    const Snapshot now = take_snapshot(directory, stop);
    const auto [old_at, new_at] = std::mismatch(
        before.entries.begin(), before.entries.end(), now.entries.begin(), now.entries.end());
    if (old_at != before.entries.end()) throw_changed(old_at->path);
    if (new_at != now.entries.end()) throw_changed(new_at->path);
}

}  // namespace cfs::etc
