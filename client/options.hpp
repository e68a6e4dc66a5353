// SPDX-License-Identifier: Apache-2.0
/// \file The command line as values: one struct per verb.
#pragma once

#include "client/image_options.hpp"
#include "settings/settings.hpp"
#include "update/offline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cfs::client {

/// Given before or after the verb.
struct Global {
    std::string bus = "system";  ///< "system", "session" or an address
    bool json = false;
    bool color = true;
    bool ask_password = true;  ///< the daemon may have polkit ask for an administrator's password
};

struct ImageDigest {
    std::string source;
    ImageOptions image;
};

struct ImageCreate {
    std::string source;
    std::string out;  ///< "-": standard output
    ImageOptions image;
};

struct ImageDump {
    std::string source;
    ImageOptions image;
};

struct ImageList {
    std::string source;
    std::string path;  ///< list this and what is below it; empty: everything
    bool digests = false;
    ImageOptions image;
};

struct ImageObjects {
    std::string source;
    std::string missing_from;  ///< only those that this directory lacks; empty: all
    ImageOptions image;
};

struct ImageDiff {
    std::string one;
    std::string other;
    bool exit_code = false;  ///< end with 1 when they differ
    bool all = false;        ///< directories' times too that changed with their names
    ImageOptions image;
};

struct ImageInfo {
    std::string source;
    ImageOptions image;
};

struct ImageMount {
    std::string source;
    std::string target;
    std::vector<std::string> objects;  ///< directories with the objects, first one first
    std::string digest;                ///< that the image must have; empty: any
    bool verity = false;               ///< the kernel checks each object's fs-verity digest
    std::string upper_dir;             ///< what is written goes here; empty: read-only
    std::string work_dir;
    ImageOptions image;
};

/// Key of the kernel argument that names the image; Auto: composefs.digest for V1, composefs for
/// V2.
enum class Karg { Auto, Composefs, ComposefsDigest };

struct ImageSeal {
    std::string source;
    std::string out;
    std::string tag;   ///< empty: the one in `out`, else "latest"
    std::string name;  ///< of the UKI's file; empty: from its os-release
    std::string uki;   ///< a ready one; else the members below make one
    std::string stub, kernel, initrd, cmdline, key, cert;
    std::string os_release;  ///< file; empty: the image's own
    update::DigestOptions digest;
    Karg karg = Karg::Auto;
    bool insecure = false;
    SourceOptions reach;
};

struct Install {
    std::string source;
    std::string sysroot;
    std::string esp;
    std::string config;
    std::vector<std::string> trust;
    std::optional<settings::Verity> verity;
    std::optional<HashAlgorithm> hash;
    SourceOptions reach;
};

struct StoreFsck {
    std::string store = "/sysroot/composefs";
    bool metadata_only = false;
};

struct ShowStatus {};

struct Check {
    std::string image;
};

struct Update {
    std::string image;
    bool finalize = true;
    bool lock = false;
    std::string expected_digest;
    bool ignore_inhibitors = false;
    bool downgrade = false;
    bool automatic = false;  ///< as the policy says; alone
};

struct Stage {
    Update update;
};

struct Switch {
    Update update;
};

struct Finalize {};
struct Rollback {};

struct Gc {
    bool dry_run = false;
};

struct Pin {
    std::string deployment;
};

struct Unpin {
    std::string deployment;
};

struct Remove {
    std::string deployment;
};

struct Verify {
    std::string deployment;  ///< empty: all
    bool full = false;
    std::optional<std::uint64_t> rate;  ///< bytes per second
};

struct Repair {
    std::string deployment;
    std::optional<std::uint64_t> rate;
};

struct EtcDiff {
    std::string path;      ///< empty: everything
    bool summary = false;  ///< paths and kinds only
};

struct EtcPreviewVerb {
    std::string path;
    std::string deployment;  ///< empty: what is staged
    bool diff = false;
};

struct EtcRestore {
    std::string path;
};

struct History {
    std::optional<std::uint64_t> limit;  ///< entries
};

struct Report {
    std::string output;  ///< file, "-", or empty: a name with the time
    std::string config = CFS_CONFIG_FILE;
};

struct Pending {};
struct SoftReboot {};
struct Cancel {};
struct Pause {};

struct Inhibit {
    std::string what = "update";
    std::string who;
    std::string why;
    std::vector<std::string> command;
};

struct PolicyShow {};

struct PolicySet {
    std::string key;
    std::vector<std::string> values;  ///< several, or none, for a list
};

struct PolicyReset {
    std::vector<std::string> keys;  ///< none: all
};

struct Resume {};
struct Monitor {};

struct Completion {
    std::string shell;
};

using Verb = std::variant<ImageDigest,
                          ImageCreate,
                          ImageDump,
                          ImageList,
                          ImageObjects,
                          ImageDiff,
                          ImageInfo,
                          ImageMount,
                          ImageSeal,
                          Install,
                          StoreFsck,
                          ShowStatus,
                          Check,
                          Stage,
                          Switch,
                          Update,
                          Finalize,
                          Rollback,
                          Gc,
                          Pin,
                          Unpin,
                          Remove,
                          Verify,
                          Repair,
                          EtcDiff,
                          EtcPreviewVerb,
                          EtcRestore,
                          History,
                          Pending,
                          SoftReboot,
                          Report,
                          Cancel,
                          Pause,
                          Inhibit,
                          PolicyShow,
                          PolicySet,
                          PolicyReset,
                          Resume,
                          Monitor,
                          Completion>;

struct CommandLine {
    Global global;
    Verb verb;
};

/// What the arguments came to: a verb to run, or (help, version, usage error) texts to print and
/// the exit code.
struct Parsed {
    std::optional<CommandLine> command;
    int exit_code = 0;
    std::string out;  ///< for standard output
    std::string err;  ///< for standard error
};

/// Pure: reads no file and no environment. `args` without the program's name.
[[nodiscard]] Parsed parse_command_line(std::vector<std::string> args);

/// One option of a verb, for completions and for the test of the man page.
struct OptionHelp {
    std::string flag;   ///< "--format"
    std::string value;  ///< "FILE", "v1|v2"; empty: takes none
    std::string help;
};

struct VerbHelp {
    std::string name;  ///< "image digest"; empty: the global options
    std::string help;
    std::vector<OptionHelp> options;
    std::vector<std::string> subverbs;  ///< "digest"
};

/// The option tree: global options first, then every verb, a parent before its subverbs.
[[nodiscard]] std::vector<VerbHelp> list_verbs();

}  // namespace cfs::client
