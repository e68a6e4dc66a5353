// SPDX-License-Identifier: Apache-2.0
#include "forgetful.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <ostream>

namespace cfs::test {
namespace {

/// One point in so many in a short run.
constexpr std::size_t kOneOf = 7;

/// The disk of a machine that loses its power.
class Forgetful {
 public:
    explicit Forgetful(const CrashSite& site)
        : machine_(site.site.dir.path()), shadow_(dir_ / "shadow") {
        tell("begin");
    }

    [[nodiscard]] std::vector<std::string> variables() const {
        return {"LD_PRELOAD=" CFS_FORGET_IO,
                "ASAN_OPTIONS=verify_asan_link_order=0",
                "CFS_FORGET_DIR=" + machine_,
                "CFS_FORGET_SCRIPT=" CFS_FORGET,
                "CFS_FORGET_SHADOW=" + shadow_};
    }

    void power_returns() { tell("end"); }

 private:
    void tell(const char* what) {
        const auto ended = run_process({CFS_FORGET, what, machine_, shadow_});
        EXPECT_EQ(ended.code, 0) << ended.output;
    }

    TempDir dir_;
    std::string machine_, shadow_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Crash& crash) {
    return out << crash.point << (crash.death == Death::Killed ? " killed" : " without power");
}

std::vector<Crash> killed_at(const std::set<std::string>& points) {
    std::vector<Crash> out;
    for (const auto& point : points)
        out.push_back({point, Death::Killed});
    return out;
}

std::vector<Crash> power_lost_at(const std::set<std::string>& points) {
    std::vector<Crash> out;
    std::size_t count = points.empty() ? 0 : std::hash<std::string>()(*points.begin()) % kOneOf;
    for (const auto& point : points) {
        if (is_sampled(count++)) out.push_back({point, Death::PowerLoss});
    }
    if (out.empty() && !points.empty()) out.push_back({*points.rbegin(), Death::PowerLoss});
    return out;
}

bool is_sampled(std::size_t count) {
    const char* all = std::getenv("CFS_LONG");
    return (all != nullptr && std::string(all) == "1") || count % kOneOf == 0;
}

std::string test_name(std::string point) {
    for (char& c : point) {
        if (c == '-' || c == '.') c = '_';
    }
    return point;
}

std::string crash_name(const testing::TestParamInfo<Crash>& row) {
    return test_name(row.param.point);
}

void die(const CrashSite& site, const std::vector<std::string>& command, const Crash& crash) {
    std::optional<Forgetful> disk;
    std::vector<std::string> variables = {"CFS_CRASH_POINT=" + crash.point};
    if (crash.death == Death::PowerLoss) {
        disk.emplace(site);
        for (const auto& variable : disk->variables())
            variables.push_back(variable);
    }
    const auto ended = run_process(command, variables);
    ASSERT_EQ(ended.signal, SIGKILL) << ended.output;
    if (disk) disk->power_returns();
}

}  // namespace cfs::test
