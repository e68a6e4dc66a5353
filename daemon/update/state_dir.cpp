// SPDX-License-Identifier: Apache-2.0
#include "update/state_dir.hpp"

#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/json.hpp"
#include "update/policy_memory.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr const char* kDeployments = "deployments";
constexpr const char* kWork = "work";
constexpr std::string_view kSuffix = ".json";
constexpr const char* kLastError = "last-error.json";
constexpr std::size_t kTemporaryDigits = 12;
/// These are written by whoever comes, without the deployments' lock.
constexpr std::int64_t kInUseSeconds = 3600;

UniqueFd open_private(int sysroot, bool create) {
    if (create) {
        make_dirs_at(sysroot, "state", 0755);
        make_dirs_at(sysroot, kPrivatePath, 0700);
    }
    UniqueFd fd = open_dir_at(sysroot, kPrivatePath);
    if (create) {
        make_dirs_at(fd.get(), kDeployments, 0700);
        make_dirs_at(fd.get(), kWork, 0700);
    }
    return fd;
}

std::string record_file(const std::string& stem) {
    return std::string(kDeployments) + "/" + stem + std::string(kSuffix);
}

/// ".<file>.<12 hex digits>", as replace_file_at names what it is writing; "" for anything else.
std::string temporary_of(const std::string& name) {
    const auto dot = name.rfind('.');
    if (name.front() != '.' || dot == 0 || name.size() - dot != kTemporaryDigits + 1) return {};
    if (name.find_first_not_of("0123456789abcdef", dot + 1) != std::string::npos) return {};
    return name.substr(1, dot - 1);
}

/// For messages.
std::string full_path(const std::string& path) {
    return "'" + (kPrivatePath + ("/" + printable(path, 400))) + "'";
}

/// Runs the removal of what nobody needs: none of it may stop a verb, a rollback least of all.
template <typename F>
void tidy(const std::string& path, F&& remove) {
    try {
        remove();
    } catch (const Error& e) {
        log::warn("a leftover that nobody needs stays and takes space: " + full_path(path) + ": " +
                  e.what() + "; " +
                  (e.hint().empty() ? "remove it by hand with 'rm -rf'" : e.hint()));
    }
}

constexpr const char* kPausedJob = "paused-job.json";

void sweep_file(int dir, const std::string& name) {
    const std::string file = temporary_of(name);
    if (file.empty()) return;
    const auto st = stat_at(dir, name);
    // Those are written without the deployments' lock.
    const bool may_be_in_use = file == kJobId || file == kLastError || file == kBootFailure ||
                               file == kPolicyMemory || file == kPausedJob;
    if (!st || (may_be_in_use && st->st_mtime + kInUseSeconds > std::time(nullptr))) return;
    (void)unlink_at(dir, name);
}

void sweep_dir(int dir, const std::string& prefix) {
    for (const std::string& name : list_dir(dir))
        tidy(prefix + name, [&] { sweep_file(dir, name); });
}

/// nullopt, and a line in `problems`, for what is no record: one odd file stops nothing else.
std::optional<DeploymentRecord> read_record(int dir,
                                            const std::string& name,
                                            std::vector<std::string>* problems) {
    std::string why = "it is no record";
    try {
        const auto text = find_text_at(dir, name, kMaxFile);
        auto record = text ? DeploymentRecord::from_json(*text) : std::nullopt;
        if (record && record->stem + std::string(kSuffix) == name) return record;
    } catch (const Error& e) {
        why = e.what();
    }
    if (problems != nullptr) {
        problems->push_back("the record '" + printable(name) + "' cannot be read: " + why);
    }
    return std::nullopt;
}

}  // namespace

StateDir::StateDir(int sysroot, bool create) : fd_(open_private(sysroot, create)) {}

UniqueFd StateDir::lock() const {
    UniqueFd file = open_at(fd(), "lock", O_RDWR | O_CREAT, 0600);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) throw_errno("locking the deployments");
    throw Error(ErrorCode::Busy,
                "another process is changing deployments",
                "wait until 'cfsctl status' shows no running job, then try again");
}

std::vector<DeploymentRecord> StateDir::deployments(std::vector<std::string>* problems) const {
    std::vector<DeploymentRecord> out;
    const auto dir = find_at(fd(), kDeployments, O_RDONLY | O_DIRECTORY);
    if (!dir) return out;
    for (const std::string& name : list_dir(dir->get())) {
        if (name.size() <= kSuffix.size() || name.front() == '.' || !name.ends_with(kSuffix))
            continue;
        if (auto record = read_record(dir->get(), name, problems)) {
            out.push_back(std::move(*record));
        }
    }
    std::sort(
        out.begin(), out.end(), [](const auto& a, const auto& b) { return a.serial > b.serial; });
    return out;
}

void StateDir::save(const DeploymentRecord& record) const {
    put(record_file(record.stem), record.to_json());
}

void StateDir::drop(const std::string& stem) const {
    if (unlink_at(fd(), record_file(stem))) fsync_dir_at(fd(), kDeployments);
}

std::optional<LastError> StateDir::last_error() const {
    return get_error(kLastError);
}

void StateDir::set_last_error(const std::optional<LastError>& error) const {
    put_error(kLastError, error);
}

std::optional<LastError> StateDir::finalize_failure() const {
    return get_error(kFinalizeFailure);
}

void StateDir::set_finalize_failure(const std::optional<LastError>& failure) const {
    put_error(kFinalizeFailure, failure);
}

std::optional<LastError> StateDir::get_error(const std::string& file) const {
    const auto object = parse_object(get(file));
    if (!object || get_string(*object, "name").empty()) return std::nullopt;
    return LastError{get_string(*object, "name"),
                     get_string(*object, "message"),
                     get_string(*object, "hint"),
                     get_string(*object, "details"),
                     static_cast<std::int64_t>(get_number(*object, "time"))};
}

void StateDir::put_error(const std::string& file, const std::optional<LastError>& error) const {
    if (!error) {
        (void)unlink_at(fd(), file);
        return;
    }
    const boost::json::object object = {{"name", error->name},
                                        {"message", error->message},
                                        {"hint", error->hint},
                                        {"details", error->details},
                                        {"time", error->time}};
    put(file, boost::json::serialize(object) + "\n");
}

std::optional<Available> StateDir::available() const {
    const auto object = parse_object(get("available.json"));
    if (!object || get_string(*object, "manifest").empty()) return std::nullopt;
    Available out;
    out.image = get_string(*object, "image");
    out.version = get_string(*object, "version");
    out.manifest_digest = get_string(*object, "manifest");
    out.digest = get_string(*object, "digest");
    out.download_bytes = get_number(*object, "download");
    out.reused_bytes = get_number(*object, "reused");
    if (object->contains("unpacked")) out.unpacked_bytes = get_number(*object, "unpacked");
    out.checked = static_cast<std::int64_t>(get_number(*object, "checked"));
    if (const auto* notes = object->if_contains("annotations"); notes && notes->is_object()) {
        for (const auto& note : notes->as_object())
            out.annotations[std::string(note.key())] = get_string(notes->as_object(), note.key());
    }
    return out;
}

void StateDir::set_available(const std::optional<Available>& available) const {
    if (!available) {
        (void)unlink_at(fd(), "available.json");
        return;
    }
    boost::json::object object = {{"image", available->image},
                                  {"version", available->version},
                                  {"manifest", available->manifest_digest},
                                  {"digest", available->digest},
                                  {"download", available->download_bytes},
                                  {"reused", available->reused_bytes},
                                  {"checked", available->checked}};
    if (available->unpacked_bytes) object["unpacked"] = *available->unpacked_bytes;
    boost::json::object& notes = object["annotations"].emplace_object();
    for (const auto& [name, value] : available->annotations)
        notes[name] = value;
    put("available.json", boost::json::serialize(object) + "\n");
}

std::optional<RollbackIntent> StateDir::rollback_intent() const {
    const auto object = parse_object(get("rollback.json"));
    if (!object || get_string(*object, "target").empty()) return std::nullopt;
    RollbackIntent intent;
    intent.target = get_string(*object, "target");
    const auto* list = object->if_contains("demote");
    if (list == nullptr || !list->is_array()) return intent;
    for (const auto& stem : list->as_array()) {
        if (stem.is_string()) intent.demote.emplace_back(stem.as_string());
    }
    return intent;
}

void StateDir::set_rollback_intent(const std::optional<RollbackIntent>& intent) const {
    if (!intent) {
        if (unlink_at(fd(), "rollback.json")) fsync_dir_at(fd(), ".");
        return;
    }
    boost::json::array demote;
    for (const std::string& stem : intent->demote)
        demote.emplace_back(stem);
    const boost::json::object object = {{"target", intent->target}, {"demote", demote}};
    put("rollback.json", boost::json::serialize(object) + "\n");
}

std::string StateDir::make_work(const std::string& name) const {
    const std::string path = std::string(kWork) + "/" + name;
    remove_tree_at(fd(), path);
    make_dirs_at(fd(), path, 0700);
    return path;
}

void StateDir::remove_work(const std::string& name) const {
    const std::string path = std::string(kWork) + "/" + name;
    tidy(path, [&] { remove_tree_at(fd(), path); });
}

void StateDir::sweep_work() const {
    tidy(kWork, [&] {
        const auto dir = find_at(fd(), kWork, O_RDONLY | O_DIRECTORY);
        if (!dir) return;
        for (const std::string& name : list_dir(dir->get()))
            remove_work(name);
    });
}

void StateDir::sweep_temporaries() const {
    tidy(".", [&] { sweep_dir(fd(), ""); });
    tidy(kDeployments, [&] {
        const auto records = find_at(fd(), kDeployments, O_RDONLY | O_DIRECTORY);
        if (records) sweep_dir(records->get(), std::string(kDeployments) + "/");
    });
}

void StateDir::put(const std::string& file, const std::string& text) const {
    replace_file_at(fd(), file, as_bytes(text), 0600);
}

std::string StateDir::get(const std::string& file) const {
    try {
        return find_text_at(fd(), file, kMaxFile).value_or("");
    } catch (const Error&) {
        // Too large, not a file: unusable is the same as absent here; the next write replaces it.
        return {};
    }
}

}  // namespace cfs::update
