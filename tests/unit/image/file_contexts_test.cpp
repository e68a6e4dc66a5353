// SPDX-License-Identifier: Apache-2.0
#include "image/file_contexts.hpp"

#include "base/error.hpp"
#include "image/regex_form.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cfs::image {
namespace {

using Rest = RegexForm::Rest;

struct Form {
    std::string expression;
    std::string prefix;
    Rest rest;
};

std::ostream& operator<<(std::ostream& out, const Form& form) {
    return out << form.expression;
}

class RegexForms : public testing::TestWithParam<Form> {};

TEST_P(RegexForms, IsSeenAsWhatItIs) {
    const RegexForm form = regex_form(GetParam().expression);
    EXPECT_EQ(form.prefix, GetParam().prefix);
    EXPECT_EQ(form.rest, GetParam().rest);
}

INSTANTIATE_TEST_SUITE_P(FileContexts,
                         RegexForms,
                         testing::Values(Form{"/usr/bin/x", "/usr/bin/x", Rest::Nothing},
                                         Form{"/usr(/.*)?", "/usr", Rest::Subtree},
                                         Form{"/usr/.*", "/usr/", Rest::Anything},
                                         Form{"/a\\.b", "/a.b", Rest::Nothing},
                                         Form{"/ab?c", "/a", Rest::Regex},
                                         Form{"/ab*", "/a", Rest::Regex},
                                         Form{"/ab+", "/a", Rest::Regex},
                                         Form{"/ab{2}", "/a", Rest::Regex},
                                         Form{"/a\\.?b", "/a", Rest::Regex},
                                         Form{"/a\\d", "/a", Rest::Regex},
                                         Form{"/a|/b", "", Rest::Regex},
                                         Form{"/(a|b)", "/", Rest::Regex},
                                         Form{"/[|(]x", "/", Rest::Regex},
                                         Form{"/[]|]x|y", "", Rest::Regex},
                                         Form{"/a\\|b", "/a|b", Rest::Nothing},
                                         Form{"/a\\", "/a", Rest::Regex},
                                         Form{"", "", Rest::Nothing}));

struct Required {
    std::string expression;
    std::string text;
};

std::ostream& operator<<(std::ostream& out, const Required& required) {
    return out << required.expression;
}

class RequiredTexts : public testing::TestWithParam<Required> {};

TEST_P(RequiredTexts, AreInEveryMatch) {
    EXPECT_EQ(regex_form(GetParam().expression).required, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(FileContexts,
                         RequiredTexts,
                         testing::Values(Required{"/usr/(.*/)?name(/.*)?", "name"},
                                         Required{"/lib(64)?/x12.*", "/x12"},
                                         Required{"/a.*bc.*defg.*hi", "defg"},
                                         Required{"/a[bc]+de?f", "d"},
                                         Required{"/a.*bcd+", "bc"},
                                         Required{"/a.*b\\.c", "b.c"},
                                         Required{"/a.*b\\.?c", "b"},
                                         Required{"/a{2}bc", "bc"},
                                         Required{"/a(b|cd(e|f))gh", "gh"},
                                         Required{"/a([)]bcd)e", "e"},
                                         Required{"/a(?i)bcd", ""},
                                         Required{"/a(?:bc)de", "de"},
                                         Required{"/a.*b\\Qcd\\E", "b"},
                                         Required{"/a.*b\\dcd", "b"},
                                         Required{"/a|/bcd.*efg", ""}));

FileContexts contexts(std::string_view text) {
    FileContexts result;
    result.add(text, "file_contexts");
    return result;
}

std::string label(const FileContexts& from, std::string_view path, char type = '-') {
    const std::string* found = from.lookup(path, type);
    return found == nullptr ? "none" : *found;
}

TEST(FileContexts, ASubtreeIsTheDirectoryAndWhatIsBelow) {
    const FileContexts all = contexts("/a(/.*)? x\n");
    EXPECT_EQ(label(all, "/a"), "x");
    EXPECT_EQ(label(all, "/a/b"), "x");
    EXPECT_EQ(label(all, "/ab"), "none");
}

TEST(FileContexts, TheLaterLineWinsWhateverItsForm) {
    EXPECT_EQ(label(contexts("/a/b exact\n/a/.* any\n"), "/a/b"), "any");
    EXPECT_EQ(label(contexts("/a/.* any\n/a/[b-d] class\n"), "/a/b"), "class");
    EXPECT_EQ(label(contexts("/a/[b-d] class\n.* all\n"), "/a/b"), "all");
}

TEST(FileContexts, ATextThatIsInThePathTwiceIsFoundOnce) {
    const FileContexts all = contexts("/a/.*xyz.* one\n/a/.*yzx.* two\n");
    EXPECT_EQ(label(all, "/a/xyzxyz"), "two");
    EXPECT_EQ(label(all, "/a/xyz/xyz"), "one");
    EXPECT_EQ(label(all, "/b/xyz"), "none");
}

TEST(FileContexts, APrefixInTheMiddleOfThePathIsNone) {
    EXPECT_EQ(label(contexts("/bin(/.*)? x\n"), "/usr/bin/a"), "none");
}

TEST(FileContexts, ADotMatchesALineFeed) {
    EXPECT_EQ(label(contexts("/a.c x\n"), "/a\nc"), "x");
}

TEST(FileContexts, AnExpressionsOwnEndAnchorMeetsTheTypeLetter) {
    EXPECT_EQ(label(contexts("/a$ x\n"), "/a"), "none");
}

TEST(FileContexts, LookAroundWorks) {
    const FileContexts all = contexts("/a/(?!b).* x\n");
    EXPECT_EQ(label(all, "/a/c"), "x");
    EXPECT_EQ(label(all, "/a/b"), "none");
}

TEST(FileContexts, BytesAreNotUtf8) {
    EXPECT_EQ(label(contexts("/a[^/]c x\n"),
                    "/a\xff"
                    "c"),
              "x");
    EXPECT_EQ(label(contexts("/a[^/]c x\n"),
                    "/a\xc3\xa9"
                    "c"),
              "none");
}

TEST(FileContexts, CommentsAndBlankLinesAreNothing) {
    EXPECT_EQ(label(contexts("# /.* x\n\n   \n\t/a\t--\ty\n"), "/a"), "y");
}

/// A search goes on from the path before: its answer must not depend on which one that was.
TEST(FileContexts, TheOrderOfTheQuestionsDoesNotMatter) {
    const std::string text =
        "/usr(/.*)? usr\n/usr/lib/.*/lib.*\\.so libs\n/.*/bin/.* bin\n/usr/lib -d dir\n"
        "/[^/]*/lib/x.*y xy\nx/lib/x late\n/u.* short\n/usr/lib/x/y.* deep\n";
    const FileContexts asked = contexts(text);
    std::mt19937 random(5);
    const std::string_view parts[] = {"usr", "lib", "bin", "x", "y", "libx.so", "u"};
    for (int i = 0; i < 3000; ++i) {
        std::string path;
        for (std::size_t depth = 1 + random() % 5; depth > 0; --depth)
            path.append("/").append(parts[random() % std::size(parts)]);
        const char type = random() % 3 == 0 ? 'd' : '-';
        const FileContexts fresh = contexts(text);
        const std::string* expected = fresh.lookup(path, type);
        const std::string* found = asked.lookup(path, type);
        ASSERT_EQ(found == nullptr, expected == nullptr) << path;
        if (found != nullptr) {
            ASSERT_EQ(*found, *expected) << path;
        }
    }
}

class BadContexts : public testing::TestWithParam<const char*> {};

TEST_P(BadContexts, AreRefusedWithTheirLine) {
    try {
        (void)contexts(std::string("/ok x\n") + GetParam() + "\n");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
    }
}

INSTANTIATE_TEST_SUITE_P(FileContexts,
                         BadContexts,
                         testing::Values("/a", "/a -q x", "/a - x", "/a -- x y", "/a( x", "/[a x"));

TEST(FileContexts, AnExpressionThatNeverEndsIsAnError) {
    const FileContexts all = contexts("/((a+)+)+!/x x\n");
    EXPECT_THROW((void)all.lookup("/" + std::string(400, 'a') + "b!/x", '-'), Error);
}

}  // namespace
}  // namespace cfs::image
