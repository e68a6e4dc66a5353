// SPDX-License-Identifier: Apache-2.0
#include "image/transform.hpp"

#include "base/error.hpp"
#include "image/dump_reader.hpp"

#include <gtest/gtest.h>

namespace cfs::image {
namespace {

constexpr std::string_view kLabel = "security.selinux";

/// A tree from dump lines, after "/", "/usr", "/boot" and "/sysroot".
FileTree tree_of(const std::string& lines) {
    const std::string text = std::string("/ 0 40700 2 9 9 0 1.1 - - - user.r=1\n") +
                             "/usr 0 40755 2 1 2 0 50.5 - - - user.u=1 security.capability=c\n" +
                             "/boot 0 40755 2 0 0 0 7.7 - - -\n" +
                             "/sysroot 0 40755 2 0 0 0 8.8 - - -\n" + lines;
    return read_dump(as_bytes(text), DumpDialect::Rust, HashAlgorithm::Sha256);
}

std::string file_line(const std::string& path, const std::string& content) {
    std::string escaped;
    for (const char c : content) {
        escaped += c == '\n' ? "\\n" : c == ' ' ? "\\x20" : std::string(1, c);
    }
    return path + ' ' + std::to_string(content.size()) + " 100644 1 0 0 0 0.0 - " +
           (escaped.empty() ? "-" : escaped) + " -\n";
}

std::string directory_line(const std::string& path) {
    return path + " 0 40755 2 0 0 0 0.0 - - -\n";
}

std::string policy_lines(const std::string& contexts, const std::string& subs = {}) {
    std::string lines = directory_line("/etc") + directory_line("/etc/selinux") +
                        file_line("/etc/selinux/config", "#x\nSELINUX=on\n SelinuxType = t \n") +
                        directory_line("/etc/selinux/t") +
                        directory_line("/etc/selinux/t/contexts") +
                        directory_line("/etc/selinux/t/contexts/files") +
                        file_line("/etc/selinux/t/contexts/files/file_contexts", contexts);
    if (!subs.empty()) {
        lines += file_line("/etc/selinux/t/contexts/files/file_contexts.subs", subs);
    }
    return lines;
}

std::string no_content(const Inode&) {
    throw Error(ErrorCode::Internal, "nothing external is expected here");
}

std::string label_of(const FileTree& tree, std::string_view path) {
    const Xattrs& xattrs = path == "/" ? tree.root().meta.xattrs : tree.lookup(path)->meta().xattrs;
    const auto label = xattrs.find(kLabel);
    return label == xattrs.end() ? "none" : label->second;
}

TEST(OciTransform, GivesTheRootUsrsMetadata) {
    FileTree tree = tree_of("");
    oci_transform(tree, XattrMode::KeepUserXattrs);
    EXPECT_EQ(tree.root().meta, tree.lookup("usr")->meta());
    EXPECT_EQ(tree.root().meta.mtime_nsec, 5u);
}

TEST(OciTransform, EmptiesRunAndSetsItsTimeOnly) {
    FileTree tree = tree_of("/run 0 40711 2 3 4 0 9.9 - - -\n" + file_line("/run/f", "x"));
    oci_transform(tree, XattrMode::AllowlistOnly);
    const Node* run = tree.lookup("run");
    EXPECT_TRUE(run->directory()->children.empty());
    EXPECT_EQ(run->meta().mtime_sec, 50);
    EXPECT_EQ(run->meta().mtime_nsec, 5u);
    EXPECT_EQ(run->meta().mode, 0711u);
    EXPECT_EQ(run->meta().uid, 3u);
}

TEST(OciTransform, KeepsOnlyTheAttributesOfItsMode) {
    FileTree tree = tree_of("/f 0 100644 1 0 0 0 0.0 - - - security.selinux=l trusted.t=1\n");
    FileTree other = tree.copy();
    oci_transform(tree, XattrMode::AllowlistOnly);
    EXPECT_EQ(tree.lookup("usr")->meta().xattrs, (Xattrs{{"security.capability", "c"}}));
    EXPECT_TRUE(tree.lookup("f")->meta().xattrs.empty());
    oci_transform(other, XattrMode::KeepUserXattrs);
    EXPECT_EQ(other.lookup("usr")->meta().xattrs,
              (Xattrs{{"security.capability", "c"}, {"user.u", "1"}}));
    EXPECT_TRUE(other.lookup("f")->meta().xattrs.empty());
}

TEST(OciTransform, RefusesARunThatIsALinkAndAMissingUsr) {
    FileTree tree = tree_of("/run 3 120777 1 0 0 0 0.0 usr - -\n");
    EXPECT_THROW(oci_transform(tree, XattrMode::AllowlistOnly), Error);
    FileTree empty;
    EXPECT_THROW(oci_transform(empty, XattrMode::AllowlistOnly), Error);
}

TEST(BootTransform, EmptiesBootAndSysrootAndSetsTheirTimesByItsRule) {
    const std::string lines = file_line("/boot/k", "x") + file_line("/sysroot/s", "x");
    FileTree full = tree_of(lines);
    boot_transform(full, BootMtime::Full, no_content);
    FileTree seconds = tree_of(lines);
    boot_transform(seconds, BootMtime::Seconds, no_content);
    for (FileTree* tree : {&full, &seconds}) {
        EXPECT_TRUE(tree->lookup_directory("boot")->children.empty());
        EXPECT_TRUE(tree->lookup_directory("sysroot")->children.empty());
        EXPECT_EQ(tree->lookup("boot")->meta().mtime_sec, 50);
    }
    EXPECT_EQ(full.lookup("boot")->meta().mtime_nsec, 5u);
    EXPECT_EQ(seconds.lookup("boot")->meta().mtime_nsec, 7u);
    EXPECT_EQ(seconds.lookup("sysroot")->meta().mtime_nsec, 8u);
}

TEST(BootTransform, RefusesAMissingBoot) {
    FileTree tree = tree_of("");
    tree.root().children.erase("boot");
    EXPECT_THROW(boot_transform(tree, BootMtime::Full, no_content), Error);
}

TEST(BootTransform, RemovesLabelsWhereThereIsNoPolicy) {
    FileTree tree = tree_of("/f 0 100644 1 0 0 0 0.0 - - - security.selinux=l\n");
    boot_transform(tree, BootMtime::Full, no_content);
    EXPECT_EQ(label_of(tree, "f"), "none");
}

TEST(BootTransform, LabelsByTheLastLineThatMatchesPathAndType) {
    FileTree tree = tree_of(policy_lines("/.* all\n/ -d root\n/etc(/.*)? etc\n/etc/.* -l lnk\n"
                                         "/usr <<none>>\n") +
                            "/etc/l 1 120777 1 0 0 0 0.0 x - -\n");
    boot_transform(tree, BootMtime::Full, no_content);
    EXPECT_EQ(label_of(tree, "/"), "root");
    EXPECT_EQ(label_of(tree, "boot"), "all");
    EXPECT_EQ(label_of(tree, "etc"), "etc");
    EXPECT_EQ(label_of(tree, "etc/selinux/config"), "etc");
    EXPECT_EQ(label_of(tree, "etc/l"), "lnk");
    EXPECT_EQ(label_of(tree, "usr"), "none");
}

TEST(BootTransform, NamesWhatLiesBelowAnAliasByItsReplacement) {
    FileTree tree =
        tree_of(policy_lines("/usr/rt dir\n/usr/rt/.* below\n/r.* wrong\n", "/r /usr/rt\n") +
                directory_line("/r") + file_line("/r/f", "x") + directory_line("/rr"));
    boot_transform(tree, BootMtime::Full, no_content);
    EXPECT_EQ(label_of(tree, "r"), "dir");
    EXPECT_EQ(label_of(tree, "r/f"), "below");
    EXPECT_EQ(label_of(tree, "rr"), "wrong");
}

TEST(BootTransform, SplitsAHardLinkWhoseNamesWantDifferentLabels) {
    FileTree tree =
        tree_of(policy_lines("/[ac] one\n/b two\n") + file_line("/a", "x") +
                "/b 0 @100644 1 0 0 0 0.0 /a - -\n" + "/c 0 @100644 1 0 0 0 0.0 /a - -\n");
    boot_transform(tree, BootMtime::Full, no_content);
    EXPECT_EQ(label_of(tree, "a"), "one");
    EXPECT_EQ(label_of(tree, "b"), "two");
    EXPECT_EQ(tree.lookup("a")->leaf(), tree.lookup("c")->leaf());
    EXPECT_NE(tree.lookup("a")->leaf(), tree.lookup("b")->leaf());
}

TEST(BootTransform, ReadsAnExternalPolicyThroughTheCaller) {
    const std::string digest(64, 'a');
    FileTree tree = tree_of(directory_line("/etc") + directory_line("/etc/selinux") +
                            "/etc/selinux/config 70 100644 1 0 0 0 0.0 aa/" + digest.substr(2) +
                            " - " + digest + "\n");
    std::string asked;
    boot_transform(tree, BootMtime::Full, [&asked](const Inode& inode) {
        asked = inode.external->hex();
        return std::string("nothing here");
    });
    EXPECT_EQ(asked, digest);
}

TEST(BootTransform, RefusesANamedPolicyThatIsMissing) {
    FileTree tree = tree_of(directory_line("/etc") + directory_line("/etc/selinux") +
                            file_line("/etc/selinux/config", "SELINUXTYPE=t\n"));
    EXPECT_THROW(boot_transform(tree, BootMtime::Full, no_content), Error);
}

}  // namespace
}  // namespace cfs::image
