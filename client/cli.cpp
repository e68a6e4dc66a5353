// SPDX-License-Identifier: Apache-2.0
#include "client/cli_tree.hpp"
#include "client/options.hpp"
#include "client/output/human.hpp"
#include "settings/units.hpp"

#include <algorithm>
#include <sstream>

namespace cfs::client {
namespace {

/// Where descriptions stand, of a verb's options and of the verbs themselves.
constexpr std::size_t kHelpWidth = 80;
constexpr std::size_t kHelpColumn = 28;
constexpr std::size_t kVerbColumn = 22;

void add_rate(CLI::App& app, std::optional<std::uint64_t>& rate) {
    app.add_option_function<std::string>(
           "--rate",
           [&rate](const std::string& text) {
               rate = settings::parse_size(text);
               if (!rate) throw CLI::ValidationError("--rate", "'" + text + "' is no size");
           },
           "read so many bytes per second, e.g. 50M (the daemon's setting)")
        ->option_text("BYTES");
}

void add_image(CLI::App& app, Update& options) {
    app.add_option("--image", options.image, "take this image once")->option_text("REF");
    app.add_flag("--downgrade", options.downgrade, "a lower version, too: it is tried once first");
}

void add_finalize(CLI::App& app, Update& options) {
    app.add_flag_callback(
        "--no-finalize",
        [&options] { options.finalize = false; },
        "stage only: the next shutdown, or 'cfsctl finalize', makes it next");
}

void add_update_options(CLI::App& app, Update& options) {
    app.add_flag("--lock", options.lock, "stage only: 'cfsctl finalize' alone makes it next");
    app.add_option("--expected-digest",
                   options.expected_digest,
                   "manifest or image digest that it must turn out to be")
        ->option_text("DIGEST");
    app.add_flag("--ignore-inhibitors",
                 options.ignore_inhibitors,
                 "begin though programs asked updates to wait");
}

void add_deployment(CLI::App& app, std::string& deployment) {
    app.add_option("DEPLOYMENT",
                   deployment,
                   "version, digest, UKI, booted, staged or rollback (all deployments)")
        ->type_name("");
}

class Tree : public VerbTree {
 public:
    Tree();

 private:
    void add_globals();
    void add_install();
    void add_store_fsck(CLI::App& store);
    void add_bus_verbs();
    void add_updates();
    void add_keep();
    void add_verify_and_repair();
    void add_etc();
    void add_inhibit();
    void add_policy();
    void add_report();
    void add_completion();
};

Tree::Tree() {
    app().require_subcommand(1);
    app().fallthrough();
    app().get_formatter()->column_width(kHelpColumn);
    add_globals();
    add_bus_verbs();
    add_image_verbs(*this);
    add_install();
    CLI::App* store = app().add_subcommand("store", "work on a composefs store, without a daemon");
    store->require_subcommand(1);
    add_store_fsck(*store);
    add_completion();
    // Verbs are shorter than options; those that have their own formatter keep it.
    const auto formatter = std::make_shared<CLI::Formatter>();
    formatter->column_width(kVerbColumn);
    app().formatter(formatter);
}

void Tree::add_globals() {
    app()
        .add_option(
            "--bus", global().bus, "the daemon's bus: system (default), session or an address")
        ->option_text("BUS");
    app().add_flag("--json", global().json, "print the result as JSON");
    app().add_flag_callback(
        "--no-color", [this] { global().color = false; }, "never use colours");
    app().add_flag_callback(
        "--no-ask-password",
        [this] { global().ask_password = false; },
        "never ask for an administrator's password");
    app().set_help_flag("-h,--help", "print this help");
    app().set_version_flag("--version", std::string("cfsctl ") + CFS_VERSION, "print the version");
}

void Tree::add_install() {
    const auto [sub, options] =
        verb<Install>(app(), "install", "install the first deployment, without a daemon");
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
        verb<Check>(app(), "check", "look for an update: 0 there is one, 2 there is none");
    check->add_option("--image", check_options->image, "look at this image once")
        ->option_text("REF");
    add_updates();
    plain_verb<Finalize>("finalize", "merge /etc and make what is staged next");
    plain_verb<Rollback>("rollback", "make the previous deployment next");
    const auto [gc, gc_options] =
        verb<Gc>(app(), "gc", "drop old deployments and what nothing needs");
    gc->add_flag("--dry-run", gc_options->dry_run, "only list");
    add_keep();
    add_verify_and_repair();
    add_etc();
    const auto [history, history_options] =
        verb<History>(app(), "history", "show what was done to this machine, newest first");
    history->add_option("--limit", history_options->limit, "so many entries (all that are kept)")
        ->option_text("N");
    plain_verb<Pending>("pending", "is a reboot due for another version: 0 it is, 2 it is not");
    plain_verb<SoftReboot>("soft-reboot", "restart programs in the next version, not the kernel");
    plain_verb<Cancel>("cancel", "stop the running job, or give up the paused one");
    plain_verb<Pause>("pause", "stop the running update for now: 2 it is so already");
    plain_verb<Resume>("resume", "go on with the paused update");
    add_inhibit();
    add_policy();
    add_report();
    plain_verb<Monitor>("monitor", "print what happens until Ctrl-C");
}

void Tree::add_updates() {
    const auto [update, update_options] =
        verb<Update>(app(), "update", "fetch, verify and install the newest image");
    add_image(*update, *update_options);
    add_finalize(*update, *update_options);
    add_update_options(*update, *update_options);
    const auto rest = update->get_options();
    CLI::Option* const automatic =
        update->add_flag("--automatic",
                         update_options->automatic,
                         "do what policy.automatic says, when the policy lets it: 5 it waits");
    automatic->option_text("(alone)");
    for (CLI::Option* const other : rest) {
        if (other->get_single_name() == "help") continue;
        automatic->excludes(other);
        // Said once, at --automatic.
        if (other->get_option_text().empty()) other->option_text(" ");
    }
    const auto [stage, stage_options] =
        verb<Stage>(app(), "stage", "the same, made the next to boot by the next shutdown");
    add_image(*stage, stage_options->update);
    add_update_options(*stage, stage_options->update);
    const auto [change, switch_options] =
        verb<Switch>(app(), "switch", "install another image and follow it from now on");
    change->add_option("IMAGE", switch_options->update.image, "its reference")
        ->required()
        ->type_name("");
    add_finalize(*change, switch_options->update);
    add_update_options(*change, switch_options->update);
}

void Tree::add_keep() {
    const auto add_name = [](CLI::App& sub, std::string& deployment) {
        sub.add_option("DEPLOYMENT", deployment, "version, digest or UKI of one")
            ->required()
            ->type_name("");
    };
    const auto [pin, pin_options] =
        verb<Pin>(app(), "pin", "keep a deployment, whatever is collected: 2 it is kept");
    add_name(*pin, pin_options->deployment);
    const auto [unpin, unpin_options] =
        verb<Unpin>(app(), "unpin", "keep a deployment no longer: 2 it was not");
    add_name(*unpin, unpin_options->deployment);
    const auto [remove, remove_options] =
        verb<Remove>(app(), "remove", "drop one deployment, and what only it needed");
    add_name(*remove, remove_options->deployment);
}

void Tree::add_verify_and_repair() {
    const auto [verify, verify_options] =
        verb<Verify>(app(), "verify", "look for damage in deployments: 0 none, 1 damaged");
    verify->add_flag("--full", verify_options->full, "read every byte");
    add_rate(*verify, verify_options->rate);
    add_deployment(*verify, verify_options->deployment);
    const auto [repair, repair_options] =
        verb<Repair>(app(), "repair", "fetch again what is missing or damaged: 2 nothing is");
    add_rate(*repair, repair_options->rate);
    add_deployment(*repair, repair_options->deployment);
}

void Tree::add_etc() {
    CLI::App* etc = app().add_subcommand("etc", "what is local in /etc, and what an update does");
    etc->require_subcommand(1);
    const auto add_path = [](CLI::App& sub, std::string& path, const char* help) {
        return sub.add_option("PATH", path, help)->type_name("");
    };
    const auto [diff, diff_options] =
        verb<EtcDiff>(*etc, "diff", "what differs from the running image: 2 nothing does");
    diff->add_flag("--summary", diff_options->summary, "paths and kinds only");
    add_path(*diff, diff_options->path, "this and what is below it (everything)");
    const auto [preview, preview_options] =
        verb<EtcPreviewVerb>(*etc, "preview", "what the next merge does: 2 nothing");
    preview
        ->add_option("--deployment", preview_options->deployment, "merge with this one's (staged)")
        ->option_text("DEPLOYMENT");
    preview->add_flag("--diff", preview_options->diff, "with what changes in the files");
    add_path(*preview, preview_options->path, "this and what is below it (everything)");
    const auto [restore, restore_options] =
        verb<EtcRestore>(*etc, "restore", "give a file back as the running image has it: 2 it is");
    add_path(*restore, restore_options->path, "file or link below /etc")->required();
}

void Tree::add_inhibit() {
    const auto [sub, options] =
        verb<Inhibit>(app(), "inhibit", "run a command; until it ends no update begins");
    sub->add_option("--why", options->why, "what the update has to wait for, for people")
        ->option_text("TEXT");
    sub->add_option("--who", options->who, "the program's name (the command's)")
        ->option_text("TEXT");
    sub->add_option("--what", options->what, "update, check or check:update (update)")
        ->option_text("WHAT");
    sub->add_option("COMMAND", options->command, "after --: the command and its arguments")
        ->required()
        ->type_name("");
}

void Tree::add_policy() {
    CLI::App* policy = app().add_subcommand("policy", "what updates do by themselves, and when");
    policy->require_subcommand(1);
    verb<PolicyShow>(*policy, "show", "the policy, and what an update waits for");
    const auto [set, set_options] =
        verb<PolicySet>(*policy, "set", "change one key until it is reset");
    set->add_option("KEY", set_options->key, "of [policy] in cfsupdated.toml(5)")
        ->required()
        ->type_name("");
    set->add_option("VALUE", set_options->values, "several, or none, for a list")->type_name("");
    const auto [reset, reset_options] =
        verb<PolicyReset>(*policy, "reset", "go by the configuration again");
    reset->add_option("KEY", reset_options->keys, "these only (all)")->type_name("");
}

void Tree::add_report() {
    const auto [sub, options] =
        verb<Report>(app(), "report", "write all that a bug report needs, without secrets");
    sub->add_option("-o,--output", options->output, "where to; - is standard output (a new file)")
        ->option_text("FILE");
    sub->add_option("--config", options->config, "the daemon's settings")->option_text("FILE");
}

void Tree::add_completion() {
    const auto [sub, options] = verb<Completion>(app(), "completion", "print a shell completion");
    sub->group("");  // for who makes packages; people find it in the manual
    sub->add_option("SHELL", options->shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->type_name("");
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
        const bool is_short = app.get_subcommands().empty();
        parsed.out = fold_columns(out.str(), kHelpWidth, is_short ? kVerbColumn : kHelpColumn);
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
    const std::string problem = image_verb_problem(out.command->verb);
    if (!problem.empty()) return usage_error(problem, command_name(tree.app()));
    return out;
}

std::vector<VerbHelp> list_verbs() {
    Tree tree;
    std::vector<VerbHelp> out;
    collect_verbs(tree.app(), "", out);
    return out;
}

}  // namespace cfs::client
