// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_error.hpp"

#include <gtest/gtest.h>

namespace cfs::bus {
namespace {

TEST(BusError, NamesLieBelowOurPrefixExceptTheCommonOnes) {
    EXPECT_EQ(bus_error_name(ErrorCode::DigestMismatch), "org.cfsupdate1.Error.DigestMismatch");
    EXPECT_EQ(bus_error_name(ErrorCode::Internal), "org.cfsupdate1.Error.Internal");
    EXPECT_EQ(bus_error_name(ErrorCode::InvalidArgs), "org.freedesktop.DBus.Error.InvalidArgs");
    EXPECT_EQ(bus_error_name(ErrorCode::AccessDenied), "org.freedesktop.DBus.Error.AccessDenied");
}

TEST(BusError, TheHintIsALineOfItsOwn) {
    const sdbus::Error with = to_bus_error(Error(ErrorCode::Busy, "job 3 runs", "Wait for it."));
    EXPECT_EQ(std::string(with.getMessage()), "job 3 runs\nHint: Wait for it.");
    EXPECT_EQ(std::string(to_bus_error(Error(ErrorCode::Busy, "job 3 runs")).getMessage()),
              "job 3 runs");
}

TEST(BusError, WhatAPasswordWouldOpenHasPolkitsCommonName) {
    const sdbus::Error error = interaction_required("a password is needed", "Let it ask.");
    EXPECT_EQ(std::string(error.getName()),
              "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired");
    EXPECT_EQ(std::string(error.getMessage()), "a password is needed\nHint: Let it ask.");
}

TEST(BusError, TheTextIsFitForTheBus) {
    const sdbus::Error error = to_bus_error(Error(ErrorCode::NotFound, "no file 'a\xff'"));
    EXPECT_EQ(std::string(error.getMessage()), "no file 'a\xef\xbf\xbd'");
}

TEST(BusError, OurOwnErrorsPassThrough) {
    const Error error =
        to_error(std::make_exception_ptr(Error(ErrorCode::NoSpace, "full", "remove something")));
    EXPECT_EQ(error.code(), ErrorCode::NoSpace);
    EXPECT_EQ(error.hint(), "remove something");
}

TEST(BusError, ForeignExceptionsAreInternalAndKeepTheirText) {
    const Error error = to_error(std::make_exception_ptr(std::out_of_range("vector::at")));
    EXPECT_EQ(error.code(), ErrorCode::Internal);
    EXPECT_STREQ(error.what(), "unexpected failure: vector::at");
    EXPECT_EQ(to_error(std::make_exception_ptr(42)).code(), ErrorCode::Internal);
}

}  // namespace
}  // namespace cfs::bus
