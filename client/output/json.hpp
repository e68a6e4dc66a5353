// SPDX-License-Identifier: Apache-2.0
/// \file Results as JSON for `--json`: one object per line of standard output, first key `schema`
/// (1). Later versions only add keys. Sizes are bytes, times seconds since the epoch; what is not
/// there is null.
#pragma once

#include "base/error.hpp"
#include "client/model.hpp"
#include "store/fsck.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

/// No line break at the end.
[[nodiscard]] std::string to_json(const Status& status);
[[nodiscard]] std::string to_json(const std::vector<HistoryEntry>& entries);
[[nodiscard]] std::string to_json(const CheckOutcome& outcome);
[[nodiscard]] std::string to_json(const UpdateOutcome& outcome);
[[nodiscard]] std::string to_json(const CollectOutcome& outcome);
[[nodiscard]] std::string to_json(const PinOutcome& outcome);
[[nodiscard]] std::string to_json(const ReportOutcome& outcome);
[[nodiscard]] std::string to_json(const PendingOutcome& outcome);
[[nodiscard]] std::string to_json(const VerifyOutcome& outcome);
[[nodiscard]] std::string to_json(const RepairOutcome& outcome);
[[nodiscard]] std::string to_json(const EtcPreview& preview);
[[nodiscard]] std::string to_json(const EtcRestored& restored);
[[nodiscard]] std::string to_json(const store::FsckReport& report);

/// `{"schema":1,"deployment":{...}}`.
[[nodiscard]] std::string to_json(const Deployment& deployment);

/// `{"schema":1,"error":{"name":...}}`.
[[nodiscard]] std::string to_json(const Error& error);

/// One event of `cfsctl monitor`: `{"schema":1,"event":"job",...}`.
[[nodiscard]] std::string job_event_json(const JobState& job);
[[nodiscard]] std::string state_event_json(std::string_view state);

/// An object of text members, in the order given: results of small verbs.
[[nodiscard]] std::string text_json(
    const std::vector<std::pair<std::string_view, std::string>>& members);

}  // namespace cfs::client
