// SPDX-License-Identifier: Apache-2.0
#include "client/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace cfs::client {
namespace {

template <typename T>
T parsed(const std::vector<std::string>& args) {
    const Parsed out = parse_command_line(args);
    EXPECT_TRUE(out.command) << out.err;
    return std::get<T>(out.command.value().verb);
}

void expect_usage_error(const std::vector<std::string>& args, const std::string& part) {
    const Parsed out = parse_command_line(args);
    EXPECT_FALSE(out.command);
    EXPECT_EQ(out.exit_code, 1);
    EXPECT_TRUE(out.out.empty());
    EXPECT_TRUE(out.err.starts_with("cfsctl: ")) << out.err;
    EXPECT_NE(out.err.find("\n  hint: "), std::string::npos) << out.err;
    EXPECT_NE(out.err.find(part), std::string::npos) << out.err;
}

TEST(CommandLine, DigestHasTheDocumentedDefaults) {
    const auto verb = parsed<ImageDigest>({"image", "digest", "oci:a:b"});
    EXPECT_EQ(verb.source, "oci:a:b");
    EXPECT_EQ(verb.image.dialect, image::ImageDialect::Rust);
    EXPECT_FALSE(verb.image.format);
    EXPECT_FALSE(verb.image.hash);
    EXPECT_FALSE(verb.image.bootable);
    EXPECT_FALSE(verb.image.boot_mtime);
    EXPECT_FALSE(verb.image.xattrs);
    EXPECT_TRUE(verb.image.scan.propagate_usr);
    EXPECT_EQ(default_hash(verb.image.dialect), HashAlgorithm::Sha512);
    EXPECT_EQ(erofs_options(verb.image, HashAlgorithm::Sha512).min_version,
              image::ErofsVersion::V1);
}

TEST(CommandLine, OptionsStandBeforeOrAfterTheSource) {
    const std::vector<std::string> options = {"--bootable",
                                              "--format",
                                              "v2",
                                              "--hash=sha256",
                                              "--boot-mtime",
                                              "seconds",
                                              "--xattrs",
                                              "keep-user-xattrs"};
    std::vector<std::string> before = {"image", "digest"};
    before.insert(before.end(), options.begin(), options.end());
    before.emplace_back("oci:a");
    std::vector<std::string> after = {"image", "digest", "oci:a"};
    after.insert(after.end(), options.begin(), options.end());
    for (const auto& args : {before, after}) {
        const auto verb = parsed<ImageDigest>(args);
        EXPECT_EQ(verb.source, "oci:a");
        EXPECT_TRUE(verb.image.bootable);
        EXPECT_EQ(verb.image.format, image::ErofsVersion::V2);
        EXPECT_EQ(verb.image.hash, HashAlgorithm::Sha256);
        EXPECT_EQ(verb.image.boot_mtime, image::BootMtime::Seconds);
        EXPECT_EQ(verb.image.xattrs, image::XattrMode::KeepUserXattrs);
    }
}

TEST(CommandLine, CreateTakesASourceAndAFile) {
    const auto verb = parsed<ImageCreate>(
        {"image", "create", "--digest-store", "o", "--threads=2", "dir:t", "-", "--use-epoch"});
    EXPECT_EQ(verb.source, "dir:t");
    EXPECT_EQ(verb.out, "-");
    EXPECT_EQ(verb.image.scan.digest_store, "o");
    EXPECT_EQ(verb.image.scan.threads, 2U);
    EXPECT_TRUE(verb.image.scan.use_epoch);
}

TEST(CommandLine, DiffTakesTwoSources) {
    const auto verb = parsed<ImageDiff>({"image", "diff", "oci:a", "--exit-code", "image:b"});
    EXPECT_EQ(verb.one, "oci:a");
    EXPECT_EQ(verb.other, "image:b");
    EXPECT_TRUE(verb.exit_code);
    expect_usage_error({"image", "diff", "oci:a"}, "B");
}

TEST(CommandLine, ListTakesAPath) {
    EXPECT_TRUE(parsed<ImageList>({"image", "ls", "dir:t"}).path.empty());
    const auto verb = parsed<ImageList>({"image", "ls", "dir:t", "/usr", "-l"});
    EXPECT_EQ(verb.path, "/usr");
    EXPECT_TRUE(verb.digests);
}

TEST(CommandLine, MountTakesSeveralObjectDirectories) {
    const auto verb = parsed<ImageMount>(
        {"image", "mount", "--objects", "a", "--objects", "b", "image:i", "/mnt"});
    EXPECT_EQ(verb.objects, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(verb.target, "/mnt");
    EXPECT_FALSE(verb.verity);
    expect_usage_error({"image", "mount", "image:i", "/mnt", "--upperdir", "u"}, "--workdir");
}

TEST(CommandLine, TheCToolsOptionsNeedItsDialect) {
    expect_usage_error({"image", "digest", "dump:d", "--strict"}, "--compat c");
    expect_usage_error({"image", "digest", "dump:d", "--min-version", "1"}, "--compat c");
    expect_usage_error({"image", "digest", "dir:d", "--hardlinks"}, "--compat c");
    expect_usage_error({"image", "digest", "dump:d", "--compat", "c", "--format", "v2"}, "v2");
    expect_usage_error({"image", "digest", "dir:d", "--skip-xattrs", "--user-xattrs"},
                       "exclude each other");
}

TEST(CommandLine, GlobalOptionsStandAnywhere) {
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"--json", "--bus", "session", "status"},
          {"status", "--json", "--bus", "session"},
          {"--bus=session", "status", "--json"}}) {
        const Parsed out = parse_command_line(args);
        ASSERT_TRUE(out.command) << out.err;
        EXPECT_TRUE(out.command->global.json);
        EXPECT_EQ(out.command->global.bus, "session");
    }
    EXPECT_TRUE(parse_command_line({"image", "digest", "x", "--json"}).command->global.json);
}

TEST(CommandLine, TheSystemBusIsTheDefault) {
    EXPECT_EQ(parse_command_line({"status"}).command->global.bus, "system");
}

TEST(CommandLine, RepeatableOptionsDoNotSwallowTheSource) {
    const auto verb = parsed<Install>({"install",
                                       "--sysroot",
                                       "/s",
                                       "--esp",
                                       "/e",
                                       "--trust",
                                       "a.pem",
                                       "--trust",
                                       "b.pem",
                                       "oci:x"});
    EXPECT_EQ(verb.source, "oci:x");
    EXPECT_EQ(verb.trust, (std::vector<std::string>{"a.pem", "b.pem"}));
    EXPECT_FALSE(verb.verity);
    EXPECT_FALSE(verb.hash);
}

TEST(CommandLine, UpdateFinalizesUnlessToldOtherwise) {
    EXPECT_TRUE(parsed<Update>({"update"}).finalize);
    const auto verb =
        parsed<Update>({"update", "--no-finalize", "--image", "r", "--expected-digest", "ab"});
    EXPECT_FALSE(verb.finalize);
    EXPECT_EQ(verb.image, "r");
    EXPECT_EQ(verb.expected_digest, "ab");
    EXPECT_TRUE(parsed<Update>({"update", "--lock"}).lock);
    EXPECT_TRUE(parsed<Update>({"update", "--downgrade"}).downgrade);
    EXPECT_EQ(parsed<Stage>({"stage", "--image", "r"}).update.image, "r");
    expect_usage_error({"stage", "--no-finalize"}, "--no-finalize");
    EXPECT_EQ(parsed<Switch>({"switch", "r", "--lock"}).update.image, "r");
    expect_usage_error({"switch"}, "IMAGE");
    expect_usage_error({"switch", "r", "--downgrade"}, "--downgrade");
}

TEST(CommandLine, AnAutomaticUpdateStandsAlone) {
    EXPECT_FALSE(parsed<Update>({"update"}).automatic);
    EXPECT_TRUE(parsed<Update>({"update", "--automatic"}).automatic);
    for (const char* other : {"--no-finalize", "--lock", "--ignore-inhibitors"})
        expect_usage_error({"update", "--automatic", other}, "--automatic");
    expect_usage_error({"update", "--automatic", "--image", "r"}, "--automatic");
}

TEST(CommandLine, APolicyTakesListsAndNothing) {
    const auto set =
        parsed<PolicySet>({"policy", "set", "windows", "Mon 02:00-03:00", "04:00-05:00"});
    EXPECT_EQ(set.key, "windows");
    EXPECT_EQ(set.values, (std::vector<std::string>{"Mon 02:00-03:00", "04:00-05:00"}));
    EXPECT_TRUE(parsed<PolicySet>({"policy", "set", "windows"}).values.empty());
    EXPECT_TRUE(parsed<PolicyReset>({"policy", "reset"}).keys.empty());
    EXPECT_EQ(parsed<PolicyReset>({"policy", "reset", "idle"}).keys,
              std::vector<std::string>{"idle"});
    expect_usage_error({"policy", "set"}, "KEY");
}

TEST(CommandLine, SealTakesAReadyUki) {
    const auto verb = parsed<ImageSeal>({"image", "seal", "oci:a", "oci:b", "--uki", "x.efi"});
    EXPECT_EQ(verb.uki, "x.efi");
    EXPECT_TRUE(verb.digest.bootable);
}

TEST(CommandLine, SealNamesThePartsThatAreMissing) {
    expect_usage_error({"image", "seal", "oci:a", "oci:b", "--stub", "s", "--key", "k"},
                       "--kernel, --initrd, --cert");
}

TEST(CommandLine, SealTakesAUkiOrItsParts) {
    expect_usage_error({"image", "seal", "a", "b", "--uki", "u", "--stub", "s"}, "--uki");
}

TEST(CommandLine, SealRefusesAKargThatCannotNameTheFormat) {
    expect_usage_error({"image",
                        "seal",
                        "a",
                        "b",
                        "--stub",
                        "s",
                        "--kernel",
                        "k",
                        "--initrd",
                        "i",
                        "--key",
                        "k",
                        "--cert",
                        "c",
                        "--karg",
                        "composefs"},
                       "--format v2");
}

TEST(CommandLine, SealRefusesANameThatNoLoaderLists) {
    for (const char* name : {"sub/os.efi", "os", "os.efi.bak"}) {
        expect_usage_error({"image", "seal", "a", "b", "--uki", "u", "--name", name}, name);
    }
}

TEST(CommandLine, WrongUseIsNamed) {
    expect_usage_error({}, "a verb is missing");
    expect_usage_error({"nonsense"}, "unknown verb 'nonsense'");
    expect_usage_error({"image"}, "cfsctl image --help");
    expect_usage_error({"image", "digest"}, "SOURCE");
    expect_usage_error({"image", "digest", "x", "--format", "v3"}, "v3");
    expect_usage_error({"image", "digest", "x", "y"}, "y");
    expect_usage_error({"update", "--bogus"}, "--bogus");
    expect_usage_error({"install", "oci:x"}, "--sysroot");
    expect_usage_error({"status", "check"}, "check");
}

TEST(CommandLine, HelpGoesToStandardOutput) {
    const Parsed out = parse_command_line({"image", "digest", "--help"});
    EXPECT_EQ(out.exit_code, 0);
    EXPECT_NE(out.out.find("--boot-mtime"), std::string::npos);
    EXPECT_TRUE(out.err.empty());
}

TEST(CommandLine, HelpFitsAScreen) {
    for (const VerbHelp& verb : list_verbs()) {
        std::vector<std::string> args;
        std::istringstream words(verb.name);
        for (std::string word; words >> word;)
            args.push_back(word);
        args.emplace_back("--help");
        const std::string text = parse_command_line(args).out;
        EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << verb.name;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), 80U) << verb.name << ": " << line;
        }
    }
}

TEST(CommandLine, VersionIsPrinted) {
    EXPECT_TRUE(parse_command_line({"--version"}).out.starts_with("cfsctl "));
}

}  // namespace
}  // namespace cfs::client
