// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

TEST(Transfer, HeadBodyAndEndComeInOrder) {
    Transfer transfer;
    HttpResponse head;
    head.status = 200;
    transfer.put_head(head);
    EXPECT_TRUE(transfer.put_body(as_bytes("ab")));
    EXPECT_TRUE(transfer.put_body(as_bytes("cd")));
    transfer.put_end({FailureKind::Cut, "cut", {}});
    EXPECT_EQ(transfer.wait_head({})->status, 200);
    EXPECT_EQ(as_text(*transfer.next_body({})), "abcd");
    EXPECT_FALSE(transfer.next_body({}));
    EXPECT_EQ(transfer.end().problem, "cut");
}

TEST(Transfer, AFullQueueRefusesUntilHalfOfItIsTaken) {
    Transfer transfer;
    const Bytes piece(Transfer::kLimit / 4);
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(transfer.put_body(piece));
    EXPECT_FALSE(transfer.put_body(piece));
    (void)transfer.next_body({});
    EXPECT_FALSE(transfer.take_resume());
    (void)transfer.next_body({});
    EXPECT_TRUE(transfer.take_resume());
    EXPECT_FALSE(transfer.take_resume()) << "one nudge is enough";
    EXPECT_TRUE(transfer.put_body(piece));
}

TEST(Transfer, AnEndWithoutAHeadIsNoResponse) {
    Transfer transfer;
    transfer.put_end({FailureKind::Connect, "refused", {}});
    EXPECT_FALSE(transfer.wait_head({}));
}

TEST(Transfer, WaitingIsCancelled) {
    Transfer transfer;
    std::stop_source stop;
    stop.request_stop();
    test::expect_error(
        ErrorCode::Cancelled, "", [&] { (void)transfer.wait_head(stop.get_token()); });
}

}  // namespace
}  // namespace cfs::net
