// SPDX-License-Identifier: Apache-2.0
// Faults in any order, from a seed: the blob arrives whole and, where the registry honours Range,
// hardly a byte twice; or the failure has its name.
#include "registry_fixture.hpp"
#include "support/captured_output.hpp"

#include <random>

namespace cfs::net {
namespace {

using test::Fault;

constexpr std::size_t kBlobSize = 1'000'000;
// The last kind of fault to choose from.
constexpr int kPassing = 6;
constexpr int kRefusals = 7;

class RandomFaults : public test::RegistryFixture, public testing::WithParamInterface<unsigned> {
 protected:
    RandomFaults() {
        options_.low_speed_time = std::chrono::seconds(1);
        other_.add_blob(content_);
        registry_.set_guard({});
    }

    /// One fault for one request. None of them alone keeps a patient client from its blob.
    Fault any_fault(int last) {
        Fault fault{.path = "/blobs/", .times = 1};
        switch (std::uniform_int_distribution(0, last)(random_)) {
            case 0:
            case 1:
            case 2:
                fault.close_after =
                    std::uniform_int_distribution<std::uint64_t>(0, 300'000)(random_);
                break;
            case 3:
                fault.status = std::array{500, 502, 503, 504}[random_() % 4];
                break;
            case 4:
                fault.status = 429;
                fault.headers = "Retry-After: 0\r\n";
                break;
            case 5:
                fault.status = 307;
                fault.location =
                    "http://" + other_.host() + "/v2/x/blobs/" + test::oci_digest(content_);
                break;
            case 6:
                fault.drip_bytes = 50'000;
                break;
            default:
                door_closes_ = true;
                fault.status = 401;
                fault.headers = "WWW-Authenticate: Bearer realm=\"http://" + registry_.host() +
                                "/token\",service=\"desk\"\r\n";
        }
        return fault;
    }

    /// \param last kRefusals: 401s too, of which two in a row end any patience
    void add_faults(int last, bool ignore_range) {
        const int count = std::uniform_int_distribution(1, 12)(random_);
        for (int i = 0; i < count; ++i) {
            Fault fault = any_fault(last);
            fault.ignore_range = ignore_range;
            registry_.add_fault(fault);
        }
        if (ignore_range) registry_.add_fault({.path = "/blobs/", .ignore_range = true});
    }

    std::mt19937 random_{GetParam()};
    std::string content_ = big_blob(kBlobSize);
    test::TestRegistry other_;
    bool door_closes_ = false;
};

TEST_P(RandomFaults, ABlobArrivesOrTheFailureHasItsName) {
    add_faults(kRefusals, false);
    options_.max_attempts = 3;
    try {
        EXPECT_TRUE(fetch(content_) == content_);
    } catch (const Error& e) {
        const bool named =
            e.code() == ErrorCode::Network || (door_closes_ && e.code() == ErrorCode::AuthRequired);
        EXPECT_TRUE(named) << to_string(e.code()) << ": " << e.what();
    }
    EXPECT_LE(source_->bytes_fetched(), kBlobSize * 11 / 10);
    for (const auto& request : other_.requests())
        EXPECT_FALSE(request.headers.contains("authorization"));
}

TEST_P(RandomFaults, APatientClientGetsItWhole) {
    add_faults(kPassing, false);
    options_.max_attempts = 20;
    EXPECT_TRUE(fetch(content_) == content_);
    EXPECT_LE(source_->bytes_fetched(), kBlobSize * 11 / 10);
}

TEST_P(RandomFaults, ARegistryThatIgnoresRangeIsReadOver) {
    add_faults(kPassing, true);
    options_.max_attempts = 20;
    test::CapturedOutput output;
    EXPECT_TRUE(fetch(content_) == content_);
    const std::string log = output.take();
    const std::uint64_t fetched = source_->bytes_fetched();
    const bool told = log.find("starts again") != std::string::npos;
    EXPECT_TRUE(fetched <= kBlobSize || told) << "fetched " << fetched << "\n" << log;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomFaults, testing::Range(1U, 41U));

}  // namespace
}  // namespace cfs::net
