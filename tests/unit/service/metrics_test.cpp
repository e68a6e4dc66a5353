// SPDX-License-Identifier: Apache-2.0
// What metrics_text() writes, read by a reader of its own.
#include "service/metrics.hpp"

#include "integration/client/child.hpp"
#include "support/temp_dir.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::service {
namespace {

namespace json = boost::json;

/// As tests/support/openmetrics.py reads it: "name{label=value,...}" -> value.
std::map<std::string, double> read(const std::string& text) {
    const test::TempDir dir;
    dir.write("metrics", text);
    const test::Ended ended = test::run({"python3", CFS_OPENMETRICS, dir / "metrics"});
    if (ended.code != 0) {
        ADD_FAILURE() << ended.err << text;
        return {};
    }
    std::map<std::string, double> out;
    const json::value samples = json::parse(ended.out);
    for (const json::value& sample : samples.as_array()) {
        std::string name(sample.at("name").as_string());
        for (const auto& label : sample.at("labels").as_object()) {
            name += "|" + std::string(label.key()) + "=" + std::string(label.value().as_string());
        }
        out[name] = sample.at("value").to_number<double>();
    }
    return out;
}

update::DeploymentInfo deployment(const std::string& version) {
    update::DeploymentInfo out;
    out.version = version;
    out.digest = "d" + version;
    return out;
}

TEST(OpenMetricsReader, RefusesWhatIsWrong) {
    const test::Ended ended = test::run({"python3", CFS_OPENMETRICS, "--self-test"});
    EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST(Metrics, OfAMachineWithoutAnything) {
    const auto samples = read(metrics_text({}));
    EXPECT_EQ(samples.at("cfsupdated_reboot_pending"), 0);
    EXPECT_EQ(samples.at("cfsupdated_fetched_bytes_total"), 0);
    EXPECT_EQ(samples.count("cfsupdated_health_proven"), 0U);
    EXPECT_EQ(samples.count("cfsupdated_last_check_timestamp_seconds"), 0U);
}

TEST(Metrics, OfAMachineWithEverything) {
    update::Status status;
    status.booted = deployment("1");
    status.booted->proven = true;
    status.staged = deployment("2");
    status.rollback = deployment("0");
    status.available.emplace();
    status.available->version = "3";
    status.available->digest = "d3";
    status.reboot_pending = true;
    status.fallback.emplace();
    status.held = {{"a", "4", "failed"}, {"b", "5", "rolled-back"}};
    status.finalize_failure.emplace();
    status.counters = {4096, 77, 1'700'000'002, 1'700'000'001, {{"Network", 3}, {"NoSpace", 1}}};
    EXPECT_EQ(
        read(metrics_text(status)),
        (std::map<std::string, double>{{"cfsupdated_version|slot=booted|version=1|digest=d1", 1},
                                       {"cfsupdated_version|slot=staged|version=2|digest=d2", 1},
                                       {"cfsupdated_version|slot=rollback|version=0|digest=d0", 1},
                                       {"cfsupdated_version|slot=available|version=3|digest=d3", 1},
                                       {"cfsupdated_health_proven", 1},
                                       {"cfsupdated_reboot_pending", 1},
                                       {"cfsupdated_fallback", 1},
                                       {"cfsupdated_held_versions", 2},
                                       {"cfsupdated_finalize_failed", 1},
                                       {"cfsupdated_last_check_timestamp_seconds", 1'700'000'002},
                                       {"cfsupdated_last_success_timestamp_seconds", 1'700'000'001},
                                       {"cfsupdated_fetched_bytes_total", 4096},
                                       {"cfsupdated_reused_bytes_total", 77},
                                       {"cfsupdated_failures_total|error=Network", 3},
                                       {"cfsupdated_failures_total|error=NoSpace", 1}}));
}

TEST(Metrics, NoVersionCanForgeASample) {
    for (const std::string& hostile : {std::string("1\"} 0\ncfsupdated_fallback 0\n# EOF\n"),
                                       std::string("back\\slash\\"),
                                       std::string("\xff\xfe bytes"),
                                       std::string("nul\0in it", 9),
                                       std::string("tab\tand\r\x1b[31m"),
                                       std::string("{},=# "),
                                       std::string(100'000, 'A')}) {
        update::Status status;
        status.booted = deployment(hostile);
        status.booted->digest = "d";
        status.fallback.emplace();
        status.counters.failures[hostile] = 1;
        const auto samples = read(metrics_text(status));
        EXPECT_EQ(samples.at("cfsupdated_fallback"), 1) << hostile;
        EXPECT_EQ(samples.count("cfsupdated_health_proven"), 1U) << hostile;
        EXPECT_EQ(samples.size(), 9U) << hostile;
    }
}

TEST(Metrics, QuotesAndBackslashesComeThrough) {
    update::Status status;
    status.booted = deployment("1 \"x\\n\" \xc3\xa9");
    status.booted->digest = "d";
    EXPECT_EQ(read(metrics_text(status))
                  .count("cfsupdated_version|slot=booted|version=1 \"x\\n\" \xc3\xa9|digest=d"),
              1U);
}

}  // namespace
}  // namespace cfs::service
