// SPDX-License-Identifier: Apache-2.0
#include "net/registries.hpp"

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cfs::net {
namespace {

using test::expect_error;

constexpr const char* kDigest =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The places for `reference` ("host/name..."), each as "host/name:tag", "!" for insecure.
std::string route(const std::string& text, const std::string& reference) {
    Registries registries;
    registries.add(parse_registries(text, "r.conf"));
    std::string out;
    for (const Endpoint& one : registries.route(parse_image_ref("docker://" + reference))) {
        if (!out.empty()) out += " ";
        out += to_string(one.ref).substr(9) + (one.insecure ? "!" : "") + (one.mirror ? "~" : "");
    }
    return out;
}

// The manual page's own example, and what it says of it.
constexpr const char* kManualsExample = R"(
unqualified-search-registries = ["example.com"]

[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"

[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"

[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true

[[registry]]
location = "registry.com"

[[registry.mirror]]
location = "mirror.registry.com"
)";

TEST(Registries, TheManualsExample) {
    EXPECT_EQ(route(kManualsExample, "example.com/foo/image:latest"),
              "example-mirror-0.local/mirror-for-foo/image:latest~ "
              "example-mirror-1.local/mirrors/foo/image:latest!~ "
              "internal-registry-for-example.com/bar/image:latest");
    EXPECT_EQ(route(kManualsExample, "registry.com/x/y"),
              "mirror.registry.com/x/y:latest~ registry.com/x/y:latest");
    EXPECT_EQ(route(kManualsExample, "example.com/other"), "example.com/other:latest");
    EXPECT_EQ(route(kManualsExample, "example.com/foobar"), "example.com/foobar:latest");
}

TEST(Registries, ThePrefixDefaultsToTheLocationAndTheLongestWins) {
    const std::string text = R"(
[[registry]]
location = "a.example/"
[[registry]]
prefix = "A.Example/team"
location = "b.example"
[[registry]]
prefix = "a.example/team/os:v1"
location = "c.example/pinned:v7"
)";
    EXPECT_EQ(route(text, "a.example/x:t"), "a.example/x:t");
    EXPECT_EQ(route(text, "a.example/team/os:v2"), "b.example/os:v2");
    EXPECT_EQ(route(text, "a.example/team/os:v1"), "c.example/pinned:v7");
    EXPECT_EQ(route(text, "a.example/team/os:v12"), "b.example/os:v12");
    EXPECT_EQ(route(text, "a.example:5000/team/os:v1"), "a.example:5000/team/os:v1");
}

TEST(Registries, ADigestStaysAlone) {
    EXPECT_EQ(route("[[registry]]\nprefix='a/b'\nlocation='c'", std::string("a/b/x@") + kDigest),
              std::string("c/x@") + kDigest);
    EXPECT_EQ(route("[[registry]]\nprefix='a/b'\nlocation='c/d'", std::string("a/b:t@") + kDigest),
              std::string("c/d:t@") + kDigest);
}

TEST(Registries, AnySubdomain) {
    const std::string text = R"(
[[registry]]
prefix = "*.example.com"
insecure = true
[[registry]]
prefix = "*.eu.example.com"
location = "eu.cache/mirror"
)";
    EXPECT_EQ(route(text, "blah.example.com/foo/image:latest"),
              "blah.example.com/foo/image:latest!");
    EXPECT_EQ(route(text, "a.b.example.com:5000/x"), "a.b.example.com:5000/x:latest!");
    EXPECT_EQ(route(text, "a.eu.example.com/x"), "eu.cache/mirror/x:latest");
    for (const char* other : {"example.com/x", "myexample.com/x", "a.example.com.evil/x"}) {
        EXPECT_EQ(route(text, other), std::string(other) + ":latest");
    }
}

TEST(Registries, MirrorsMayBeForTagsOrDigestsOnly) {
    const std::string text = R"(
[[registry]]
location = "o.example"
[[registry.mirror]]
location = "d.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "t.example"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "a.example"
pull-from-mirror = "all"
)";
    EXPECT_EQ(route(text, "o.example/x:t"), "t.example/x:t~ a.example/x:t~ o.example/x:t");
    const std::string pinned = std::string("/x@") + kDigest;
    EXPECT_EQ(route(text, "o.example" + pinned),
              "d.example" + pinned + "~ a.example" + pinned + "~ o.example" + pinned);
    const std::string old = R"(
[[registry]]
location = "o.example"
mirror-by-digest-only = true
mirror = [{location = "m.example"}]
)";
    EXPECT_EQ(route(old, "o.example/x:t"), "o.example/x:t");
    EXPECT_EQ(route(old, "o.example" + pinned), "m.example" + pinned + "~ o.example" + pinned);
}

TEST(Registries, ABlockedOneIsRefusedByName) {
    const std::string text = R"(
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
prefix = "bad.example/but/this"
location = "bad.example/but/this"
)";
    expect_error(ErrorCode::RegistryBlocked, "blocks 'bad.example'", [&] {
        (void)route(text, "bad.example/x");
    });
    EXPECT_EQ(route(text, "bad.example/but/this"), "bad.example/but/this:latest");
}

TEST(Registries, ALocationThatMakesNoReferenceIsNamed) {
    expect_error(ErrorCode::InvalidArgs, "puts 'c/@' in the place of 'a/b'", [] {
        (void)route("[[registry]]\nprefix='a/b'\nlocation='c/@'", "a/b/x");
    });
}

struct Bad {
    const char* text;
    const char* message;
};

TEST(Registries, MistakesAreNamedByTheirPlace) {
    for (const Bad& bad : {
             Bad{"[[registry]]\nblocked = 1\nlocation='a'",
                 "r.conf:2:11: 'blocked': expected true or false"},
             Bad{"[[registry]]\nlocation = 1", "r.conf:2:12: 'location': expected a string"},
             Bad{"[[registry]]\nlocation='https://x'", "r.conf:2:10: 'location': expected HOST"},
             Bad{"[[registry]]\nlocation='a b'", "'location': expected HOST"},
             Bad{"[[registry]]\ninsecure = true", "without prefix and location"},
             Bad{"[[registry]]\nprefix = 'a'", "a registry without a location"},
             Bad{"[[registry]]\nprefix = '*.a/b'\nlocation='x'", "'*' is for a prefix"},
             Bad{"[[registry]]\nprefix = 'a.*.b'\nlocation='x'", "'*' is for a prefix"},
             Bad{"[[registry]]\nlocation = '*.b'", "'*' is for a prefix"},
             Bad{"[[registry]]\nlocation='a'\n[[registry]]\nlocation='a/'", "a second registry"},
             Bad{"[[registry]]\nlocation='a'\n[[registry.mirror]]", "a mirror without a location"},
             Bad{"[[registry]]\nlocation='a'\nmirror=['b']", "'mirror': expected a table"},
             Bad{"registry = 'a'", "'registry': expected a list of tables"},
             Bad{"[registry]\nlocation='a'", "'registry': expected a list of tables"},
             Bad{"[[registry]]\nlocation='a'\n[[registry.mirror]]\nlocation='b'\n"
                 "pull-from-mirror='never'",
                 "r.conf:5:18: 'pull-from-mirror': expected \"all\""},
             Bad{"[[registry]]\nlocation='a'\nmirror-by-digest-only=true\n[[registry.mirror]]\n"
                 "location='b'\npull-from-mirror='all'",
                 "together"},
             Bad{"[registries.search]\nregistries = ['a']", "version 1 of the format"},
             Bad{"registry = [", "expected TOML"},
         }) {
        expect_error(
            ErrorCode::BadFormat, bad.message, [&] { (void)parse_registries(bad.text, "r.conf"); });
    }
}

TEST(RegistriesFiles, DropInsReplaceByPrefixInTheirOrder) {
    const test::TempDir dir;
    const std::string path = dir / "registries.conf";
    std::filesystem::create_directory(path + ".d");
    const auto write = [](const std::string& file, const std::string& text) {
        std::ofstream(file) << text;
    };
    EXPECT_TRUE(load_registries(path).rules().empty());
    EXPECT_TRUE(load_registries("").rules().empty());
    write(path + ".d/20.conf", "[[registry]]\nlocation='a'\nblocked=true");
    write(path + ".d/10.conf", "[[registry]]\nlocation='a'\ninsecure=true");
    write(path + ".d/30.txt", "no TOML [");
    write(path, "[[registry]]\nlocation='a'\n[[registry]]\nlocation='b'");
    const Registries found = load_registries(path);
    ASSERT_EQ(found.rules().size(), 2U);
    EXPECT_EQ(found.rules()[0], (RegistryRule{"a", "a", false, true, {}}));
    EXPECT_EQ(found.rules()[1], (RegistryRule{"b", "b", false, false, {}}));
}

}  // namespace
}  // namespace cfs::net
