// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <map>
#include <string>
#include <vector>

namespace cfs::test {

/// Stands in for systemd-journald: what this thread logs from now on arrives here, in journald's
/// own protocol. In a mount namespace that the thread keeps; JOURNAL_STREAM is set back at the end.
/// One at a time.
class FakeJournal {
 public:
    using Entry = std::map<std::string, std::string>;  ///< field -> value

    FakeJournal();
    FakeJournal(const FakeJournal&) = delete;
    FakeJournal& operator=(const FakeJournal&) = delete;
    ~FakeJournal();

    /// False where there can be no mount namespace: skip the test.
    [[nodiscard]] bool works() const { return static_cast<bool>(socket_); }

    /// What arrived since the last call.
    [[nodiscard]] std::vector<Entry> take();

    /// Of take() those with this MESSAGE_ID.
    [[nodiscard]] std::vector<Entry> take(const std::string& id);

 private:
    UniqueFd socket_;
};

}  // namespace cfs::test
