// SPDX-License-Identifier: Apache-2.0
#include "client/exit_code.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::client {
namespace {

struct Row {
    ErrorCode error;
    int code;

    friend std::ostream& operator<<(std::ostream& out, const Row& row) {
        return out << to_string(row.error);
    }
};

class ExitCodeOf : public testing::TestWithParam<Row> {};

TEST_P(ExitCodeOf, IsTheDocumentedOne) {
    EXPECT_EQ(static_cast<int>(exit_code_for(GetParam().error)), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(Errors,
                         ExitCodeOf,
                         testing::Values(Row{ErrorCode::Network, 1},
                                         Row{ErrorCode::SignatureInvalid, 1},
                                         Row{ErrorCode::DigestMismatch, 1},
                                         Row{ErrorCode::InvalidArgs, 1},
                                         Row{ErrorCode::Cancelled, 1},
                                         Row{ErrorCode::Busy, 1},
                                         Row{ErrorCode::NotFound, 3},
                                         Row{ErrorCode::AccessDenied, 4},
                                         Row{ErrorCode::DowngradeRejected, 5},
                                         Row{ErrorCode::SlotNotProven, 5},
                                         Row{ErrorCode::Metered, 5},
                                         Row{ErrorCode::OnBattery, 5},
                                         Row{ErrorCode::Inhibited, 5},
                                         Row{ErrorCode::OutsideWindow, 5},
                                         Row{ErrorCode::RegistryBlocked, 5},
                                         Row{ErrorCode::PolicyForbids, 5},
                                         Row{ErrorCode::NotIdle, 5},
                                         Row{ErrorCode::NotYet, 5}),
                         [](const auto& test) { return std::string(to_string(test.param.error)); });

}  // namespace
}  // namespace cfs::client
