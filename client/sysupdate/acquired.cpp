// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/acquired.hpp"

#include "base/bytes.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "client/bus/decode.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <utility>

namespace cfs::sysupdate {
namespace {

constexpr const char* kFile = "acquired";
constexpr std::string_view kDigest = "digest ";
constexpr std::string_view kJob = "job ";
constexpr std::size_t kMaxWord = 256;
constexpr std::size_t kMaxFile = 1024;

/// As well as it can be.
void forget_remembered(const std::string& directory) noexcept {
    try {
        unlink_at(open_root(directory).get(), kFile);
    } catch (const std::exception& e) {
        log::warn(std::string("an old record of what was acquired stays: ") + e.what());
    }
}

/// Of the characters that digests and paths of objects have.
bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= kMaxWord &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '/' || c == '_' || c == ':' || c == '-';
           });
}

/// A file of ours that nobody else writes.
bool is_ours(const struct stat& file) {
    return S_ISREG(file.st_mode) && file.st_uid == ::geteuid() &&
           (file.st_mode & (S_IWGRP | S_IWOTH)) == 0 && file.st_nlink == 1;
}

/// All of it or nothing.
Remembered parse(const std::string& text) {
    Remembered out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const bool is_digest = line.starts_with(kDigest);
        if (!is_digest && !line.starts_with(kJob)) return {};
        const std::string word = line.substr(is_digest ? kDigest.size() : kJob.size());
        std::string& target = is_digest ? out.digest : out.job;
        if (!is_word(word) || !target.empty()) return {};
        target = word;
    }
    return out.job.empty() || out.job.starts_with(bus::kJobPathPrefix) ? out : Remembered{};
}

bool is_staged_and_locked(const client::Status& status, const std::string& digest) {
    return std::any_of(status.deployments.begin(),
                       status.deployments.end(),
                       [&](const client::Deployment& deployment) {
                           return deployment.digest == digest && deployment.state == "staged" &&
                                  deployment.locked;
                       });
}

}  // namespace

Remembered read_remembered(const std::string& directory) noexcept {
    try {
        const UniqueFd dir = open_root(directory);
        const auto file = stat_at(dir.get(), kFile);
        if (!file || !is_ours(*file)) return {};
        const auto text = find_text_at(dir.get(), kFile, kMaxFile);
        return text ? parse(*text) : Remembered{};
    } catch (const std::exception& e) {
        log::debug(std::string("nothing is remembered as acquired: ") + e.what());
        return {};
    }
}

void write_remembered(const std::string& directory, const Remembered& what) {
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);  // or opening it says why not
    std::string text;
    if (!what.digest.empty()) text += std::string(kDigest) + what.digest + "\n";
    if (!what.job.empty()) text += std::string(kJob) + what.job + "\n";
    replace_file_at(open_root(directory).get(), kFile, as_bytes(text), 0600);
}

std::string staged_by(const Ended& how) {
    if (how.state != "done") return "";
    const client::UpdateOutcome outcome = client::decode_update(how.result);
    const bool is_new = outcome.outcome == "staged" && is_word(outcome.deployment.digest);
    return is_new ? outcome.deployment.digest : "";
}

Acquired::Acquired(Daemon& daemon, std::string directory)
    : daemon_(daemon),
      directory_(std::move(directory)),
      now_(read_remembered(directory_)),
      self_(std::make_shared<Acquired*>(this)) {}

Acquired::~Acquired() {
    self_.reset();
}

void Acquired::accepted(const std::string& job) {
    inherited_ = false;
    remember({now_.digest, job});
}

void Acquired::ended(const std::string& job, const Ended& how) {
    if (job.empty() || job != now_.job) return;
    const std::string staged = staged_by(how);
    // The list of deployments may say so later than this.
    if (!staged.empty()) seen_ = false;
    remember({staged.empty() ? now_.digest : staged, ""});
    changed();
}

/// What was unlocked, finalized or dropped meanwhile is not what was acquired: whoever locks it
/// then has it kept from those who may only install.
void Acquired::changed() {
    const client::Status* const status = daemon_.status();
    // One that still puts things in order may not know them.
    if (status == nullptr || status->state == "starting") return;
    if (std::exchange(inherited_, false) && !now_.job.empty()) look();
    if (now_.digest.empty()) return;
    const bool is_there = is_staged_and_locked(*status, now_.digest);
    if (!is_there && seen_) return remember({"", now_.job});
    seen_ = seen_ || is_there;
}

void Acquired::replaced() {
    seen_ = true;  // what another one lists is all that comes
    if (!now_.job.empty()) look();
}

/// How it ended while nobody of us was there.
void Acquired::look() {
    daemon_.look_at(now_.job,
                    [this, weak = std::weak_ptr(self_), job = now_.job](
                        const std::optional<Daemon::Look>& found, bool answered) {
                        if (weak.expired() || job != now_.job) return;
                        if (found && found->ended) return ended(job, *found->ended);
                        if (!found && answered) remember({now_.digest, ""});
                    });
}

/// What cannot be written down counts until the adapter ends, and then nothing does.
void Acquired::remember(Remembered what) noexcept {
    if (what == now_) return;
    now_ = std::move(what);
    try {
        write_remembered(directory_, now_);
    } catch (const std::exception& e) {
        log::warn(std::string("what was acquired cannot be remembered: ") + e.what());
        forget_remembered(directory_);
    }
}

}  // namespace cfs::sysupdate
