// SPDX-License-Identifier: Apache-2.0
#include "service/metrics.hpp"

#include "service/bus.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace cfs::service {
namespace {

constexpr std::size_t kLongestLabel = 200;

using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// Any UTF-8 may stand there but these three; control characters are gone already.
std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (const char c : bus_line(value, kLongestLabel)) {
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out + "\"";
}

/// Collects families, one after the other, as the format wants them.
class Exposition {
 public:
    void family(std::string_view name,
                std::string_view type,
                std::string_view help,
                std::string_view unit = {}) {
        family_ = name;
        suffix_ = type == "counter" ? "_total" : "";
        text_ += "# TYPE " + family_ + " " + std::string(type) + "\n";
        if (!unit.empty()) text_ += "# UNIT " + family_ + " " + std::string(unit) + "\n";
        text_ += "# HELP " + family_ + " " + std::string(help) + "\n";
    }

    void sample(std::uint64_t value, const Labels& labels = {}) {
        text_ += family_ + suffix_;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            text_ += i == 0 ? "{" : ",";
            text_ += std::string(labels[i].first) + "=" + quoted(labels[i].second);
        }
        text_ += (labels.empty() ? " " : "} ") + std::to_string(value) + "\n";
    }

    void gauge(std::string_view name, std::uint64_t value, std::string_view help) {
        family(name, "gauge", help);
        sample(value);
    }

    std::string finish() { return std::move(text_) + "# EOF\n"; }

 private:
    std::string text_;
    std::string family_;
    std::string suffix_;
};

void put_deployment(Exposition& out,
                    const char* slot,
                    const std::optional<update::DeploymentInfo>& deployment) {
    if (!deployment) return;
    out.sample(1,
               {{"slot", slot}, {"version", deployment->version}, {"digest", deployment->digest}});
}

void put_versions(Exposition& out, const update::Status& status) {
    out.family("cfsupdated_version", "gauge", "What runs, what waits, and what an update would be");
    put_deployment(out, "booted", status.booted);
    put_deployment(out, "staged", status.staged);
    put_deployment(out, "rollback", status.rollback);
    if (!status.available) return;
    out.sample(1,
               {{"slot", "available"},
                {"version", status.available->version},
                {"digest", status.available->digest}});
}

/// Left out while there was none: 1970 would look like an alarm.
void put_time(Exposition& out, std::string_view name, std::int64_t time, std::string_view help) {
    if (time <= 0) return;
    out.family(name, "gauge", help, "seconds");
    out.sample(static_cast<std::uint64_t>(time));
}

void put_counters(Exposition& out, const update::Counters& counters) {
    put_time(out,
             "cfsupdated_last_check_timestamp_seconds",
             counters.last_check,
             "When somebody last looked for an update, or wanted one");
    put_time(out,
             "cfsupdated_last_success_timestamp_seconds",
             counters.last_success,
             "When that last ended well");
    out.family("cfsupdated_fetched_bytes", "counter", "Bytes that were fetched", "bytes");
    out.sample(counters.fetched);
    out.family("cfsupdated_reused_bytes", "counter", "Bytes that were here already", "bytes");
    out.sample(counters.reused);
    out.family("cfsupdated_failures", "counter", "What failed, by the name of its error");
    for (const auto& [error, count] : counters.failures)
        out.sample(count, {{"error", error}});
}

}  // namespace

std::string metrics_text(const update::Status& status) {
    Exposition out;
    put_versions(out, status);
    if (status.booted)
        out.gauge("cfsupdated_health_proven",
                  status.booted->proven ? 1 : 0,
                  "The running version passed its health checks");
    out.gauge("cfsupdated_reboot_pending",
              status.reboot_pending ? 1 : 0,
              "The next start brings another version");
    out.gauge("cfsupdated_fallback",
              status.fallback ? 1 : 0,
              "A newer version did not come up, an older one runs");
    out.gauge("cfsupdated_held_versions",
              status.held.size(),
              "Versions that are not installed by themselves");
    out.gauge("cfsupdated_finalize_failed",
              status.finalize_failure ? 1 : 0,
              "The last shutdown could not make the next version ready");
    put_counters(out, status.counters);
    return out.finish();
}

}  // namespace cfs::service
