// SPDX-License-Identifier: Apache-2.0
#include "client/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <sstream>

namespace cfs::client {
namespace {

constexpr const char* kSourceHelp =
    "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker://HOST/NAME[:TAG]";

/// The option tree. Options write into the verb's struct; the verb that was given leaves its struct
/// in `command`.
class Tree {
 public:
    Tree();

    CLI::App& app() { return app_; }

    CommandLine take() { return {global_, verb_()}; }

 private:
    /// A subcommand whose options fill a T that lives as long as the tree.
    template <typename T>
    std::pair<CLI::App*, T*> verb(CLI::App& parent, const std::string& name, const char* help) {
        auto options = std::make_shared<T>();
        CLI::App* sub = parent.add_subcommand(name, help);
        sub->callback([this, options] { verb_ = [options] { return Verb(*options); }; });
        return {sub, options.get()};
    }

    template <typename T>
    void plain_verb(const std::string& name, const char* help) {
        verb<T>(app_, name, help);
    }

    void add_globals();
    void add_image_digest(CLI::App& image);
    void add_image_seal(CLI::App& image);
    void add_install();
    void add_store_fsck(CLI::App& store);
    void add_bus_verbs();
    void add_completion();

    CLI::App app_{"Update client for image-based Linux with composefs roots", "cfsctl"};
    Global global_;
    std::function<Verb()> verb_;
};

/// An option with a fixed set of words.
template <typename T>
CLI::Option* add_choice(CLI::App& app,
                        const std::string& flag,
                        std::function<void(T)> set,
                        const std::vector<std::pair<std::string, T>>& choices,
                        const std::string& help) {
    std::vector<std::string> words;
    for (const auto& [word, value] : choices)
        words.push_back(word);
    return app
        .add_option_function<std::string>(
            flag,
            [set = std::move(set), choices](const std::string& text) {
                for (const auto& [word, value] : choices) {
                    if (word == text) set(value);
                }
            },
            help)
        ->check(CLI::IsMember(words))
        ->type_name(CLI::detail::join(words, "|"))
        ->option_text(CLI::detail::join(words, "|"));
}

void add_source(CLI::App& app, std::string& source, const char* help = kSourceHelp) {
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

void add_image_format(CLI::App& app, update::DigestOptions& digest) {
    add_choice<image::ErofsVersion>(
        app,
        "--format",
        [&digest](image::ErofsVersion version) { digest.version = version; },
        {{"v1", image::ErofsVersion::V1}, {"v2", image::ErofsVersion::V2}},
        "EROFS format of the image (v1)");
    add_choice<HashAlgorithm>(
        app,
        "--hash",
        [&digest](HashAlgorithm hash) { digest.hash = hash; },
        {{"sha256", HashAlgorithm::Sha256}, {"sha512", HashAlgorithm::Sha512}},
        "hash of fs-verity (sha512)");
    add_choice<image::BootMtime>(
        app,
        "--boot-mtime",
        [&digest](image::BootMtime mtime) { digest.boot_mtime = mtime; },
        {{"full", image::BootMtime::Full}, {"seconds", image::BootMtime::Seconds}},
        "what /boot and /sysroot take of /usr's time (full)");
    add_choice<image::XattrMode>(
        app,
        "--xattrs",
        [&digest](image::XattrMode mode) { digest.xattrs = mode; },
        {{"allowlist-only", image::XattrMode::AllowlistOnly},
         {"keep-user-xattrs", image::XattrMode::KeepUserXattrs}},
        "which attributes stay (allowlist-only)");
}

Tree::Tree() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.get_formatter()->column_width(34);
    add_globals();
    add_bus_verbs();
    CLI::App* image = app_.add_subcommand("image", "work on OCI images, without a daemon");
    image->require_subcommand(1);
    add_image_digest(*image);
    add_image_seal(*image);
    add_install();
    CLI::App* store = app_.add_subcommand("store", "work on a composefs store, without a daemon");
    store->require_subcommand(1);
    add_store_fsck(*store);
    add_completion();
}

void Tree::add_globals() {
    app_.add_option("--bus",
                    global_.bus,
                    "where the daemon is: system (default), session or an "
                    "address")
        ->option_text("BUS");
    app_.add_flag("--json", global_.json, "print the result as JSON");
    app_.add_flag_callback(
        "--no-color", [this] { global_.color = false; }, "never use colours");
    app_.set_help_flag("-h,--help", "print this help");
    app_.set_version_flag("--version", std::string("cfsctl ") + CFS_VERSION, "print the version");
}

void Tree::add_image_digest(CLI::App& image) {
    const auto [sub, options] =
        verb<ImageDigest>(image, "digest", "print the composefs digest of an OCI image");
    add_source(*sub, options->source);
    sub->add_flag("--bootable",
                  options->digest.bootable,
                  "of the image that boots: /boot and /sysroot empty, SELinux labels");
    add_image_format(*sub, options->digest);
    add_reach(*sub, options->reach);
}

void Tree::add_image_seal(CLI::App& image) {
    const auto [sub, options] =
        verb<ImageSeal>(image, "seal", "write OUT: SOURCE and a signed UKI that names its digest");
    options->digest.bootable = true;
    add_source(*sub, options->source, "oci:DIR[:TAG] or docker://HOST/NAME[:TAG]");
    sub->add_option("OUT", options->out, "oci:DIR[:TAG], made or added to")
        ->required()
        ->type_name("");
    CLI::Option* uki = sub->add_option("--uki", options->uki, "a ready UKI that names the digest")
                           ->option_text("FILE");
    const auto part = [sub = sub, uki](const char* flag, std::string& value, const char* help) {
        sub->add_option(flag, value, help)->option_text("FILE")->excludes(uki);
    };
    part("--stub", options->stub, "EFI stub of the new UKI");
    part("--kernel", options->kernel, "kernel");
    part("--initrd", options->initrd, "initrd");
    sub->add_option("--cmdline", options->cmdline, "kernel command line; the digest is added")
        ->option_text("TEXT")
        ->excludes(uki);
    part("--key", options->key, "private key that signs (PEM)");
    part("--cert", options->cert, "its certificate (PEM)");
    part("--os-release", options->os_release, "instead of the image's own");
    add_choice<Karg>(
        *sub,
        "--karg",
        [options = options](Karg karg) { options->karg = karg; },
        {{"composefs", Karg::Composefs}, {"composefs.digest", Karg::ComposefsDigest}},
        "kernel argument; composefs means v2 (by the format)")
        ->excludes(uki);
    sub->add_flag("--insecure", options->insecure, "fs-verity is optional on the device (?)")
        ->option_text(" ")
        ->excludes(uki);
    sub->add_option("--tag", options->tag, "tag in OUT (latest)")->option_text("TAG");
    sub->add_option("--name", options->name, "file name of the UKI (from its os-release)")
        ->option_text("NAME");
    add_image_format(*sub, options->digest);
    add_reach(*sub, options->reach);
}

void Tree::add_install() {
    const auto [sub, options] =
        verb<Install>(app_, "install", "install the first deployment, without a daemon");
    add_source(*sub, options->source);
    sub->add_option("--sysroot", options->sysroot, "stands for /sysroot")
        ->required()
        ->option_text("DIR");
    sub->add_option("--esp", options->esp, "stands for the EFI system partition")
        ->required()
        ->option_text("DIR");
    sub->add_option("--config", options->config, "cfsupdated.toml to go by")->option_text("FILE");
    sub->add_option("--trust", options->trust, "certificate that signs UKIs (repeatable)")
        ->allow_extra_args(false)
        ->option_text("CERT");
    add_choice<settings::Verity>(
        *sub,
        "--verity",
        [options = options](settings::Verity verity) { options->verity = verity; },
        {{"require", settings::Verity::Require},
         {"try", settings::Verity::Try},
         {"off", settings::Verity::Off}},
        "fs-verity in the store (require)");
    add_choice<HashAlgorithm>(
        *sub,
        "--hash",
        [options = options](HashAlgorithm hash) { options->hash = hash; },
        {{"sha256", HashAlgorithm::Sha256}, {"sha512", HashAlgorithm::Sha512}},
        "hash of the new store (sha512)");
    add_reach(*sub, options->reach);
}

void Tree::add_store_fsck(CLI::App& store) {
    const auto [sub, options] = verb<StoreFsck>(store, "fsck", "check a store: 0 clean, 1 damaged");
    sub->add_option("--store", options->store, "the store (/sysroot/composefs)")
        ->option_text("DIR");
    sub->add_flag("--metadata-only", options->metadata_only, "do not read the objects");
}

void Tree::add_bus_verbs() {
    plain_verb<ShowStatus>("status", "show what runs, what is next and what is available");
    const auto [check, check_options] =
        verb<Check>(app_, "check", "look for an update: 0 there is one, 2 there is none");
    check->add_option("--image", check_options->image, "look at this image once")
        ->option_text("REF");
    const auto [update, update_options] =
        verb<Update>(app_, "update", "fetch, verify and install the newest image");
    update->add_option("--image", update_options->image, "take this image once")
        ->option_text("REF");
    update->add_flag_callback(
        "--no-finalize",
        [options = update_options] { options->finalize = false; },
        "stage only: 'cfsctl finalize' makes it next");
    update
        ->add_option("--expected-digest",
                     update_options->expected_digest,
                     "manifest or image digest that it must turn out to be")
        ->option_text("DIGEST");
    plain_verb<Finalize>("finalize", "merge /etc and make what is staged next");
    plain_verb<Rollback>("rollback", "make the previous deployment next");
    const auto [gc, gc_options] =
        verb<Gc>(app_, "gc", "drop old deployments and what nothing needs");
    gc->add_flag("--dry-run", gc_options->dry_run, "only list");
    plain_verb<Cancel>("cancel", "stop the running job");
    plain_verb<Monitor>("monitor", "print what happens until Ctrl-C");
}

void Tree::add_completion() {
    const auto [sub, options] = verb<Completion>(app_, "completion", "print a shell completion");
    sub->add_option("SHELL", options->shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->type_name("");
}

/// A rule that CLI11 has no word for; empty when all is well.
std::string problem_with(const ImageSeal& seal) {
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
    if (seal.karg == Karg::Composefs && seal.digest.version != image::ErofsVersion::V2) {
        return "--karg composefs names images of format v2 only: add --format v2";
    }
    return {};
}

Parsed usage_error(const std::string& what, const std::string& where) {
    Parsed out;
    out.exit_code = 1;
    out.err = "cfsctl: " + what + "\n  hint: see '" + where + " --help'\n";
    return out;
}

/// "cfsctl image seal": the deepest command that was given.
std::string command_name(const CLI::App& app) {
    std::string name = app.get_name();
    for (const CLI::App* sub : app.get_subcommands())
        name += " " + command_name(*sub);
    return name;
}

Parsed parse_failure(const CLI::ParseError& error, const CLI::App& app) {
    if (error.get_exit_code() == 0) {
        std::ostringstream out;
        std::ostringstream err;
        static_cast<void>(app.exit(error, out, err));
        Parsed parsed;
        parsed.out = out.str();
        return parsed;
    }
    const std::string what = error.what();
    if (what != "A subcommand is required") return usage_error(what, command_name(app));
    const std::vector<std::string> rest = app.remaining(true);
    return usage_error(rest.empty() ? "a verb is missing" : "unknown verb '" + rest.front() + "'",
                       command_name(app));
}

OptionHelp describe(const CLI::Option& option) {
    const bool takes_value = option.get_items_expected_max() > 0;
    return {"--" + option.get_lnames().front(),
            takes_value ? option.get_option_text() : "",
            option.get_description()};
}

void collect_verbs(const CLI::App& app, const std::string& name, std::vector<VerbHelp>& out) {
    VerbHelp help{name, app.get_description(), {}, {}};
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_lnames().empty()) help.options.push_back(describe(*option));
    }
    const auto subs = app.get_subcommands([](const CLI::App*) { return true; });
    for (const CLI::App* sub : subs)
        help.subverbs.push_back(sub->get_name());
    out.push_back(std::move(help));
    for (const CLI::App* sub : subs) {
        collect_verbs(*sub, name.empty() ? sub->get_name() : name + " " + sub->get_name(), out);
    }
}

}  // namespace

Parsed parse_command_line(std::vector<std::string> args) {
    Tree tree;
    try {
        // CLI11 wants them last first.
        std::reverse(args.begin(), args.end());
        tree.app().parse(std::move(args));
    } catch (const CLI::ParseError& error) {
        return parse_failure(error, tree.app());
    }
    Parsed out;
    out.command = tree.take();
    if (const auto* seal = std::get_if<ImageSeal>(&out.command->verb)) {
        const std::string problem = problem_with(*seal);
        if (!problem.empty()) return usage_error(problem, "cfsctl image seal");
    }
    return out;
}

std::vector<VerbHelp> list_verbs() {
    Tree tree;
    std::vector<VerbHelp> out;
    collect_verbs(tree.app(), "", out);
    return out;
}

}  // namespace cfs::client
