// SPDX-License-Identifier: Apache-2.0
// The verbs of `cfsctl image`.
#include "client/cli_tree.hpp"

namespace cfs::client {
namespace {

using image::ErofsVersion;

constexpr const char* kSourceHelp =
    "an image of oci:, oci-archive:, docker://, dir:, dump: or image:";

void add_hash(CLI::App& app, std::function<void(HashAlgorithm)> set, const char* help) {
    add_choice<HashAlgorithm>(
        app,
        "--hash",
        std::move(set),
        {{"sha256", HashAlgorithm::Sha256}, {"sha512", HashAlgorithm::Sha512}},
        help);
}

void add_transform(CLI::App& app,
                   std::function<void(image::BootMtime)> set_mtime,
                   std::function<void(image::XattrMode)> set_xattrs) {
    add_choice<image::BootMtime>(
        app,
        "--boot-mtime",
        std::move(set_mtime),
        {{"full", image::BootMtime::Full}, {"seconds", image::BootMtime::Seconds}},
        "what /boot and /sysroot take of /usr's time (full)");
    add_choice<image::XattrMode>(app,
                                 "--xattrs",
                                 std::move(set_xattrs),
                                 {{"allowlist-only", image::XattrMode::AllowlistOnly},
                                  {"keep-user-xattrs", image::XattrMode::KeepUserXattrs}},
                                 "which attributes stay (allowlist-only)");
}

void add_format(CLI::App& app, ImageOptions& options) {
    add_choice<ErofsVersion>(
        app,
        "--format",
        [&options](ErofsVersion version) { options.format = version; },
        {{"v0", ErofsVersion::V0}, {"v1", ErofsVersion::V1}, {"v2", ErofsVersion::V2}},
        "EROFS format of the image (v1)");
    add_hash(
        app,
        [&options](HashAlgorithm hash) { options.hash = hash; },
        "hash of fs-verity (sha512; sha256 with --compat c)");
    add_choice<image::ImageDialect>(
        app,
        "--compat",
        [&options](image::ImageDialect dialect) { options.dialect = dialect; },
        {{"rust", image::ImageDialect::Rust}, {"c", image::ImageDialect::C}},
        "whose rules: composefs-rs' or mkcomposefs' (rust)");
    app.add_flag("--strict", options.strict, "mkcomposefs' strict mode for dumps");
    const auto bound = [&app](const char* flag, std::optional<ErofsVersion>& at, const char* help) {
        add_choice<ErofsVersion>(
            app,
            flag,
            [&at](ErofsVersion version) { at = version; },
            {{"0", ErofsVersion::V0}, {"1", ErofsVersion::V1}},
            help);
    };
    bound("--min-version", options.min_version, "mkcomposefs' lowest format (0)");
    bound("--max-version", options.max_version, "mkcomposefs' highest format (1)");
}

void add_scan(CLI::App& app, ScanOptions& scan) {
    app.add_option("--digest-store", scan.digest_store, "dir: copy the files' objects to DIR")
        ->option_text("DIR");
    app.add_flag("--use-epoch", scan.use_epoch, "dir: every time is 0");
    app.add_flag("--skip-devices", scan.skip_devices, "dir: leave device nodes out");
    app.add_flag("--skip-xattrs", scan.skip_xattrs, "dir: leave all attributes out");
    app.add_flag("--user-xattrs", scan.user_xattrs, "dir: take user.* attributes alone");
    app.add_flag("--hardlinks", scan.hardlinks, "dir: find hard links under --compat c too");
    app.add_flag_callback(
        "--no-propagate-usr-to-root",
        [&scan] { scan.propagate_usr = false; },
        "dir: take the tree as it is");
    app.add_option_function<unsigned>(
           "--threads",
           [&scan](unsigned threads) { scan.threads = threads; },
           "dir: read files by N threads (one per processor)")
        ->check(CLI::Range(1U, 256U))
        ->option_text("N");
}

/// What a SOURCE is made an image by.
void add_image_options(CLI::App& app, ImageOptions& options) {
    add_format(app, options);
    app.add_flag("--bootable",
                 options.bootable,
                 "of the image that boots: /boot and /sysroot empty, SELinux labels");
    add_transform(
        app,
        [&options](image::BootMtime mtime) { options.boot_mtime = mtime; },
        [&options](image::XattrMode mode) { options.xattrs = mode; });
    add_scan(app, options.scan);
    add_reach(app, options.reach);
}

/// A verb of one SOURCE.
template <typename T>
std::pair<CLI::App*, T*> source_verb(VerbTree& tree,
                                     CLI::App& image,
                                     const std::string& name,
                                     const char* help) {
    const auto [sub, options] = tree.verb<T>(image, name, help);
    add_source(*sub, options->source, kSourceHelp);
    add_image_options(*sub, options->image);
    return {sub, options};
}

void add_path(CLI::App& app, const char* name, std::string& value, const char* help) {
    app.add_option(name, value, help)->type_name("");
}

void add_create(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] =
        source_verb<ImageCreate>(tree, image, "create", "write the EROFS image of SOURCE");
    sub->add_option("OUT", options->out, "the file to write, - for standard output")
        ->required()
        ->type_name("");
}

void add_list(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] = source_verb<ImageList>(tree, image, "ls", "list an image's files");
    add_path(*sub, "PATH", options->path, "list this and what is below it");
    sub->add_flag("-l,--digests", options->digests, "show each file's object");
}

void add_objects(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] = source_verb<ImageObjects>(
        tree, image, "objects", "list the objects that an image's files are made of");
    sub->add_option("--missing-from", options->missing_from, "only those that DIR lacks")
        ->option_text("DIR");
}

void add_diff(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] =
        tree.verb<ImageDiff>(image, "diff", "show which paths of two images differ, and how");
    sub->add_option("A", options->one, kSourceHelp)->required()->type_name("");
    sub->add_option("B", options->other, "another one")->required()->type_name("");
    sub->add_flag("--exit-code", options->exit_code, "end with 1 when they differ");
    sub->add_flag("--all", options->all, "directories too whose time changed with their names");
    add_image_options(*sub, options->image);
}

void add_mount(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] =
        source_verb<ImageMount>(tree, image, "mount", "mount an image with its objects");
    sub->add_option("DIR", options->target, "where")->required()->type_name("");
    sub->add_option("--objects", options->objects, "where the objects are (repeatable)")
        ->allow_extra_args(false)
        ->option_text("DIR");
    sub->add_option(
           "--digest", options->digest, "the image must have this one; means --require-verity")
        ->option_text("DIGEST");
    sub->add_flag("--require-verity", options->verity, "the kernel checks objects by fs-verity");
    CLI::Option* upper =
        sub->add_option("--upperdir", options->upper_dir, "writable: changes go to DIR")
            ->option_text("DIR");
    CLI::Option* work = sub->add_option("--workdir", options->work_dir, "overlay's work directory")
                            ->option_text("DIR");
    upper->needs(work);
    work->needs(upper);
}

void add_seal_parts(CLI::App& app, ImageSeal& options) {
    CLI::Option* uki = app.add_option("--uki", options.uki, "a ready UKI that names the digest")
                           ->option_text("FILE");
    const auto part = [&app, uki](const char* flag, std::string& value, const char* help) {
        app.add_option(flag, value, help)->option_text("FILE")->excludes(uki);
    };
    part("--stub", options.stub, "EFI stub of the new UKI");
    part("--kernel", options.kernel, "kernel");
    part("--initrd", options.initrd, "initrd");
    app.add_option("--cmdline", options.cmdline, "kernel command line; the digest is added")
        ->option_text("TEXT")
        ->excludes(uki);
    part("--key", options.key, "private key that signs (PEM)");
    part("--cert", options.cert, "its certificate (PEM)");
    part("--os-release", options.os_release, "instead of the image's own");
    add_choice<Karg>(
        app,
        "--karg",
        [&options](Karg karg) { options.karg = karg; },
        {{"composefs", Karg::Composefs}, {"composefs.digest", Karg::ComposefsDigest}},
        "kernel argument; composefs means v2 (by the format)")
        ->excludes(uki);
    app.add_flag("--insecure", options.insecure, "fs-verity is optional on the device (?)")
        ->option_text(" ")
        ->excludes(uki);
}

void add_seal(VerbTree& tree, CLI::App& image) {
    const auto [sub, options] = tree.verb<ImageSeal>(
        image, "seal", "write OUT: SOURCE and a signed UKI that names its digest");
    update::DigestOptions& digest = options->digest;
    digest.bootable = true;
    add_source(*sub, options->source, "oci:DIR[:TAG] or docker://HOST/NAME[:TAG]");
    sub->add_option("OUT", options->out, "oci:DIR[:TAG], made or added to")
        ->required()
        ->type_name("");
    add_seal_parts(*sub, *options);
    sub->add_option("--tag", options->tag, "tag in OUT (latest)")->option_text("TAG");
    sub->add_option("--name", options->name, "file name of the UKI (from its os-release)")
        ->option_text("NAME");
    add_choice<ErofsVersion>(
        *sub,
        "--format",
        [&digest](ErofsVersion version) { digest.version = version; },
        {{"v1", ErofsVersion::V1}, {"v2", ErofsVersion::V2}},
        "EROFS format of the image (v1)");
    add_hash(
        *sub, [&digest](HashAlgorithm hash) { digest.hash = hash; }, "hash of fs-verity (sha512)");
    add_transform(
        *sub,
        [&digest](image::BootMtime mtime) { digest.boot_mtime = mtime; },
        [&digest](image::XattrMode mode) { digest.xattrs = mode; });
    add_reach(*sub, options->reach);
}

std::string problem_of(const ImageSeal& seal) {
    const bool plain_name = seal.name.find('/') == std::string::npos && seal.name.ends_with(".efi");
    if (!seal.name.empty() && !plain_name) {
        return "--name '" + seal.name + "' is not a file name that ends in .efi";
    }
    if (!seal.uki.empty()) return {};
    std::string missing;
    const auto need = [&missing](const char* flag, const std::string& value) {
        if (value.empty()) missing += (missing.empty() ? "" : ", ") + std::string(flag);
    };
    need("--stub", seal.stub);
    need("--kernel", seal.kernel);
    need("--initrd", seal.initrd);
    need("--key", seal.key);
    need("--cert", seal.cert);
    if (!missing.empty()) return "image seal needs --uki FILE, or the parts of one: " + missing;
    if (seal.karg == Karg::Composefs && seal.digest.version != ErofsVersion::V2) {
        return "--karg composefs names images of format v2 only: add --format v2";
    }
    return {};
}

}  // namespace

void add_source(CLI::App& app, std::string& source, const char* help) {
    app.add_option("SOURCE", source, help)->required()->type_name("");
}

void add_reach(CLI::App& app, SourceOptions& reach) {
    app.add_option(
           "--ca", reach.ca_file, "CA certificates for the registry instead of the system's")
        ->option_text("FILE");
    app.add_option("--insecure-registry",
                   reach.insecure_registries,
                   "this registry may speak plain HTTP (repeatable)")
        ->allow_extra_args(false)
        ->option_text("HOST[:PORT]");
}

void add_image_verbs(VerbTree& tree) {
    CLI::App* image = tree.app().add_subcommand("image", "work on images, without a daemon");
    image->require_subcommand(1);
    source_verb<ImageDigest>(tree, *image, "digest", "print the composefs digest of an image");
    add_create(tree, *image);
    source_verb<ImageDump>(tree, *image, "dump", "print an image's tree as a composefs dump");
    add_list(tree, *image);
    add_objects(tree, *image);
    add_diff(tree, *image);
    source_verb<ImageInfo>(tree, *image, "info", "show an image's format, size and digests");
    add_mount(tree, *image);
    add_seal(tree, *image);
}

std::string image_verb_problem(const Verb& verb) {
    return std::visit(
        [](const auto& options) -> std::string {
            using T = std::decay_t<decltype(options)>;
            if constexpr (std::is_same_v<T, ImageSeal>) {
                return problem_of(options);
            } else if constexpr (requires { options.image.dialect; }) {
                return problem_with(options.image);
            } else {
                return {};
            }
        },
        verb);
}

}  // namespace cfs::client
