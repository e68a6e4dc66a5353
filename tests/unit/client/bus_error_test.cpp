// SPDX-License-Identifier: Apache-2.0
#include "client/bus/bus_error.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

TEST(BusError, TheTaxonomyComesThrough) {
    const Error error = error_from_bus("org.cfsupdate1.Error.EspFull", "no room: 5 of 9 MiB");
    EXPECT_EQ(error.code(), ErrorCode::EspFull);
    EXPECT_STREQ(error.what(), "no room: 5 of 9 MiB");
}

TEST(BusError, TheLastLineIsTheHint) {
    const Error error =
        error_from_bus("org.cfsupdate1.Error.Busy", "a job runs\nHint: wait for its end");
    EXPECT_STREQ(error.what(), "a job runs");
    EXPECT_EQ(error.hint(), "wait for its end");
}

TEST(BusError, ARefusalByBusOrPolkitIsAccessDenied) {
    for (const char* name : {"AccessDenied", "InteractiveAuthorizationRequired"}) {
        const Error error =
            error_from_bus(std::string("org.freedesktop.DBus.Error.") + name, "Rejected send");
        EXPECT_EQ(error.code(), ErrorCode::AccessDenied);
        EXPECT_FALSE(error.hint().empty());
    }
}

TEST(BusError, ADaemonThatIsNotThereIsNotAMissingImage) {
    const Error error =
        error_from_bus("org.freedesktop.DBus.Error.ServiceUnknown", "The name was not provided");
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("not running"), std::string::npos);
    EXPECT_NE(error.hint().find("systemctl start cfsupdated"), std::string::npos);
}

TEST(BusError, WrongOptionsAreInvalidArgs) {
    EXPECT_EQ(error_from_bus("org.freedesktop.DBus.Error.InvalidArgs", "unknown 'x'").code(),
              ErrorCode::InvalidArgs);
}

TEST(BusError, AnUnknownNameIsShown) {
    const Error error = error_from_bus("com.example.Odd", "hm");
    EXPECT_EQ(error.code(), ErrorCode::Internal);
    EXPECT_NE(std::string(error.what()).find("com.example.Odd"), std::string::npos);
}

TEST(JobError, CarriesHintAndDetails) {
    const Error error = error_from_job({"Cancelled", "stopped", "start again", "layer 2", 0});
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    EXPECT_EQ(error.hint(), "start again");
    EXPECT_EQ(error.details(), "layer 2");
}

}  // namespace
}  // namespace cfs::client
