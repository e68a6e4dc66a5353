// SPDX-License-Identifier: Apache-2.0
#include "update/foreign.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "update/json.hpp"
#include "update/machine.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxOrigin = std::size_t{64} * 1024;
/// As bootc writes a reference without signature policy.
constexpr std::string_view kUnverified = "ostree-unverified-image:";
constexpr const char* kMarker = "composefs/staged-deployment";

std::string trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// Keys and values, whatever their section: no key is in two.
void read_origin(const std::string& text, ForeignDeployment& out) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string key = trim(std::string_view(line).substr(0, equals));
        std::string value = trim(std::string_view(line).substr(equals + 1));
        if (key == "manifest_digest") out.manifest_digest = std::move(value);
        if (key != "container-image-reference") continue;
        if (value.starts_with(kUnverified)) value.erase(0, kUnverified.size());
        out.reference = std::move(value);
    }
}

bool is(int dir, const std::string& path, mode_t type) {
    const auto st = stat_at(dir, path);
    return st && (st->st_mode & S_IFMT) == type;
}

Dialect dialect_of(int sysroot, const std::string& state, const Digest& image) {
    const std::string pin = std::string(kStorePath) + "/images/refs/" + image_pin(image);
    if (is(sysroot, pin, S_IFLNK)) return Dialect::Own;
    if (is(sysroot, state + "/etc/upper", S_IFDIR) && is(sysroot, state + "/etc/work", S_IFDIR) &&
        !is(sysroot, state + "/var", S_IFLNK))
        return Dialect::ComposefsRs;
    const bool has_origin = is(sysroot, state + "/" + image.hex() + ".origin", S_IFREG);
    return has_origin && is(sysroot, state + "/var", S_IFLNK) ? Dialect::Bootc : Dialect::Unknown;
}

ForeignDeployment look_at(int sysroot, const Digest& image) {
    ForeignDeployment out;
    out.image = image;
    const std::string state = std::string(kDeployPath) + "/" + image.hex();
    try {
        out.dialect = dialect_of(sysroot, state, image);
        const std::string origin = state + "/" + image.hex() + ".origin";
        read_origin(find_text_at(sysroot, origin, kMaxOrigin).value_or(""), out);
    } catch (const Error&) {  // what cannot be read is not known
    }
    return out;
}

[[noreturn]] void refuse_beside(const std::string& staged_marker) {
    const auto marker = parse_object(staged_marker);
    const std::string digest = marker ? get_string(*marker, "depl_id") : "";
    throw Error(ErrorCode::Busy,
                "bootc has " + (digest.empty() ? "a deployment" : printable(digest)) +
                    " staged, which starts next",
                "restart, and go on from there");
}

}  // namespace

std::string ForeignDeployment::explain() const {
    switch (dialect) {
        case Dialect::Own:
            return "its record in state/cfsupdated is lost";
        case Dialect::Bootc:
            return "installed by bootc, which updates and removes it";
        case Dialect::ComposefsRs:
            return "installed by composefs-rs' cfsctl, with its /etc as an overlay";
        case Dialect::Unknown:
            break;
    }
    return "no tool is known that leaves a state directory like this";
}

std::vector<ForeignDeployment> find_foreign(int sysroot,
                                            const std::vector<DeploymentRecord>& records) {
    std::vector<ForeignDeployment> out;
    if (!stat_at(sysroot, kDeployPath)) return out;
    for (const std::string& name : list_dir(open_dir_at(sysroot, kDeployPath).get())) {
        const auto image = Digest::from_hex(name);
        const bool known = image && std::any_of(records.begin(), records.end(), [&](const auto& r) {
                               return r.image == *image;
                           });
        if (image && !known) out.push_back(look_at(sysroot, *image));
    }
    return out;
}

DeploymentInfo describe(const ForeignDeployment& foreign, const std::optional<Digest>& booted) {
    DeploymentInfo info;
    info.digest = foreign.image.hex();
    info.image = foreign.reference;
    info.manifest_digest = foreign.manifest_digest;
    info.state = DeploymentState::Foreign;
    info.problem = foreign.explain();
    if (booted == foreign.image) info.problem = "it runs; " + info.problem;
    return info;
}

void require_no_foreign_stage(Machine& machine) {
    const auto runtime = std::filesystem::path(machine.settings.run).parent_path();
    std::error_code ignored;
    if (std::filesystem::is_directory(runtime, ignored)) {
        const auto text = find_text_at(open_root(runtime).get(), kMarker, kMaxOrigin);
        if (text) refuse_beside(*text);
    }
    const std::string folder = machine.boot().foreign_stage();
    if (folder.empty()) return;
    throw Error(ErrorCode::Busy,
                "bootc has loader entries in " + folder + ", which it may swap in at shutdown",
                "restart, and go on from there; remove the folder if bootc has given them up");
}

}  // namespace cfs::update
