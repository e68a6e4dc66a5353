// SPDX-License-Identifier: Apache-2.0
#include "service/actions.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cfs::service {
namespace {

JobRequest request(JobKind kind, const std::string& image = "") {
    JobRequest out;
    out.kind = kind;
    out.image = image;
    return out;
}

TEST(Actions, HaveEachTheirOwnId) {
    std::set<std::string_view> ids;
    for (const Action action : kActions) {
        EXPECT_EQ(action_id(action).substr(0, 15), "org.cfsupdate1.");
        ids.insert(action_id(action));
    }
    EXPECT_EQ(ids.size(), kActions.size());
}

// Whoever sits there gets the newest of the configured image, and no further.
TEST(Actions, OnlyThePlainOnesAreForActiveUsers) {
    const auto free = [](const JobRequest& asked, bool by_default) {
        for (const Action action : actions_of(asked, by_default)) {
            if (!is_for_active_users(action)) return false;
        }
        return !actions_of(asked, by_default).empty();
    };
    EXPECT_TRUE(free(request(JobKind::Check), true));
    EXPECT_TRUE(free(request(JobKind::Update), true));
    EXPECT_FALSE(free(request(JobKind::Check, "oci:/x"), true));
    EXPECT_FALSE(free(request(JobKind::Update, "oci:/x"), true));
    EXPECT_FALSE(free(request(JobKind::Update), false))
        << "finalize where the settings say to wait";
    for (int kind = static_cast<int>(JobKind::Finalize);
         kind <= static_cast<int>(JobKind::RestoreEtc);
         ++kind) {
        EXPECT_FALSE(free(request(static_cast<JobKind>(kind)), true)) << kind;
    }
}

TEST(Actions, AnImageAndAnEarlyFinalizeAreTwo) {
    EXPECT_EQ(actions_of(request(JobKind::Update, "oci:/x"), false),
              (std::vector<Action>{Action::UpdateImage, Action::Finalize}));
    EXPECT_EQ(actions_of(request(JobKind::Update, "oci:/x"), true),
              (std::vector<Action>{Action::UpdateImage}));
}

TEST(Actions, ALowerVersionAndASwitchAreQuestionsOfTheirOwn) {
    JobRequest asked = request(JobKind::Update);
    asked.downgrade = true;
    EXPECT_EQ(actions_of(asked, true), (std::vector<Action>{Action::Update, Action::Downgrade}));
    EXPECT_EQ(actions_of(request(JobKind::Switch, "oci:/x"), true),
              (std::vector<Action>{Action::Switch}));
    EXPECT_FALSE(is_for_active_users(Action::Downgrade));
    EXPECT_FALSE(is_for_active_users(Action::Switch));
    JobRequest staged = request(JobKind::Stage);
    staged.finalize = false;
    EXPECT_EQ(actions_of(staged, false), (std::vector<Action>{Action::Update}));
}

TEST(Actions, ContentOfEtcIsForRootOnly) {
    JobRequest preview = request(JobKind::PreviewEtc);
    EXPECT_EQ(for_root_only(preview), "");
    preview.content = std::make_shared<UniqueFd>();
    EXPECT_NE(for_root_only(preview), "");
}

// A dialog shows them, and their writer is whoever calls.
TEST(Actions, DetailsAreShortAndOneLine) {
    JobRequest asked =
        request(JobKind::Update, "a\nb\x1b[1m\x7f" + std::string(1000, 'x') + "\xff");
    const ActionDetails details = details_of(asked);
    ASSERT_EQ(details.size(), 1U);
    const std::string& image = details.at("image");
    EXPECT_EQ(image.substr(0, 9), "a?b?[1m?x");
    EXPECT_LE(image.size(), 210U);
    EXPECT_TRUE(details_of(request(JobKind::Check)).empty());
}

}  // namespace
}  // namespace cfs::service
