// SPDX-License-Identifier: Apache-2.0
#include "client/completion/completion.hpp"

#include "client/options.hpp"
#include "client/seal/process.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace cfs::client {
namespace {

std::string read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Manual pages write a hyphen as "\-".
std::string manual() {
    std::string text = read(CFS_CLIENT_DIR "/cfsctl.1") + read(CFS_CLIENT_DIR "/cfsctl-image.1");
    for (std::size_t at = text.find("\\-"); at != std::string::npos; at = text.find("\\-")) {
        text.replace(at, 2, "-");
    }
    return text;
}

class EveryVerb : public testing::TestWithParam<VerbHelp> {};

TEST_P(EveryVerb, IsInTheManualWithItsOptions) {
    const std::string text = manual();
    EXPECT_NE(text.find(GetParam().name), std::string::npos) << GetParam().name;
    for (const OptionHelp& option : GetParam().options) {
        EXPECT_NE(text.find(option.flag), std::string::npos) << option.flag;
    }
}

TEST_P(EveryVerb, IsInEachCompletionWithItsOptions) {
    const std::string bash = bash_completion("cfsctl");
    const std::string zsh = zsh_completion("cfsctl");
    const std::string fish = fish_completion("cfsctl");
    for (const std::string& script : {bash, zsh, fish}) {
        EXPECT_NE(script.find(GetParam().name), std::string::npos) << GetParam().name;
    }
    for (const OptionHelp& option : GetParam().options) {
        EXPECT_NE(bash.find(option.flag), std::string::npos) << option.flag;
        EXPECT_NE(zsh.find(option.flag), std::string::npos) << option.flag;
        EXPECT_NE(fish.find("-l " + option.flag.substr(2)), std::string::npos) << option.flag;
    }
}

INSTANTIATE_TEST_SUITE_P(Tree, EveryVerb, testing::ValuesIn(list_verbs()), [](const auto& test) {
    std::string name = test.param.name.empty() ? "global" : test.param.name;
    const auto odd = [](char c) { return c == ' ' || c == '-'; };
    std::replace_if(name.begin(), name.end(), odd, '_');
    return name;
});

/// What bash offers after `words`; the last one is being typed.
std::string offered(const std::string& words, const std::string& program = "cfsctl") {
    const test::TempDir dir;
    dir.write("completion", bash_completion(program));
    dir.write("ask",
              "source " + dir / "completion" + "\nCOMP_WORDS=(" + program + " " + words +
                  ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                  "$(complete -p " +
                  program + " | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\necho \"${COMPREPLY[*]}\" > " +
                  dir / "reply");
    run_program({"bash", "--norc", dir / "ask"}, "bash");
    std::string reply = dir.read("reply");
    reply.erase(reply.find_last_not_of('\n') + 1);
    return reply;
}

TEST(BashCompletion, OffersVerbs) {
    EXPECT_EQ(offered("roll"), "rollback");
    EXPECT_EQ(offered("image ''"), "digest create dump ls objects diff info mount seal --help");
}

TEST(BashCompletion, OffersOptionsOfTheVerb) {
    EXPECT_EQ(offered("--json image digest --boot"), "--bootable --boot-mtime");
    EXPECT_EQ(offered("gc --d"), "--dry-run");
}

TEST(BashCompletion, OffersTheWordsOfAnOption) {
    EXPECT_EQ(offered("image digest --format ''"), "v0 v1 v2");
    EXPECT_EQ(offered("install --verity r"), "require");
}

TEST(BashCompletion, WorksUnderAnotherName) {
    EXPECT_EQ(offered("roll", "cfs-update.ctl"), "rollback");
}

}  // namespace
}  // namespace cfs::client
