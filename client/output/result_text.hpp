// SPDX-License-Identifier: Apache-2.0
/// \file Results of verbs for people: whole lines, each with its line break.
#pragma once

#include "base/error.hpp"
#include "client/model.hpp"
#include "store/fsck.hpp"

#include <string>

namespace cfs::client {

[[nodiscard]] std::string check_text(const CheckOutcome& outcome);
[[nodiscard]] std::string update_text(const UpdateOutcome& outcome);
[[nodiscard]] std::string installed_text(const UpdateOutcome& outcome);
[[nodiscard]] std::string rollback_text(const Deployment& deployment);
[[nodiscard]] std::string collect_text(const CollectOutcome& outcome);
[[nodiscard]] std::string pin_text(const PinOutcome& outcome);
[[nodiscard]] std::string report_text(const ReportOutcome& outcome);
[[nodiscard]] std::string pending_text(const PendingOutcome& outcome);
[[nodiscard]] std::string verify_text(const VerifyOutcome& outcome);
[[nodiscard]] std::string repair_text(const RepairOutcome& outcome);
[[nodiscard]] std::string etc_preview_text(const EtcPreview& preview);
[[nodiscard]] std::string etc_restored_text(const EtcRestored& restored);
[[nodiscard]] std::string fsck_text(const store::FsckReport& report);

/// "cfsctl: what", the details if there are any, "  hint: ...".
[[nodiscard]] std::string error_text(const Error& error);

/// One line of `cfsctl monitor`.
[[nodiscard]] std::string job_line(const JobState& job);

}  // namespace cfs::client
