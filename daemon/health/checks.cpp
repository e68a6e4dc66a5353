// SPDX-License-Identifier: Apache-2.0
#include "health/checks.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <map>

namespace cfs::health {
namespace {

constexpr const char* kKinds[] = {"required.d", "wanted.d"};

/// The administrator's paths may be links; /dev/null is one that many know.
bool is_masked(const struct stat& found) {
    return S_ISCHR(found.st_mode) || (S_ISREG(found.st_mode) && found.st_size == 0);
}

using ByName = std::map<std::string, Check>;

void take(const Check& check, ByName& out, std::vector<std::string>& problems) {
    struct stat found {};
    if (::stat(check.path.c_str(), &found) != 0) {
        problems.push_back("the check '" + printable(check.path) + "' cannot be reached");
        return;
    }
    if (is_masked(found)) {
        out.erase(check.name);
    } else if (!S_ISREG(found.st_mode) || ::access(check.path.c_str(), X_OK) != 0) {
        problems.push_back("'" + printable(check.path) +
                           "' is no executable file, so it is no check");
    } else {
        out.insert_or_assign(check.name, check);
    }
}

ByName find_kind(const std::vector<std::string>& directories,
                 const std::string& kind,
                 std::vector<std::string>& problems) {
    ByName out;
    for (const std::string& top : directories) {
        const std::string dir = top + "/" + kind;
        if (::access(dir.c_str(), F_OK) != 0) continue;
        try {
            for (const std::string& name : list_dir(open_root(dir).get())) {
                if (name.front() == '.' || name.back() == '~') continue;
                take({name, dir + "/" + name, kind == kKinds[0]}, out, problems);
            }
        } catch (const Error& e) {
            problems.push_back("the checks in '" + printable(dir) + "': " + e.what());
        }
    }
    return out;
}

}  // namespace

std::vector<Check> find_checks(const std::vector<std::string>& directories,
                               std::vector<std::string>& problems) {
    std::vector<Check> out;
    for (const char* kind : kKinds) {
        for (auto& [name, check] : find_kind(directories, kind, problems))
            out.push_back(check);
    }
    return out;
}

}  // namespace cfs::health
