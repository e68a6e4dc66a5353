// SPDX-License-Identifier: Apache-2.0
// Debian's own /etc: minbase, forty edits, and thirty packages more as what the vendor brings. The
// plan is tests/data/etc-debian/listing.txt, reviewed there line by line. CFS_UPDATE_LISTING=1
// writes it anew, for another review.
#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "unit/etc/tree.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace cfs::etc {
namespace {

using cfs::test::TempDir;

std::string flags(const Change& change) {
    return std::string(change.vendor_withheld ? "!" : "") + (change.local_dropped ? "-" : "");
}

/// One line per path; of a directory that is new as a whole just its top.
std::string plan_lines(const MergePlan& plan) {
    std::ostringstream out;
    for (const Conflict& one : plan.conflicts) {
        out << "CONFLICT " << to_string(one.kind) << "  " << one.path << ": " << one.what << " => "
            << one.resolution << "\n";
    }
    std::string top;
    std::size_t below = 0;
    const auto flush = [&] {
        if (below != 0) out << "    and " << below << " below it\n";
        top.clear();
        below = 0;
    };
    for (const Change& change : plan.changes) {
        const bool same = change.kind == ChangeKind::VendorUpdate && flags(change).empty();
        if (!top.empty() && same && change.path.starts_with(top)) {
            ++below;
            continue;
        }
        flush();
        out << to_string(change.kind) << flags(change) << "  " << change.path << "  ("
            << change.detail << ")\n";
        if (same && change.detail == "new") top = change.path + "/";
    }
    flush();
    return out.str();
}

std::string account_lines(const TempDir& result) {
    std::string out;
    for (const char* name : {"passwd", "shadow", "group", "gshadow"}) {
        std::istringstream lines(result.read(name));
        for (std::string line; std::getline(lines, line);) {
            // Most of it is the image's; what people made, and who lost an ID, is of interest.
            const bool special =
                line.find("anna") != std::string::npos || line.find("kiosk") != std::string::npos ||
                line.find(":101:") != std::string::npos || line.starts_with("sshd:");
            if (special) out += std::string(name) + ": " + line + "\n";
        }
    }
    return out;
}

TEST(EtcRealDebian, ThePlanIsTheOneThatWasReviewed) {
    const TempDir work;
    const std::string data = CFS_TEST_DATA "/etc-debian";
    const std::string command =
        std::string(CFS_ETC_DEBIAN) + " trees '" + data + "' '" + work / "t" + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const UniqueFd pristine = open_root(work / "t/pristine");
    const UniqueFd current = open_root(work / "t/current");
    const UniqueFd next = open_root(work / "t/next");
    const MergeInput input{pristine.get(), current.get(), next.get()};
    const MergePlan plan = plan_merge(input);
    const TempDir result;
    apply_merge(plan, input, result.fd());
    const std::string listing = plan_lines(plan) + "\n" + account_lines(result);
    const std::string file = data + "/listing.txt";
    if (std::getenv("CFS_UPDATE_LISTING") != nullptr) std::ofstream(file) << listing;
    std::ifstream in(file);
    const std::string reviewed{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(listing, reviewed);
}

}  // namespace
}  // namespace cfs::etc
