// SPDX-License-Identifier: Apache-2.0
// What every BootBackend does alike; keeps the fake honest.
#include "esp_fixture.hpp"
#include "fakes/fake_boot.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace cfs::boot::test {
namespace {

enum class Kind { Esp, Fake };

std::ostream& operator<<(std::ostream& out, Kind kind) {
    return out << (kind == Kind::Esp ? "UkiEsp" : "FakeBoot");
}

class Backend : public ::testing::TestWithParam<Kind> {
 protected:
    Backend() {
        if (GetParam() == Kind::Esp) {
            backend_ = open_esp(dir_.path());
        } else {
            auto fake = std::make_unique<cfs::test::FakeBoot>();
            fake->description = {"os", "2", "", "OS"};
            backend_ = std::move(fake);
        }
    }

    void arm(const std::string& stem) {
        backend_->arm(stage(*backend_, uki_text("2"), {stem, Counter{2, 0}}));
    }

    std::vector<std::string> files() {
        std::vector<std::string> out;
        for (const LoaderEntry& entry : backend_->list())
            out.push_back(entry.file);
        return out;
    }

    using Names = std::vector<std::string>;

    TempDir dir_;
    std::unique_ptr<BootBackend> backend_;
};

INSTANTIATE_TEST_SUITE_P(All,
                         Backend,
                         ::testing::Values(Kind::Esp, Kind::Fake),
                         ::testing::PrintToStringParamName());

TEST_P(Backend, StagedIsNotListedAndArmedIs) {
    const StagedUki staged = stage(*backend_, uki_text("2"), kName);
    EXPECT_TRUE(files().empty());
    ASSERT_EQ(backend_->staged().size(), 1U);
    EXPECT_EQ(backend_->staged()[0].stem, kName.stem);
    EXPECT_EQ(backend_->predict_after(staged, {"os", "2", "", ""}, {}), kFile);
    backend_->verify(staged);
    backend_->arm(staged);
    EXPECT_EQ(files(), Names{kFile});
    EXPECT_TRUE(backend_->staged().empty());
    EXPECT_EQ(backend_->predict_next(), kFile);
}

TEST_P(Backend, DemotedComesLastAndPromotedFirst) {
    arm("os_2-000001-00000000");
    arm("os_2-000002-00000000");
    EXPECT_EQ(backend_->predict_next(), "os_2-000002-00000000+2-0.efi");
    backend_->demote("os_2-000002-00000000+2-0.efi");
    EXPECT_EQ(backend_->predict_next(), "os_2-000001-00000000+2-0.efi");
    backend_->promote("os_2-000002-00000000+0-1.efi", {3, 0});
    EXPECT_EQ(backend_->predict_next(), "os_2-000002-00000000+3-0.efi");
    backend_->bless("os_2-000002-00000000+3-0.efi");
    EXPECT_EQ(backend_->predict_next(), "os_2-000002-00000000.efi");
}

TEST_P(Backend, RemoveAndUnstageAreIdempotent) {
    arm(kName.stem);
    backend_->remove(kName.stem);
    backend_->remove(kName.stem);
    (void)stage(*backend_, uki_text("2"), kName);
    backend_->unstage(kName.stem);
    backend_->unstage(kName.stem);
    EXPECT_TRUE(files().empty());
    EXPECT_TRUE(backend_->staged().empty());
}

TEST_P(Backend, SweepKeepsWhatItIsTold) {
    (void)stage(*backend_, uki_text("2"), kName);
    EXPECT_TRUE(backend_->sweep_leftovers({kName.stem}).empty());
    EXPECT_EQ(backend_->sweep_leftovers({}), Names{kStagedFile});
}

TEST_P(Backend, OpenGivesTheContent) {
    arm(kName.stem);
    const auto fd = backend_->open(kFile);
    ASSERT_TRUE(fd);
    EXPECT_EQ(as_text(read_whole(fd->get(), 1000)), uki_text("2"));
    EXPECT_FALSE(backend_->open("none.efi"));
}

TEST_P(Backend, MissingEntryIsNotFound) {
    EXPECT_EQ(code_of([&] { backend_->demote("none.efi"); }), ErrorCode::NotFound);
}

}  // namespace
}  // namespace cfs::boot::test
