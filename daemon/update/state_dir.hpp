// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "update/history.hpp"
#include "update/record.hpp"
#include "update/status.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

struct PausedJob;

/// Where everything lies below the sysroot.
inline constexpr const char* kStorePath = "composefs";
inline constexpr const char* kDeployPath = "state/deploy";
inline constexpr const char* kVarPath = "state/os/default/var";
inline constexpr const char* kPrivatePath = "state/cfsupdated";

/// Why a digest is not installed by automation.
inline constexpr std::string_view kHeldRolledBack = "rolled-back";
inline constexpr std::string_view kHeldFailed = "failed";
/// For an older installation that somebody wanted more: it is the way back.
inline constexpr std::string_view kHeldLeft = "left";

/// A rollback that was decided: what reconcile() finishes if we die in the middle.
struct RollbackIntent {
    std::string target;               ///< stem
    std::vector<std::string> demote;  ///< stems
};

/// What a boot on trial left about its failure.
struct BootFailure {
    std::string stem;
    std::string reason;
    std::int64_t time = 0;      ///< seconds since the epoch
    std::uint64_t reboots = 0;  ///< of this stem that were asked for because of a failure
};

/// The counter of jobs, written without the deployments' lock.
inline constexpr const char* kJobId = "job-id";
inline constexpr const char* kBootFailure = "boot-failure.json";
/// A unit of the next boot looks for it.
inline constexpr const char* kFinalizeFailure = "finalize-failure.json";

/// Our private folder below the sysroot, mode 0700. Every file in it is replaced atomically and
/// durably (old or new after a crash). A damaged one reads as absent, except what guards against
/// downgrades, held images and repeated names: held(), floor(), next_serial(), next_job_id().
/// Functions may be called from any thread; two threads never write the same file.
class StateDir {
 public:
    /// Makes the folder when `create`; NotFound otherwise.
    StateDir(int sysroot, bool create);

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Only one process changes deployments at a time. Busy names what to do. Released by the
    /// descriptor's end.
    [[nodiscard]] UniqueFd lock() const;

    /// Newest (highest serial) first. `problems` gets a line for each record that cannot be read.
    [[nodiscard]] std::vector<DeploymentRecord> deployments(
        std::vector<std::string>* problems = nullptr) const;
    /// For reports: a line for each file that reads as absent because it is damaged.
    void find_damaged(std::vector<std::string>& problems) const;
    void save(const DeploymentRecord& record) const;
    void drop(const std::string& stem) const;

    /// Numbers that were never given before, also when the counter is damaged; durable before they
    /// are returned.
    [[nodiscard]] std::uint64_t next_serial() const;
    [[nodiscard]] std::uint64_t next_job_id() const;

    /// Digest of an image, or of a UKI (Authenticode), in hex -> reason: see hold_key().
    /// StateCorrupt when it cannot be known what is held: whoever installs must not go on then.
    [[nodiscard]] std::map<std::string, std::string> held() const;
    /// For reports: gives what can be read, and a line in `problems` for what cannot.
    [[nodiscard]] std::map<std::string, std::string> held(std::vector<std::string>& problems) const;
    /// \throws Error StateCorrupt as held(), and then changes nothing
    void hold(const Digest& key, std::string_view reason) const;
    void release(const Digest& key) const;
    /// The image and the UKI.
    void release(const DeploymentRecord& record) const;

    /// The lowest security version that may be installed; 0 when none was ever set. StateCorrupt
    /// when it cannot be known.
    [[nodiscard]] std::uint64_t floor() const;
    /// For reports: 0 and a line in `problems` when it cannot be known.
    std::uint64_t floor(std::vector<std::string>& problems) const;
    /// Never lowers it. Durable when it returns. StateCorrupt as floor(), and then changes nothing.
    void raise_floor(std::uint64_t version) const;

    [[nodiscard]] std::optional<LastError> last_error() const;
    void set_last_error(const std::optional<LastError>& error) const;

    [[nodiscard]] std::optional<Available> available() const;
    void set_available(const std::optional<Available>& available) const;

    /// Written without lock(): by a boot that has no time for it.
    [[nodiscard]] std::optional<BootFailure> boot_failure() const;
    void set_boot_failure(const std::optional<BootFailure>& failure) const;

    /// Why the last shutdown could not make the next deployment ready.
    [[nodiscard]] std::optional<LastError> finalize_failure() const;
    void set_finalize_failure(const std::optional<LastError>& failure) const;

    [[nodiscard]] std::optional<Fallback> fallback() const;
    void set_fallback(const std::optional<Fallback>& fallback) const;

    /// Written without lock(): it is nothing of deployments. A damaged one reads as absent, and
    /// then that update only has to be asked for again.
    [[nodiscard]] std::optional<PausedJob> paused_job() const;
    void set_paused_job(const std::optional<PausedJob>& job) const;

    [[nodiscard]] std::optional<RollbackIntent> rollback_intent() const;
    void set_rollback_intent(const std::optional<RollbackIntent>& intent) const;

    /// Best effort: what keeps it from being written is said in the log. Durable when it returns;
    /// older entries are there whenever the process dies. \pre the caller holds lock()
    void add_history(HistoryEntry entry) const noexcept;
    /// Newest first, at most kMostHistory; a line that is damaged is an entry "unreadable". Needs
    /// no lock.
    [[nodiscard]] std::vector<HistoryEntry> history() const;

    /// A damaged file begins again at 0.
    [[nodiscard]] Counters counters() const;
    /// Best effort, as the history. \pre the caller holds lock()
    void set_counters(const Counters& counters) const noexcept;

    /// A fresh empty directory below work/, for trees that are thrown away; what a crash left there
    /// is removed first. Returns its path below the state folder. What remove_work() and
    /// sweep_work() cannot remove is said in the log and stays.
    [[nodiscard]] std::string make_work(const std::string& name) const;
    void remove_work(const std::string& name) const;
    void sweep_work() const;

    /// Removes what a crash left of replacing a file; what it cannot remove is said in the log.
    /// \pre the caller holds lock()
    void sweep_temporaries() const;

 private:
    void put(const std::string& file, const std::string& text) const;
    void write_history(HistoryEntry entry) const;
    [[nodiscard]] std::string get(const std::string& file) const;
    void put_error(const std::string& file, const std::optional<LastError>& error) const;
    [[nodiscard]] std::optional<LastError> get_error(const std::string& file) const;

    UniqueFd fd_;
};

}  // namespace cfs::update
