// SPDX-License-Identifier: Apache-2.0
#include "settings/load.hpp"

#include "base/error.hpp"
#include "settings/keys.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace cfs::settings {
namespace {

using namespace std::chrono_literals;

Settings from(std::string_view text) {
    Settings settings;
    std::vector<std::string> warnings;
    apply_text(text, "x.toml", settings, warnings);
    EXPECT_TRUE(warnings.empty()) << warnings.front();
    return settings;
}

std::string refusal(std::string_view text, ErrorCode code = ErrorCode::InvalidArgs) {
    try {
        from(text);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), code);
        EXPECT_FALSE(e.hint().empty());
        return e.what();
    }
    return "accepted";
}

TEST(Settings, AnEmptyFileGivesTheDefaults) {
    const Settings settings = from("");
    EXPECT_EQ(settings.sysroot, "/sysroot");
    EXPECT_EQ(settings.store.verity, Verity::Require);
    EXPECT_EQ(settings.trust.mode, TrustMode::Sealed);
    EXPECT_EQ(settings.update.keep, 2U);
}

TEST(Settings, NoUkiIsAllowedThatTheBootCodeRefuses) {
    EXPECT_EQ(from("[boot]\nmax_uki_size = \"2047M\"\n").boot.max_uki_size,
              std::uint64_t{2047} << 20);
    EXPECT_NE(refusal("[boot]\nmax_uki_size = \"2G\"\n").find("2047M"), std::string::npos);
}

TEST(Settings, EveryKindOfValueIsRead) {
    const Settings settings = from(R"(
image = "oci:/srv/images:v2"
sysroot = "/tmp/root"
[store]
verity = "try"
hash = "sha256"
lock_timeout = "1500ms"
reserve = "1M"
verify_rate = "2M"
[trust]
mode = "unsealed"
certificates = ["/a.pem", "/b"]
allow_ec = true
[boot]
tries = 9
esp_reserve = 4096
max_uki_size = "256M"
[update]
auto_finalize = false
inhibit_max_age = "2h"
[etc]
rules = ["both ssh/sshd_config", "ignore /etc/*.d/"]
on_conflict = "stop"
[net]
insecure_registries = ["registry.local:5000"]
registries_conf = ""
certs_dirs = ["/c"]
proxy = "socks5h://p:1"
rate_limit = "2M"
keep_partial = "8M"
auth_files = ["/etc/own.json"]
connect_timeout = "2min"
connections = 3
[tell]
motd = ""
metrics = "/run/x.prom"
)");
    EXPECT_EQ(settings.image, "oci:/srv/images:v2");
    EXPECT_EQ(settings.sysroot, "/tmp/root");
    EXPECT_EQ(settings.store.verity, Verity::Try);
    EXPECT_EQ(settings.store.hash, HashAlgorithm::Sha256);
    EXPECT_EQ(settings.store.lock_timeout, 1500ms);
    EXPECT_EQ(settings.store.reserve, std::uint64_t{1} << 20);
    EXPECT_EQ(settings.store.verify_rate, std::uint64_t{2} << 20);
    EXPECT_EQ(settings.trust.mode, TrustMode::Unsealed);
    EXPECT_EQ(settings.trust.certificates, (std::vector<std::string>{"/a.pem", "/b"}));
    EXPECT_TRUE(settings.trust.allow_ec);
    EXPECT_EQ(settings.boot.tries, 9U);
    EXPECT_EQ(settings.boot.esp_reserve, 4096U);
    EXPECT_EQ(settings.boot.max_uki_size, std::uint64_t{256} << 20);
    EXPECT_FALSE(settings.update.auto_finalize);
    EXPECT_EQ(settings.update.inhibit_max_age, std::chrono::hours(2));
    EXPECT_EQ(settings.etc.rules,
              (std::vector<std::string>{"both ssh/sshd_config", "ignore /etc/*.d/"}));
    EXPECT_EQ(settings.etc.on_conflict, OnConflict::Stop);
    EXPECT_EQ(settings.net.insecure_registries, std::vector<std::string>{"registry.local:5000"});
    EXPECT_EQ(settings.net.registries_conf, "");
    EXPECT_EQ(settings.net.certs_dirs, std::vector<std::string>{"/c"});
    EXPECT_EQ(settings.net.proxy, "socks5h://p:1");
    EXPECT_EQ(settings.net.rate_limit, std::uint64_t{2} << 20);
    EXPECT_EQ(settings.net.keep_partial, std::uint64_t{8} << 20);
    EXPECT_EQ(settings.net.auth_files, std::vector<std::string>{"/etc/own.json"});
    EXPECT_EQ(settings.net.connect_timeout, 120s);
    EXPECT_EQ(settings.net.connections, 3U);
    EXPECT_EQ(settings.tell.motd, "");
    EXPECT_EQ(settings.tell.metrics, "/run/x.prom");
}

TEST(Settings, PrintedSettingsAreReadBackTheSame) {
    Settings settings = from("image = \"a\\\"b\\\\c\"\n[net]\nstall_timeout = \"90s\"\n");
    settings.trust.certificates = {};
    const std::string printed = print_config(settings);
    EXPECT_EQ(print_config(from(printed)), printed);
    EXPECT_EQ(from(printed).image, "a\"b\\c");
    for (const Key& key : keys())
        EXPECT_FALSE(key.allowed.empty()) << key.name;
}

TEST(Settings, UnknownKeysAreWarnedOfWithTheirPlace) {
    Settings settings;
    std::vector<std::string> warnings;
    apply_text("[store]\nverty = 1\n[colour]\nred = 1\n[a]\n\"store.verity\" = 1\n",
               "x.toml",
               settings,
               warnings);
    ASSERT_EQ(warnings.size(), 3U);
    std::sort(warnings.begin(), warnings.end());
    EXPECT_EQ(warnings[1], "x.toml:3:2: unknown key \"colour\" is ignored");
    EXPECT_EQ(warnings[0], "x.toml:2:1: unknown key \"store.verty\" is ignored");
    EXPECT_EQ(warnings[2], "x.toml:5:2: unknown key \"a\" is ignored");
}

TEST(Settings, AQuotedDotIsNoWayIntoATable) {
    Settings settings;
    std::vector<std::string> warnings;
    apply_text("\"store.verity\" = \"off\"", "x.toml", settings, warnings);
    EXPECT_EQ(settings.store.verity, Verity::Require);
    EXPECT_EQ(warnings.size(), 1U);
}

struct Bad {
    const char* name;
    const char* text;
    const char* message;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) {
    return out << bad.name;
}

class RefusedSettings : public testing::TestWithParam<Bad> {};

TEST_P(RefusedSettings, NameThePlaceTheExpectedAndTheFound) {
    EXPECT_EQ(refusal(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Values,
    RefusedSettings,
    testing::Values(
        Bad{"Word",
            "[store]\nverity = \"yes\"",
            "x.toml:2:10: store.verity: expected \"require\", \"try\" or \"off\", found \"yes\""},
        Bad{"WrongType",
            "image = 3",
            "x.toml:1:9: image: expected an image reference, e.g. "
            "\"docker://registry.example/os:stable\", found 3"},
        Bad{"RelativePath",
            "esp = \"boot\"",
            "x.toml:1:7: esp: expected \"auto\" or an absolute path, found \"boot\""},
        Bad{"TooSmall",
            "[update]\nkeep = 1",
            "x.toml:2:8: update.keep: expected a number from 2 to 100, found 1"},
        Bad{"RuleWithoutAPath",
            "[etc]\nrules = [\"keep\"]",
            "x.toml:2:9: etc.rules: expected a list of \"WORD PATH\": keep, take, both, ignore or "
            "restore, and a path below /etc, found [\"keep\"]"},
        Bad{"RuleThatLeavesEtc",
            "[etc]\nrules = [\"keep ../usr\"]",
            "x.toml:2:9: etc.rules: expected a list of \"WORD PATH\": keep, take, both, ignore or "
            "restore, and a path below /etc, found [\"keep ../usr\"]"},
        Bad{"Negative",
            "[boot]\ntries = -1",
            "x.toml:2:9: boot.tries: expected a number from 1 to 9, found -1"},
        Bad{"NegativeSize",
            "[boot]\nesp_reserve = -1",
            "x.toml:2:15: boot.esp_reserve: expected a size up to \"1T\", e.g. \"1M\", found -1"},
        Bad{"Fraction",
            "[boot]\ntries = 1.5",
            "x.toml:2:9: boot.tries: expected a number from 1 to 9, found a floating-point number"},
        Bad{"MixedList",
            "[trust]\ncertificates = [\"/a\", 1]",
            "x.toml:2:16: trust.certificates: expected a list of absolute paths, found a list of "
            "something else than strings"},
        Bad{"NoUnit",
            "[net]\nstall_timeout = 5",
            "x.toml:2:17: net.stall_timeout: expected whole seconds from \"1s\" to \"1h\", found "
            "5"},
        Bad{"PartOfASecond",
            "[net]\nstall_timeout = \"1500ms\"",
            "x.toml:2:17: net.stall_timeout: expected whole seconds from \"1s\" to \"1h\", found "
            "\"1500ms\""},
        Bad{"OddProxy",
            "[net]\nproxy = \"ftp://x\"",
            "x.toml:2:9: net.proxy: expected a URL (http, https, socks5, socks5h), \"direct\", or "
            "\"\" for the environment's, found \"ftp://x\""},
        Bad{"SlowerThanAStall",
            "[net]\nrate_limit = 1024",
            "x.toml:2:14: net.rate_limit: expected 0, or bytes per second from \"64K\" to \"1T\", "
            "found 1024"},
        Bad{"ScalarForTable", "store = true", "x.toml:1:9: store: expected a table, found true"},
        Bad{"TableForScalar",
            "[esp]\nx = 1",
            "x.toml:1:1: esp: expected \"auto\" or an absolute path, found a table"}),
    [](const testing::TestParamInfo<Bad>& bad) { return bad.param.name; });

TEST(Settings, BrokenTomlNamesTheLine) {
    EXPECT_EQ(refusal("a = 1\nb = = 2", ErrorCode::BadFormat).substr(0, 10), "x.toml:2:5");
}

TEST(Settings, ARefusedFileChangesNothing) {
    Settings settings;
    std::vector<std::string> warnings;
    EXPECT_THROW(apply_text("image = \"x\"\nesp = 1", "x.toml", settings, warnings), Error);
    EXPECT_EQ(settings.image, "");
}

TEST(SettingsFiles, DropInsWinInOrderOfTheirNamesKeyByKey) {
    const test::TempDir dir;
    dir.write("c.toml", "image = \"a\"\nesp = \"/one\"\n[update]\nkeep = 3\n");
    dir.write("c.toml.d/20-b.toml", "image = \"c\"\n");
    dir.write("c.toml.d/10-a.toml", "image = \"b\"\n[update]\nauto_finalize = false\n");
    dir.write("c.toml.d/30-x.toml~", "image = \"backup\"\n");
    dir.write("c.toml.d/.40.toml", "image = \"hidden\"\n");
    const Loaded loaded = load(dir / "c.toml");
    EXPECT_EQ(loaded.settings.image, "c");
    EXPECT_EQ(loaded.settings.esp, "/one");
    EXPECT_EQ(loaded.settings.update.keep, 3U);
    EXPECT_FALSE(loaded.settings.update.auto_finalize);
    EXPECT_EQ(loaded.files,
              (std::vector<std::string>{
                  dir / "c.toml", dir / "c.toml.d/10-a.toml", dir / "c.toml.d/20-b.toml"}));
}

TEST(SettingsFiles, ALinkToDevNullIsAnEmptyDropIn) {
    const test::TempDir dir;
    dir.write("c.toml", "image = \"a\"\n");
    dir.write("c.toml.d/keep", "");
    std::filesystem::create_symlink("/dev/null", dir / "c.toml.d/10.toml");
    EXPECT_EQ(load(dir / "c.toml").settings.image, "a");
}

TEST(SettingsFiles, AMissingFileIsNamed) {
    try {
        (void)load("/nonexistent/c.toml");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string(e.what()).find("'/nonexistent/c.toml'"), std::string::npos);
    }
}

TEST(SettingsFiles, AFileOfMoreThanAMebibyteIsRefused) {
    const test::TempDir dir;
    dir.write("c.toml", std::string((std::size_t{1} << 20) + 1, '#'));
    EXPECT_THROW((void)load(dir / "c.toml"), Error);
}

}  // namespace
}  // namespace cfs::settings
