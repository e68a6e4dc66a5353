// SPDX-License-Identifier: Apache-2.0
#include "client/output/human.hpp"
#include "client/output/result_text.hpp"
#include "client/output/status_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace cfs::client {
namespace {

Deployment deployment(const std::string& version, const std::string& state) {
    Deployment out;
    out.version = version;
    out.state = state;
    out.digest = "0123456789abcdef0123456789abcdef";
    out.title = "A title of the operating system " + version;
    out.uki = "os_" + version + "-000001-01234567.efi";
    out.installed = 1'700'000'000;
    return out;
}

Status busy_status() {
    Status out;
    out.state = "idle";
    out.image = "docker://registry.example/os:stable";
    out.booted = deployment("1", "booted");
    out.staged = deployment("2", "armed");
    out.deployments = {*out.staged, *out.booted};
    out.deployments[1].problem = "the image link is missing, and so is much else that it needs";
    out.available =
        Available{out.image, "3", "sha256:00", "ff", 5 << 20, 0, 18 << 20, 1'700'000'000};
    out.last_error = Failure{"Network",
                             "the registry did not answer: connection refused by the peer",
                             "try again, or check the network",
                             "",
                             1'700'000'000};
    out.fallback = Fallback{"1.5",
                            "fedcba9876543210",
                            "os_1.5",
                            "its health checks failed: 'db.sh' ended with 1: no disk",
                            1'700'000'000};
    out.held = {{"0123456789abcdef", "1.4", "rolled-back"},
                {"fedcba9876543210", "1.5", "failed"},
                {"00ff00ff00ff00ff", "", "left"}};
    out.verity = "not enforced: the file system of the store has no fs-verity";
    out.reboot_pending = true;
    out.warnings = {"the certificate expires soon"};
    return out;
}

TEST(StatusText, Fits80Columns) {
    std::istringstream lines(status_text(busy_status(), 80, false));
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(columns(line), 80U) << line;
}

TEST(StatusText, ShowsWhatMatters) {
    const std::string text = status_text(busy_status(), 80, false);
    for (const char* part : {"State       idle\n",
                             "Booted      1 (0123456789ab, booted), on trial",
                             "Fallback    version 1.5 (fedcba987654) did not come up and is held",
                             "because: its health checks failed: 'db.sh' ended with 1: no disk",
                             "Held        version 1.4 (0123456789ab, rolled-back): not installed",
                             "Held        one (00ff00ff00ff, left): not installed by itself",
                             "Staged      2 (0123456789ab, armed)",
                             "Rollback    none\n",
                             "version 3, 5.0 MiB to fetch (18.0 MiB unpacked)",
                             "Network at ",
                             "hint: try again, or check the network",
                             "Reboot      pending: version 2 runs after it\n",
                             "Warning     the certificate expires soon",
                             "os_2-000001-01234567.efi\n",
                             "Problem     1: the image link is missing"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

TEST(StatusText, SaysWhenASoftRebootIsEnough) {
    Status status = busy_status();
    status.soft_reboot_problem = "its kernel is another one";
    EXPECT_EQ(status_text(status, 80, false).find("a soft one"), std::string::npos);
    status.soft_reboot_problem = "";
    EXPECT_NE(status_text(status, 80, false)
                  .find("Reboot      pending: version 2 runs after it; a soft one is enough\n"),
              std::string::npos);
}

TEST(StatusText, SaysOnceThatTheFallbackIsHeld) {
    const std::string text = status_text(busy_status(), 80, false);
    EXPECT_EQ(text.find("Held        version 1.5"), std::string::npos) << text;
}

TEST(StatusText, HasNoColourUnlessAsked) {
    EXPECT_EQ(status_text(busy_status(), 80, false).find('\x1b'), std::string::npos);
    EXPECT_NE(status_text(busy_status(), 80, true).find('\x1b'), std::string::npos);
}

TEST(StatusText, AProvenVersionIsNotOnTrial) {
    Status status = busy_status();
    status.booted->proven = true;
    EXPECT_EQ(status_text(status, 80, false).find("on trial"), std::string::npos);
}

TEST(StatusText, WhatIsTriedOnceIsSaid) {
    Status status = busy_status();
    ASSERT_TRUE(status.staged);
    EXPECT_EQ(status_text(status, 80, false).find("tried once"), std::string::npos);
    status.staged->trial = true;
    EXPECT_NE(status_text(status, 80, false).find("to be tried once"), std::string::npos);
}

TEST(StatusText, APinnedVersionIsShownAsOne) {
    Status status = busy_status();
    EXPECT_EQ(status_text(status, 80, false).find("pinned"), std::string::npos);
    status.deployments[1].pinned = true;
    EXPECT_NE(status_text(status, 80, false).find("booted, pinned"), std::string::npos);
}

TEST(StatusText, AnEmptyStatusIsShownToo) {
    const std::string text = status_text(Status{}, 80, false);
    EXPECT_NE(text.find("Booted      none\n"), std::string::npos);
    EXPECT_NE(text.find("Image       not configured\n"), std::string::npos);
}

TEST(ErrorText, IsTheErrorThenDetailsThenTheHint) {
    Error error(ErrorCode::BadFormat, "expected x, found y", "write it again");
    error.set_details("first\nsecond\n");
    EXPECT_EQ(error_text(error),
              "cfsctl: expected x, found y\n  first\n  second\n  hint: write it again\n");
}

TEST(ErrorText, LeavesOutAHintThatIsNotThere) {
    EXPECT_EQ(error_text(Error(ErrorCode::Io, "it broke")), "cfsctl: it broke\n");
}

TEST(UpdateText, EachOutcomeSaysWhatIsNext) {
    UpdateOutcome outcome;
    outcome.deployment = deployment("2", "staged");
    outcome.outcome = "staged";
    EXPECT_NE(update_text(outcome).find("reboot"), std::string::npos);
    outcome.deployment.locked = true;
    EXPECT_NE(update_text(outcome).find("cfsctl finalize"), std::string::npos);
    outcome.outcome = "finalized";
    EXPECT_NE(update_text(outcome).find("reboot"), std::string::npos);
    outcome.outcome = "nothing-to-do";
    EXPECT_TRUE(update_text(outcome).starts_with("nothing to do"));
}

TEST(RollbackText, ToWhatRunsNeedsNoReboot) {
    EXPECT_EQ(rollback_text(deployment("1", "booted")).find("reboot"), std::string::npos);
    EXPECT_NE(rollback_text(deployment("1", "armed")).find("reboot"), std::string::npos);
}

TEST(CollectText, ADryRunListsAndSaysWould) {
    CollectOutcome outcome;
    outcome.dry_run = true;
    outcome.deployments = {"abcd"};
    outcome.items = {"objects/ab/cd"};
    outcome.items_omitted = 3;
    outcome.objects = 1;
    outcome.bytes = 2048;
    EXPECT_EQ(collect_text(outcome),
              "would drop deployment abcd\n  objects/ab/cd\n  and 3 more\n"
              "would drop 1 object, 2.0 KiB\n");
}

TEST(VerifyText, ListsDamageAndSaysWhatToDo) {
    VerifyOutcome outcome;
    outcome.deployments = {"1 (a)", "2 (b)"};
    outcome.objects = 12;
    outcome.bytes = 2048;
    EXPECT_EQ(verify_text(outcome), "sound: 2 deployments, 12 objects (2.0 KiB read)\n");
    outcome.sound = false;
    outcome.missing = 1;
    outcome.items = {"object ab: is missing"};
    outcome.items_omitted = 2;
    outcome.warnings = {"half blind"};
    EXPECT_EQ(verify_text(outcome),
              "object ab: is missing\nand 2 more\n"
              "damaged: 2 deployments, 12 objects (2.0 KiB read); 1 missing, 0 damaged\n"
              "  hint: 'cfsctl repair' fetches what is needed again\n"
              "warning: half blind\n");
}

TEST(EtcText, NothingIsSaidInWords) {
    EtcPreview preview;
    EXPECT_EQ(etc_preview_text(preview), "nothing in /etc changes\n");
    preview.local_only = true;
    EXPECT_EQ(etc_preview_text(preview), "nothing in /etc differs from the running image\n");
    preview.omitted = 4;
    EXPECT_EQ(etc_preview_text(preview), "and 4 more\n");
}

TEST(EtcText, AnUpdateShowsConflictsAfterChanges) {
    UpdateOutcome outcome;
    outcome.outcome = "finalized";
    outcome.etc_changes = {"/etc/a: kept-local"};
    outcome.etc_conflicts = {"/etc/b: in the way"};
    EXPECT_NE(update_text(outcome).find("  /etc:\n    /etc/a: kept-local\n"
                                        "  conflicts in /etc:\n    /etc/b: in the way\n"),
              std::string::npos)
        << update_text(outcome);
}

TEST(RepairText, SaysWhatItCost) {
    RepairOutcome outcome;
    outcome.found.objects = 1;
    EXPECT_EQ(repair_text(outcome),
              "nothing to do: 0 deployments, 1 object (0 B read), all sound\n");
    outcome.found.sound = false;
    outcome.found.items = {"object ab: is missing"};
    outcome.repaired = 1;
    outcome.layers = 1;
    outcome.fetched_bytes = 2048;
    EXPECT_EQ(repair_text(outcome),
              "object ab: is missing\nrepaired all 1: fetched 1 layer, 2.0 KiB\n");
}

TEST(FsckText, NamesEachFinding) {
    store::FsckReport report;
    report.clean = false;
    report.findings = {{store::FindingKind::Ref, "images/refs/x", "points nowhere"}};
    const std::string text = fsck_text(report);
    EXPECT_NE(text.find("images/refs/x: points nowhere\n"), std::string::npos);
    EXPECT_NE(text.find("damaged: "), std::string::npos);
    EXPECT_NE(text.find("1 finding\n"), std::string::npos);
}

TEST(JobLine, ShowsProgressWhileItRuns) {
    JobState job;
    job.id = 7;
    job.kind = "update";
    job.state = "running";
    job.stage = "fetch";
    job.bytes_done = 1024;
    job.bytes_total = 2048;
    EXPECT_EQ(job_line(job), "job 7 update: running, fetch 1.0 KiB/2.0 KiB\n");
    job.state = "done";
    EXPECT_EQ(job_line(job), "job 7 update: done\n");
}

}  // namespace
}  // namespace cfs::client
