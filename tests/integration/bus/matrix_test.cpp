// SPDX-License-Identifier: Apache-2.0
// Who may call what, on a bus with the shipped policies and the real polkitd. What comes of it is
// daemon/service/AUTHORISATION.md; with CFS_UPDATE_LISTING set this test writes that file anew.
#include "bus_client.hpp"
#include "polkit_site.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace cfs::test {
namespace {

/// Lets anybody start this one job, so that everybody can have one of their own.
constexpr const char* kRules =
    "polkit.addRule(function(action, subject) {"
    " if (action.id == 'org.cfsupdate1.verify' &&"
    "     action.lookup('deployment') == 'for-all')"
    "   return polkit.Result.YES; });";

constexpr std::array kUsers{&kRoot, &kActive, &kInactive, &kAbsent};

struct Row {
    const char* method;
    const char* options = "";
    const char* condition = "";
};

constexpr const char* kWaits = "`update.auto_finalize = false`";

// Each method and each option; a test sees to it that none is missing.
constexpr std::array kRows{Row{"Check"},
                           Row{"Check", "image=s:oci:/x"},
                           Row{"Update"},
                           Row{"Update", "expected-digest=s:sha256:00"},
                           Row{"Update", "finalize=b:0"},
                           Row{"Update", "finalize=b:1"},
                           Row{"Update", "lock=b:1"},
                           Row{"Update", "ignore-inhibitors=b:1"},
                           Row{"Update", "automatic=b:1"},
                           Row{"Update", "", kWaits},
                           Row{"Update", "finalize=b:1", kWaits},
                           Row{"Update", "image=s:oci:/x"},
                           Row{"Update", "downgrade=b:1"},
                           Row{"Update", "user=t:1"},
                           Row{"Stage"},
                           Row{"Stage", "image=s:oci:/x"},
                           Row{"Stage", "expected-digest=s:sha256:00"},
                           Row{"Stage", "lock=b:1"},
                           Row{"Stage", "ignore-inhibitors=b:1"},
                           Row{"Stage", "downgrade=b:1"},
                           Row{"Stage", "user=t:1"},
                           Row{"Switch", "image=s:oci:/x"},
                           Row{"Switch", "finalize=b:0 image=s:oci:/x"},
                           Row{"Switch", "expected-digest=s:sha256:00 image=s:oci:/x"},
                           Row{"Switch", "lock=b:1 image=s:oci:/x"},
                           Row{"Switch", "ignore-inhibitors=b:1 image=s:oci:/x"},
                           Row{"Finalize"},
                           Row{"Rollback"},
                           Row{"Collect"},
                           Row{"Collect", "dry-run=b:1"},
                           Row{"Pin", "deployment=s:booted"},
                           Row{"Pin", "pinned=b:0"},
                           Row{"Remove", "deployment=s:booted"},
                           Row{"Verify"},
                           Row{"Verify", "deployment=s:booted"},
                           Row{"Verify", "full=b:1"},
                           Row{"Verify", "rate=t:0"},
                           Row{"Repair"},
                           Row{"Repair", "deployment=s:booted"},
                           Row{"Repair", "rate=t:0"},
                           Row{"PreviewEtc"},
                           Row{"PreviewEtc", "deployment=s:staged"},
                           Row{"PreviewEtc", "path=s:ssh"},
                           Row{"PreviewEtc", "content=h:"},
                           Row{"RestoreEtc", "path=s:hosts"},
                           Row{"Inhibit", "why=s:demo"},
                           Row{"Inhibit", "who=s:demo why=s:demo"},
                           Row{"Inhibit", "what=s:check why=s:demo"},
                           Row{"SetPolicy", "automatic=s:stage"},
                           Row{"SoftReboot"},
                           Row{"History"},
                           Row{"History", "limit=t:1"}};

std::string judge(const std::string& answer) {
    const auto starts = [&](const std::string& start) { return answer.rfind(start, 0) == 0; };
    // Another job may run still, and only an update can be paused: both come after the
    // authorisation.
    for (const char* answered :
         {"ok", "org.cfsupdate1.Error.Busy: job", "org.cfsupdate1.Error.Unsupported: job"}) {
        if (starts(answered)) return "yes";
    }
    if (starts("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired: ")) return "password";
    if (starts("org.freedesktop.DBus.Error.AccessDenied: ")) return "no";
    return answer;
}

std::string action_in(const std::string& answer) {
    std::smatch found;
    const std::regex id("org\\.cfsupdate1\\.[a-z-]+(?= needs)");
    return std::regex_search(answer, found, id) ? "`" + found.str() + "`" : "";
}

/// "image=s:oci:/x" -> "`image` \"oci:/x\"", as a person reads it.
std::string shown(const std::string& option) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) return "";
    const std::string name = "`" + option.substr(0, equals) + "`";
    if (option[equals + 1] != 'b') return name;
    return name + (option.substr(0, option.find(' ')).back() == '1' ? " true" : " false");
}

class Matrix : public testing::Test {
 protected:
    void SetUp() override {
        const std::string missing = PolkitSite::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
    }

    struct Place {
        explicit Place(bool finalize_by_default) : site(finalize_by_default) {
            for (const User* user : kUsers)
                callers.push_back(&site.add(*user));
            for (const User* user : kUsers)
                others.push_back(&site.add(*user));
            site.start_polkit(kRules);
        }

        PolkitSite site;
        std::vector<Caller*> callers;
        std::vector<Caller*> others;  ///< another connection of the same users
    };

    void add_row(const std::string& what,
                 const std::string& options,
                 const std::vector<std::string>& answers) {
        std::string action;
        std::string cells;
        for (const std::string& answer : answers) {
            cells += " " + judge(answer) + " |";
            if (action.empty()) action = action_in(answer);
        }
        table_ += "| " + what + " | " + options + " | " + action + " |" + cells + "\n";
    }

    void add_methods(Place& plain, Place& waits) {
        for (const Row& row : kRows) {
            Place& place = *row.condition == '\0' ? plain : waits;
            std::vector<std::string> answers;
            for (Caller* caller : place.callers)
                answers.push_back(caller->call(row.method, row.options));
            std::string options = shown(row.options);
            if (*row.condition != '\0')
                options += (options.empty() ? "" : ", ") + std::string("with ") + row.condition;
            add_row(std::string("`") + row.method + "`", options, answers);
        }
    }

    /// A job of `caller` that runs until it is stopped.
    static std::string start_job(Caller& caller) {
        for (int i = 0; i < 500; ++i) {
            const std::string answer = caller.call("Verify", "deployment=s:for-all");
            if (answer.rfind("ok ", 0) == 0) return answer.substr(3);
            ::usleep(10'000);
        }
        ADD_FAILURE() << "no job starts";
        return "";
    }

    enum class Whose { Own, OwnOfAnotherConnection, Others };

    void add_of_job(Place& place,
                    const std::string& interface,
                    const std::string& method,
                    Whose whose) {
        std::vector<std::string> answers;
        for (std::size_t i = 0; i < kUsers.size(); ++i) {
            Caller& caller = *place.callers[i];
            // Somebody else than the user of this column.
            Caller& stranger = *place.others[i == 0 ? 3 : 0];
            Caller& owner = whose == Whose::Own                      ? caller
                            : whose == Whose::OwnOfAnotherConnection ? *place.others[i]
                                                                     : stranger;
            const std::string job = start_job(owner);
            const bool of_job = interface == bus::kJobInterface;
            answers.push_back(caller.tell((of_job ? job : bus::kManagerPath) + " " + interface +
                                          " " + method + " 0" + (of_job ? " -" : "")));
            EXPECT_EQ(place.callers[0]->tell(job + " " + bus::kJobInterface + " Cancel 0 -"),
                      "ok ");
        }
        const char* const text = whose == Whose::Own ? "of one's own job"
                                 : whose == Whose::OwnOfAnotherConnection
                                     ? "of one's own job, from another connection"
                                     : "of another user's job";
        add_row("`" + method + "`" + (interface == bus::kJobInterface ? " of a job" : ""),
                text,
                answers);
    }

    std::string table_;
};

constexpr const char* kHead = R"(# Who may do what

This table is what `matrix_test` of `tests/integration/bus` finds on a bus with the shipped
`org.cfsupdate1.conf` and `org.cfsupdate1.policy` and the real polkitd, and compares with this file.
Reading, of properties and of the description of the interfaces, is everybody's.

The columns are root; a user who sits at the machine; one who is logged in there while somebody else
sits there; and one without a session at the machine, such as over SSH or from a timer. *yes*: it is
done. *password*: of an administrator; it is asked for when the call allows that (`cfsctl` does), and
else the call fails with `InteractiveAuthorizationRequired`. *no*: whatever password. An
administrator changes this by rules for the action, see polkit(8). Without polkit only root may.

| Call | with | action | root | active | inactive | no session |
|---|---|---|---|---|---|---|
)";

TEST_F(Matrix, IsTheDocumentedOne) {
    Place plain(true);
    Place waits(false);
    add_methods(plain, waits);
    plain.site.service.engine.set_verb([&](update::ProgressSink&, const std::stop_token& stop) {
        plain.site.service.door.pass(stop);
    });
    const auto add = [&](const char* interface, const char* method) {
        for (const Whose whose : {Whose::Own, Whose::OwnOfAnotherConnection, Whose::Others})
            add_of_job(plain, interface, method, whose);
    };
    add(bus::kManagerInterface, "Cancel");
    for (const char* method : {"Cancel", "Pause", "Resume"})
        add(bus::kJobInterface, method);
    const std::string text = kHead + table_;
    if (std::getenv("CFS_UPDATE_LISTING") != nullptr) std::ofstream(CFS_AUTHORISATION) << text;
    std::ifstream in(CFS_AUTHORISATION);
    EXPECT_EQ(text, (std::string{std::istreambuf_iterator<char>(in), {}}))
        << "if that is meant, run it with CFS_UPDATE_LISTING=1 and read what changed";
}

// The table is of no worth if it lacks what somebody added.
TEST_F(Matrix, HasEveryMethodAndOption) {
    ServiceSite site;
    site.start();
    BusClient client(site.bus.address());
    std::set<std::string> rows;
    for (const Row& row : kRows) {
        rows.insert(row.method);
        const std::string option = row.options;
        if (!option.empty()) rows.insert(row.method + (" " + option.substr(0, option.find('='))));
    }
    const Ended lines = run({"python3",
                             CFS_INTERFACE_LINES,
                             bus::kManagerInterface,
                             CFS_DBUS_DIR "/org.cfsupdate1.Manager.xml"});
    std::istringstream in(lines.out);
    int seen = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("method ", 0) != 0) continue;
        const std::string method = line.substr(7, line.find('(') - 7);
        if (method == "Cancel") continue;  // rows of its own
        ++seen;
        EXPECT_TRUE(rows.contains(method)) << method;
        // "Hint: Update takes the options a, b."
        const std::string refusal =
            client.call_with_options(method, {{"bogus", sdbus::Variant{true}}});
        const std::regex name("(?: the options|,) ([a-z-]+)");
        for (std::sregex_iterator it(refusal.begin(), refusal.end(), name), end; it != end; ++it)
            EXPECT_TRUE(rows.contains(method + " " + (*it)[1].str())) << method << " " << (*it)[1];
    }
    EXPECT_GE(seen, 9);
}

}  // namespace
}  // namespace cfs::test
