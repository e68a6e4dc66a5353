// SPDX-License-Identifier: Apache-2.0
#include "etc/parts.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace cfs::etc {
namespace {

template <typename T>
Pick pick(const std::optional<T>& base, const T& current, const T& next) {
    if (current == next) return Pick::Same;
    if (base && *base == current) return Pick::Vendor;
    if (base && *base == next) return Pick::Local;
    return Pick::Clash;
}

/// The same, reading the old image's file only if the other two differ.
Pick pick_content(Node* base, Node& current, Node& next, const std::stop_token& stop) {
    if (same_content(current, next, stop)) return Pick::Same;
    if (base != nullptr && same_content(*base, current, stop)) return Pick::Vendor;
    if (base != nullptr && same_content(*base, next, stop)) return Pick::Local;
    return Pick::Clash;
}

/// What a rule makes of it.
Pick overrule(Pick pick, Policy policy) {
    if (pick == Pick::Same) return pick;
    switch (policy) {
        case Policy::Take:
            return pick == Pick::Clash ? Pick::Overruled : pick;
        case Policy::Restore:
            return pick == Pick::Vendor ? pick : Pick::Overruled;
        case Policy::Ignore:
            return Pick::Local;
        default:
            return pick;
    }
}

bool is_local(Pick pick) {
    return pick == Pick::Local || pick == Pick::Clash;
}

std::optional<std::string> value_in(const Xattrs& xattrs, const std::string& name) {
    const auto found = xattrs.find(name);
    if (found == xattrs.end()) return std::nullopt;
    return found->second;
}

void set_permissions(ResultEntry& entry, const Permissions& permissions) {
    entry.mode = (entry.mode & S_IFMT) | permissions.mode;
    entry.uid = permissions.uid;
    entry.gid = permissions.gid;
    entry.xattrs.insert(permissions.xattrs.begin(), permissions.xattrs.end());
}

void merge_permissions(Node* base, Node& current, Node& next, Policy policy, MergedEntry& out) {
    const Permissions ours = permissions_of(current);
    const Permissions theirs = permissions_of(next);
    std::optional<Permissions> old;
    if (base != nullptr && ours != theirs) old = permissions_of(*base);
    const Pick decision = overrule(pick(old, ours, theirs), policy);
    out.report.add("permissions", decision);
    set_permissions(out.entry, is_local(decision) ? ours : theirs);
}

void merge_plain_xattrs(Node* base, Node& current, Node& next, Policy policy, MergedEntry& out) {
    const Xattrs ours = xattrs_of(current, XattrRole::Plain);
    const Xattrs theirs = xattrs_of(next, XattrRole::Plain);
    if (ours.empty() && theirs.empty()) return;
    const Xattrs old = base == nullptr ? Xattrs{} : xattrs_of(*base, XattrRole::Plain);
    std::set<std::string> names;
    for (const Xattrs* side : {&ours, &theirs}) {
        for (const auto& item : *side)
            names.insert(item.first);
    }
    for (const std::string& name : names) {
        using Value = std::optional<std::string>;
        const Value our_value = value_in(ours, name);
        const Value their_value = value_in(theirs, name);
        const auto before =
            base == nullptr ? std::optional<Value>() : std::optional<Value>(value_in(old, name));
        const Pick decision = overrule(pick(before, our_value, their_value), policy);
        out.report.add(name, decision);
        const Value& value = is_local(decision) ? our_value : their_value;
        if (value) out.entry.xattrs.emplace(name, *value);
    }
}

void take_content(Node& node, Side side, ResultEntry& entry) {
    entry.content = side;
    entry.mtime = node.stat().st_mtim;
    entry.xattrs.merge(xattrs_of(node, XattrRole::Content));
    if (node.type() == NodeType::File) entry.size = static_cast<std::uint64_t>(node.stat().st_size);
    if (node.type() == NodeType::Link) entry.target = node.target();
    if (node.type() == NodeType::Special) entry.device = node.stat().st_rdev;
}

timespec newer(const timespec& one, const timespec& other) {
    return std::tie(one.tv_sec, one.tv_nsec) < std::tie(other.tv_sec, other.tv_nsec) ? other : one;
}

/// Content that is on neither side as it is.
void take_lines(const AccountFile& lines, Node& current, Node& next, MergedEntry& out) {
    out.report.local.emplace_back("some lines");
    out.report.vendor.emplace_back("some lines");
    if (lines.withheld) out.report.withheld.emplace_back("some lines");
    out.entry.synthetic = true;
    out.entry.text = lines.text;
    out.entry.size = lines.text.size();
    out.entry.mtime = newer(current.stat().st_mtim, next.stat().st_mtim);
}

std::string_view whole_text(Node& node) {
    const Bytes* bytes = node.small_content();
    return bytes == nullptr ? std::string_view() : as_text(*bytes);
}

void merge_content(Node* base,
                   Node& current,
                   Node& next,
                   const AccountFile* lines,
                   Policy policy,
                   const std::stop_token& stop,
                   MergedEntry& out) {
    Pick decision = Pick::Same;
    if (lines == nullptr) {
        decision = overrule(pick_content(base, current, next, stop), policy);
    } else if (lines->text == whole_text(next)) {
        decision = same_content(current, next, stop) ? Pick::Same : Pick::Vendor;
    } else if (lines->text == whole_text(current)) {
        decision = lines->withheld ? Pick::Clash : Pick::Local;
    } else {
        return take_lines(*lines, current, next, out);
    }
    const bool ours = is_local(decision);
    out.report.content_clashed = decision == Pick::Clash;
    out.report.add("content", decision);
    out.report.content_is_local = ours;
    take_content(ours ? current : next, ours ? Side::Current : Side::Next, out.entry);
}

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts)
        out += (out.empty() ? "" : ", ") + printable(part);
    return out;
}

}  // namespace

void PartsReport::add(const std::string& part, Pick pick) {
    if (pick == Pick::Vendor || pick == Pick::Overruled) vendor.push_back(part);
    if (pick == Pick::Overruled) dropped.push_back(part);
    if (is_local(pick)) local.push_back(part);
    if (pick == Pick::Clash) withheld.push_back(part);
}

Change PartsReport::to_change(const std::string& path) const {
    Change out;
    out.path = path;
    out.vendor_withheld = !withheld.empty();
    out.local_dropped = !dropped.empty();
    if (local.empty() && !dropped.empty()) {
        out.kind = ChangeKind::Overruled;
    } else if (local.empty()) {
        out.kind = ChangeKind::VendorUpdate;
    } else if (!vendor.empty()) {
        out.kind = ChangeKind::Merged;
    } else {
        out.kind = content_is_local ? ChangeKind::KeptLocal : ChangeKind::MetadataLocal;
    }
    const auto say = [&out](std::string_view what, const std::vector<std::string>& parts) {
        if (parts.empty()) return;
        if (!out.detail.empty()) out.detail += "; ";
        out.detail += std::string(what) + joined(parts);
    };
    say("local: ", local);
    say("vendor: ", vendor);
    say("the vendor's change not taken: ", withheld);
    say("the local change not kept: ", dropped);
    return out;
}

ResultEntry whole_entry(Node& node, Side side) {
    ResultEntry entry;
    entry.name = node.name();
    entry.type = node.type();
    entry.mode = node.stat().st_mode;
    entry.uid = node.stat().st_uid;
    entry.gid = node.stat().st_gid;
    entry.xattrs = node.xattrs();
    take_content(node, side, entry);
    entry.in_current = side == Side::Current;
    entry.in_next = side == Side::Next;
    return entry;
}

MergedEntry merge_parts(Node* base,
                        Node& current,
                        Node& next,
                        const AccountFile* lines,
                        Policy policy,
                        const std::stop_token& stop) {
    MergedEntry out;
    out.entry.name = current.name();
    out.entry.type = current.type();
    out.entry.mode = current.stat().st_mode & S_IFMT;
    out.entry.in_current = out.entry.in_next = true;
    merge_content(base, current, next, lines, policy, stop, out);
    if (current.type() == NodeType::Directory) {
        out.entry.mtime = newer(current.stat().st_mtim, next.stat().st_mtim);
    }
    merge_permissions(base, current, next, policy, out);
    merge_plain_xattrs(base, current, next, policy, out);
    out.entry.xattrs.merge(xattrs_of(next, XattrRole::Label));
    if (policy == Policy::Ignore) out.report = {};
    return out;
}

}  // namespace cfs::etc
