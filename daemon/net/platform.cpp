// SPDX-License-Identifier: Apache-2.0
#include "net/platform.hpp"

#include "base/error.hpp"

#include <sys/utsname.h>

#include <array>
#include <string_view>

namespace cfs::net {
namespace {

struct Machine {
    std::string_view kernel;
    std::string_view architecture;
    std::string_view variant;
};

// uname(2) names and the GOARCH names that OCI uses.
constexpr std::array<Machine, 11> kMachines = {{
    {"x86_64", "amd64", ""},
    {"aarch64", "arm64", "v8"},
    {"armv8l", "arm", "v7"},
    {"armv7l", "arm", "v7"},
    {"armv6l", "arm", "v6"},
    {"i686", "386", ""},
    {"i586", "386", ""},
    {"riscv64", "riscv64", ""},
    {"ppc64le", "ppc64le", ""},
    {"s390x", "s390x", ""},
    {"loongarch64", "loong64", ""},
}};

/// The variant that leaving it out means.
std::string_view normal_variant(const Platform& platform) {
    if (!platform.variant.empty()) return platform.variant;
    if (platform.architecture == "arm64") return "v8";
    if (platform.architecture == "amd64") return "v1";
    if (platform.architecture == "arm") return "v7";
    return {};
}

bool fits(const Platform& wanted, const Platform& offered) {
    return wanted.os == offered.os && wanted.architecture == offered.architecture &&
           normal_variant(wanted) == normal_variant(offered);
}

bool is_document(const Descriptor& entry) {
    return entry.media_type == kOciIndex || entry.media_type == kDockerIndex ||
           entry.media_type == kOciManifest || entry.media_type == kDockerManifest;
}

std::string names_of(const std::vector<Descriptor>& entries) {
    std::string out;
    for (const Descriptor& entry : entries) {
        if (!out.empty()) out += ", ";
        out += entry.platform ? printable(to_string(*entry.platform)) : "one without a platform";
    }
    return out.empty() ? "nothing" : out;
}

}  // namespace

std::string to_string(const Platform& platform) {
    const auto shown = [](const std::string& text) { return text.empty() ? "?" : text; };
    std::string out = shown(platform.os) + "/" + shown(platform.architecture);
    if (!platform.variant.empty()) out += "/" + platform.variant;
    return out;
}

Platform host_platform() {
    struct utsname name {};
    if (::uname(&name) != 0) throw_errno("asking for the machine's architecture");
    const std::string_view machine = name.machine;
    for (const Machine& known : kMachines) {
        if (known.kernel == machine) {
            return {"linux", std::string(known.architecture), std::string(known.variant)};
        }
    }
    return {"linux", std::string(machine), ""};
}

const Descriptor& select_platform(const std::vector<Descriptor>& entries, const Platform& wanted) {
    const Descriptor* only = nullptr;
    std::size_t documents = 0;
    for (const Descriptor& entry : entries) {
        if (!is_document(entry)) continue;
        if (entry.platform && fits(wanted, *entry.platform)) return entry;
        only = &entry;
        ++documents;
    }
    if (documents == 1 && !only->platform) return *only;
    throw Error(
        ErrorCode::NotOurs,
        "the index has no image for " + to_string(wanted) + ", only for " + names_of(entries),
        "publish the image for this machine's architecture, or correct the reference");
}

}  // namespace cfs::net
