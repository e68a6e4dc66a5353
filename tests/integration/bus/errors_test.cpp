// SPDX-License-Identifier: Apache-2.0
#include "bus_client.hpp"
#include "service_site.hpp"

#include <gtest/gtest.h>

namespace cfs::test {
namespace {

class BusErrors : public testing::Test {
 protected:
    /// "name: message" of the error that `call` ends in.
    template <typename F>
    static std::string error_of(F call) {
        try {
            call();
        } catch (const sdbus::Error& e) {
            return std::string(e.getName()) + ": " + std::string(e.getMessage());
        }
        return "no error";
    }

    BusClient& client() {
        if (!client_) client_ = std::make_unique<BusClient>(site_.bus.address());
        return *client_;
    }

    ServiceSite site_;
    std::unique_ptr<BusClient> client_;
};

TEST_F(BusErrors, AnUnknownOptionIsNamed) {
    site_.start();
    EXPECT_EQ(error_of([&] {
                  client().start("Update", {{"froce", sdbus::Variant{true}}});
              }),
              "org.freedesktop.DBus.Error.InvalidArgs: option 'froce' is not known to Update\n"
              "Hint: Update takes the options automatic, downgrade, expected-digest, finalize, "
              "ignore-inhibitors, image, lock, user.");
}

TEST_F(BusErrors, AnOptionOfTheWrongTypeIsNamed) {
    site_.start();
    EXPECT_EQ(error_of([&] {
                  client().start("Check", {{"image", sdbus::Variant{7}}});
              }),
              "org.freedesktop.DBus.Error.InvalidArgs: option 'image' must be a string (s), found "
              "type 'i'\nHint: Check takes the options image.");
}

TEST_F(BusErrors, ASecondJobIsRefusedAndTheFirstNamed) {
    site_.engine.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { site_.door.pass(stop); });
    site_.start();
    const std::string job = client().start("Update");
    EXPECT_EQ(error_of([&] { client().start("Rollback"); }),
              "org.cfsupdate1.Error.Busy: job " + job.substr(job.rfind('/') + 1) +
                  " (update) is running already\n"
                  "Hint: Wait for it, or stop it with 'cfsctl cancel'.");
}

TEST_F(BusErrors, CancelWithoutAJobIsNotFound) {
    site_.start();
    EXPECT_EQ(error_of([&] { client().cancel_active(); }),
              "org.cfsupdate1.Error.NotFound: no job is running\n"
              "Hint: There is nothing to cancel.");
}

TEST_F(BusErrors, AFailedJobCarriesItsErrorAndSoDoesTheManager) {
    site_.engine.set_verb([](update::ProgressSink&, const std::stop_token&) {
        Error error(ErrorCode::SignatureInvalid, "signed by 'other'", "check the image's source");
        throw error.set_details("expected 'vendor'");
    });
    site_.start();
    const std::string job = client().start("Update");
    const Heard ended = client().wait_for_end(job);
    EXPECT_EQ(ended.state, "failed");
    for (const bus::VariantMap& error : {ended.changed,
                                         value<bus::VariantMap>(client().job(job), "Error"),
                                         value<bus::VariantMap>(client().manager(), "LastError")}) {
        EXPECT_EQ(value<std::string>(error, "name"), "SignatureInvalid");
        EXPECT_EQ(value<std::string>(error, "message"), "signed by 'other'");
        EXPECT_EQ(value<std::string>(error, "hint"), "check the image's source");
        EXPECT_EQ(value<std::string>(error, "details"), "expected 'vendor'");
    }
}

TEST_F(BusErrors, AForeignExceptionFailsTheJobNotTheDaemon) {
    site_.engine.set_verb([](update::ProgressSink&, const std::stop_token&) {
        throw std::length_error("basic_string::_M_create");
    });
    site_.start();
    const Heard ended = client().wait_for_end(client().start("Update"));
    EXPECT_EQ(value<std::string>(ended.changed, "name"), "Internal");
    EXPECT_EQ(value<std::string>(client().manager(), "State"), "idle");
}

TEST_F(BusErrors, AnExceptionBeforeTheJobAnswersTheCall) {
    site_.engine.on_id = [](std::uint64_t) -> std::uint64_t {
        throw Error(ErrorCode::NoSpace, "the state is full", "remove something");
    };
    site_.start();
    EXPECT_EQ(error_of([&] { client().start("Update"); }),
              "org.cfsupdate1.Error.NoSpace: the job gets no id: the state is full\n"
              "Hint: remove something");
}

TEST_F(BusErrors, OddBytesInAMessageReachTheClientAsReplacementCharacters) {
    site_.engine.set_verb([](update::ProgressSink& progress, const std::stop_token&) {
        progress.message("unpacking 'x\xc3'");
        throw Error(ErrorCode::BadFormat, "name 'y\x80'");
    });
    site_.start();
    const std::string job = client().start("Update");
    const Heard ended = client().wait_for_end(job);
    EXPECT_EQ(value<std::string>(ended.changed, "message"), "name 'y\xef\xbf\xbd'");
    EXPECT_EQ(value<std::string>(client().job(job), "Message"), "unpacking 'x\xef\xbf\xbd'");
}

TEST_F(BusErrors, StoppingCancelsTheJobAndGivesUpTheName) {
    site_.engine.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { site_.door.pass(stop); });
    site_.start();
    const std::string job = client().start("Update");
    site_.stop();
    EXPECT_EQ(client().wait_for_end(job).state, "cancelled");
    EXPECT_EQ(error_of([&] { (void)client().manager(); }).substr(0, 41),
              "org.freedesktop.DBus.Error.ServiceUnknown");
}

}  // namespace
}  // namespace cfs::test
