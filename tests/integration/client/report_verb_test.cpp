// SPDX-License-Identifier: Apache-2.0
// The bug report: what is in it, and what must never be.
#include "base/bytes.hpp"
#include "bus_site.hpp"
#include "initrd/record.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <array>
#include <ctime>
#include <filesystem>

namespace cfs::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// Each planted in another place.
constexpr const char* kSecrets[] = {"secret-proxy-env",
                                    "secret-proxy-setting",
                                    "secret-image-user",
                                    "secret-auth-file",
                                    "c2VjcmV0LXVzZXI6c2VjcmV0LWF1dGgtZmlsZQ==",
                                    "secret-identity-token",
                                    "secret-client-key",
                                    "secret-record",
                                    "secret-presigned",
                                    "secret-bearer",
                                    "secret-unit-proxy",
                                    "secret-quote",
                                    "secret-database",
                                    "secret-journal-key",
                                    "secret-kernel-argument",
                                    "secret-kernel-psk",
                                    "secret-kernel-phrase",
                                    "secret-site-pin",
                                    "secret-c",
                                    "secret-etc-content",
                                    "secret-environment",
                                    "secret-symlink",
                                    "secret-uki"};

/// A message that quotes it cuts it within the last.
constexpr const char* kArguments =
    "composefs=abcd quiet rd.luks.name=secret-kernel-argument "
    "x.phrase=\"a secret-kernel-phrase b\" y.psk=012345 z.key=secret-cut-argument";

class ReportVerb : public testing::Test {
 protected:
    void SetUp() override {
        plant_files();
        plant_programs();
    }

    void plant_files() {
        const std::string state = "sysroot/state/cfsupdated/";
        dir_.write("c.toml",
                   "image = \"docker://me:secret-image-user@registry.example/os:stable\"\n"
                   "sysroot = \"" +
                       dir_ / "sysroot" + "\"\nesp = \"" + dir_ / "esp" + "\"\nrun = \"" +
                       dir_ / "run" + "\"\ncmdline = \"" + dir_ / "cmdline" +
                       "\"\n[net]\nproxy = \"http://me:secret-proxy-setting@proxy.example:3128\"\n"
                       "auth_files = [\"" +
                       dir_ / "auth.json" + "\"]\ncerts_dirs = [\"" + dir_ / "certs" + "\"]\n");
        dir_.write("auth.json",
                   R"({"auths":{"registry.example":{"auth":)"
                   R"("c2VjcmV0LXVzZXI6c2VjcmV0LWF1dGgtZmlsZQ==","identitytoken":)"
                   R"("secret-identity-token"}}})");
        dir_.write("certs/registry.example/client.key",
                   "-----BEGIN PRIVATE KEY-----\nsecret-client-key\n");
        dir_.write("cmdline", std::string(kArguments) + "\n");
        dir_.write(state + "last-error.json",
                   R"({"name":"Network","message":"GET https://u:secret-record@cdn.example/x?)"
                   R"(sig=secret-presigned ended with 500","hint":"try again"})");
        dir_.write(state + "deployments/os_1.json", R"({"version":"1","note":"a record"})");
        dir_.write(state + "blobs/partial", "secret-environment\n");
        dir_.write("outside", "secret-symlink\n");
        fs::create_symlink(dir_ / "outside", dir_ / (state + "odd.json"));
        plant_boot_record();
        dir_.write("esp/EFI/Linux/os_1.efi", "MZ secret-uki");
        dir_.write("sysroot/state/deploy/abcd/etc/shadow", "root:secret-etc-content\n");
    }

    /// As the initrd leaves it.
    void plant_boot_record() {
        initrd::BootRecord record;
        record.cmdline =
            "composefs=abcd quiet foo.psk=secret-kernel-psk site.pin=secret-site-pin console=ttyS0";
        initrd::write_boot_record(dir_ / "run", record);
    }

    /// What the journal and systemd would say.
    void plant_programs() {
        dir_.write("bin/journalctl",
                   "#!/bin/sh\n"
                   "echo \"called: $*\"\n"
                   "echo 'cfsupdated: GET https://registry.example/v2 with Authorization: Bearer "
                   "secret-bearer'\n"
                   "echo 'cfsupdated: as secret-user:secret-auth-file, plain secret-auth-file'\n"
                   "printf -- '-----BEGIN RSA PRIVATE KEY-----\\nsecret-journal-key\\n-----END RSA "
                   "PRIVATE KEY-----\\n'\n"
                   "echo 'cfsupdated: through http://me:secret-proxy-env@proxy2.example'\n"
                   "echo 'cfsupdated: no answer to secret-unit-proxy'\n"
                   "echo 'cfsupdated: GET https://me:x\"secret-quote@cdn.example "
                   "DB_PASS=secret-database'\n"
                   "echo 'cfs-prepare-root: no image in quiet "
                   "rd.luks.name=secret-kernel-argument x'\n"
                   "echo 'cfs-prepare-root: in all of " +
                       printable(kArguments) +
                       "'\n"
                       "echo 'cfsupdated: the last line'\n",
                   0755);
        dir_.write("bin/systemctl",
                   "#!/bin/sh\necho \"systemd 252 $*\"\n"
                   "[ \"$1\" != show ] || echo Environment=A=b "
                   "http_proxy=http://me:secret-unit-proxy@proxy3.example\n",
                   0755);
    }

    [[nodiscard]] std::vector<std::string> report(const std::string& bus,
                                                  const std::vector<std::string>& more = {}) const {
        std::vector<std::string> argv = {"env",
                                         "-C",
                                         dir_.path(),
                                         "PATH=" + dir_ / "bin" + ":/usr/bin:/bin",
                                         "HTTPS_PROXY=http://me:secret-proxy-env@proxy2.example",
                                         "SOME_TOKEN=secret-environment",
                                         CFS_CFSCTL,
                                         "--bus",
                                         bus,
                                         "report",
                                         "--config",
                                         dir_ / "c.toml"};
        argv.insert(argv.end(), more.begin(), more.end());
        return argv;
    }

    /// Unpacks and gives all of it, file names included.
    std::string unpack(const std::string& file) {
        fs::create_directories(dir_ / "out");
        EXPECT_EQ(run({"tar", "-xzf", file, "-C", dir_ / "out", "--strip-components=1"}).code, 0);
        std::string all;
        for (const auto& entry : fs::recursive_directory_iterator(dir_ / "out"))
            all += entry.path().string() + "\n" + part(entry.path().filename()) + "\n";
        return all;
    }

    std::string part(const std::string& name) { return dir_.read("out/" + name); }

    void expect_no_secrets(const std::string& text) {
        for (const char* const secret : kSecrets)
            EXPECT_EQ(text.find(secret), std::string::npos) << secret << "\n" << text;
    }

    TempDir dir_;
};

TEST_F(ReportVerb, HasNoneOfTheSecretsAndAllOfTheRest) {
    BusSite site;
    site.start_daemon("docker://me:secret-image-user@registry.example/os");
    const Ended ended = run(report(site.address(), {"-o", "r.tar.gz", "--json"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(json::parse(ended.out).at("file").as_string(), "r.tar.gz");
    expect_no_secrets(unpack(dir_ / "r.tar.gz"));
    expect_no_secrets(ended.out + ended.err);
    EXPECT_EQ(json::parse(part("status.json")).at("booted").at("version").as_string(), "1");
    EXPECT_EQ(json::parse(part("history.json")).at("history").as_array().size(), 2U);
    EXPECT_NE(part("settings.toml").find("proxy = \"http://REDACTED@proxy.example:3128\""),
              std::string::npos)
        << part("settings.toml");
    EXPECT_NE(part("records.txt").find("REDACTED@cdn.example/x?REDACTED ended with 500"),
              std::string::npos)
        << part("records.txt");
    EXPECT_NE(part("records.txt").find("os_1.json"), std::string::npos);
    EXPECT_NE(part("records.txt").find("booted.json"), std::string::npos);
    EXPECT_NE(
        part("records.txt")
            .find(
                R"("cmdline":"composefs=abcd quiet foo.psk=REDACTED site.pin=... console=ttyS0")"),
        std::string::npos)
        << part("records.txt");
    EXPECT_EQ(part("esp.txt"), "13 " + dir_ / "esp/EFI/Linux/os_1.efi" + "\n");
    EXPECT_EQ(part("cmdline.txt"),
              "composefs=abcd\nquiet\nrd.luks.name=...\nx.phrase=...\ny.psk=REDACTED\nz.key=...\n");
    EXPECT_NE(part("journal.txt").find("--unit=cfsupdated*"), std::string::npos);
    EXPECT_NE(part("journal.txt").find("no image in quiet REDACTED x"), std::string::npos);
    EXPECT_NE(part("journal.txt").find("cfsupdated: the last line"), std::string::npos);
    EXPECT_NE(part("versions.txt").find("systemd 252"), std::string::npos);
    EXPECT_NE(part("mounts.txt").find(" / "), std::string::npos);
    EXPECT_NE(part("disk.txt").find("free"), std::string::npos);
}

// The planted secrets would be found: the same without redaction.
TEST_F(ReportVerb, TheSecretsAreWhereTheyCouldBe) {
    for (const char* const place : {"c.toml",
                                    "auth.json",
                                    "cmdline",
                                    "run/booted.json",
                                    "bin/journalctl",
                                    "sysroot/state/cfsupdated/last-error.json"})
        EXPECT_NE(dir_.read(place).find(std::string(place) == "auth.json" ? "c2VjcmV0" : "secret-"),
                  std::string::npos)
            << place;
}

TEST_F(ReportVerb, WithADeadDaemonTheRestIsThereAndItIsSaid) {
    const Ended ended = run(report("unix:path=/nonexistent", {"--json"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    const json::value result = json::parse(ended.out);
    const std::string file(result.at("file").as_string());
    EXPECT_TRUE(file.starts_with("cfsctl-report-") && file.ends_with("Z.tar.gz")) << file;
    struct stat st {};
    ASSERT_EQ(::stat((dir_ / file).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777U, 0600U);
    const std::string all = unpack(dir_ / file);
    expect_no_secrets(all);
    const json::value index = json::parse(part("report.json"));
    for (const json::value& each : index.at("parts").as_array()) {
        const std::string name(each.at("name").as_string());
        const bool of_daemon = name == "status.json" || name == "history.json";
        EXPECT_EQ(each.at("problem").as_string().empty(), !of_daemon && name != "records.txt")
            << name << ": " << each.at("problem").as_string();
        EXPECT_EQ(each.at("bytes").to_number<std::size_t>(), part(name).size()) << name;
    }
}

TEST_F(ReportVerb, PartsThatCannotBeHadAreNamed) {
    fs::remove_all(dir_ / "esp");
    dir_.write("bin/journalctl", "#!/bin/sh\necho some; echo 'No journal' >&2; exit 1\n", 0755);
    dir_.write("c.toml", "image = 5\n");
    const Ended ended = run(report("unix:path=/nonexistent"));
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.out.find("not all of settings.toml: "), std::string::npos) << ended.out;
    EXPECT_NE(ended.out.find("not all of journal.txt: 'journalctl': it ended with exit code 1"),
              std::string::npos)
        << ended.out;
    EXPECT_NE(ended.out.find("hint: look through it"), std::string::npos);
}

TEST_F(ReportVerb, GoesToStandardOutput) {
    const Ended ended = run(report("unix:path=/nonexistent", {"-o", "-"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    dir_.write("piped", ended.out);
    EXPECT_NE(unpack(dir_ / "piped").find("report.json"), std::string::npos);
    EXPECT_NE(ended.err.find("the report has"), std::string::npos) << ended.err;
    EXPECT_EQ(run(report("unix:path=/nonexistent", {"-o", "-", "--json"})).code, 1);
}

TEST_F(ReportVerb, LeavesNothingBehindWhereItCannotWrite) {
    const Ended ended = run(report("unix:path=/nonexistent", {"-o", dir_ / "none/r.tar.gz"}));
    EXPECT_EQ(ended.code, 3) << ended.err;
    EXPECT_FALSE(fs::exists(dir_ / "none"));
}

// In a directory of somebody else, who knows the name before it is there.
TEST_F(ReportVerb, WritesThroughNothingThatHasItsName) {
    const std::time_t now = std::time(nullptr);
    for (std::time_t at = now; at < now + 60; ++at) {
        std::array<char, 64> name{};
        std::tm utc{};
        ASSERT_NE(::gmtime_r(&at, &utc), nullptr);
        std::strftime(name.data(), name.size(), "cfsctl-report-%Y%m%d-%H%M%SZ.tar.gz", &utc);
        fs::create_symlink("/dev/null", dir_ / name.data());
    }
    const std::string before = tree_listing(dir_.path());
    const Ended ended = run(report("unix:path=/nonexistent"));
    EXPECT_NE(ended.code, 0) << ended.out;
    EXPECT_NE(ended.err.find("exists already"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("--output"), std::string::npos) << ended.err;
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(ReportVerb, ReplacesWhatWasNamedAndIsForItsOwnerAlone) {
    dir_.write("r.tar.gz", "an older one", 0644);
    const Ended ended = run(report("unix:path=/nonexistent", {"-o", "r.tar.gz"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    struct stat st {};
    ASSERT_EQ(::stat((dir_ / "r.tar.gz").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777U, 0600U);
    EXPECT_NE(unpack(dir_ / "r.tar.gz").find("report.json"), std::string::npos);
}

TEST_F(ReportVerb, AJournalWithoutEndIsBounded) {
    dir_.write("bin/journalctl", "#!/bin/sh\nexec yes 'a line of the journal'\n", 0755);
    const Ended ended = run(report("unix:path=/nonexistent", {"-o", "r.tar.gz"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.out.find("it printed more than was wanted"), std::string::npos) << ended.out;
    (void)unpack(dir_ / "r.tar.gz");
    EXPECT_EQ(part("journal.txt").size(), std::size_t{4} << 20);
}

}  // namespace
}  // namespace cfs::test
