// SPDX-License-Identifier: Apache-2.0
// Sixty-seven kinds of damage on the ESP and in the state: status answers, and says what is wrong.
// Where nothing is wrong for us ("kept 1 "), everything else is shown as before.
#include "crash_site.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::CrashSite;

/// A machine that runs version 2 and keeps version 1.
class Victim {
 public:
    Victim() : crash_(std::string(CFS_MACHINES) + "/updated") {
        for (const std::string& file : crash_.site.entries()) {
            if (file.find("_1-") != std::string::npos) kept_entry = "esp/EFI/Linux/" + file;
            if (file.find("_2-") != std::string::npos) booted_entry = "esp/EFI/Linux/" + file;
        }
        booted_image = crash_.site.engine().status().booted.value().digest;
        for (const auto& entry : fs::directory_iterator(path("sysroot/state/deploy"))) {
            if (entry.path().filename() != booted_image) kept_image = entry.path().filename();
        }
        for (const auto& entry : fs::directory_iterator(path(kRecords))) {
            const std::string name = std::string(kRecords) + entry.path().filename().string();
            (name.find("_1-") != std::string::npos ? kept_record : booted_record) = name;
        }
    }

    [[nodiscard]] fs::path path(const std::string& name) const { return crash_.site.dir / name; }

    void remove(const std::string& name) const { fs::remove_all(path(name)); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        return crash_.site.dir.read(name);
    }

    void replace(const std::string& name, const std::string& was, const std::string& by) const {
        std::string text = read(name);
        const auto at = text.find(was);
        ASSERT_NE(at, std::string::npos) << name << " has no " << was;
        write(name, text.replace(at, was.size(), by));
    }

    void make_directory(const std::string& name) const {
        remove(name);
        fs::create_directories(path(name));
    }

    void link(const std::string& name) const {
        remove(name);
        fs::create_symlink("/etc/passwd", path(name));
    }

    void fifo(const std::string& name) const {
        remove(name);
        ASSERT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    }

    void rename(const std::string& from, const std::string& to) const {
        fs::rename(path(from), path(to));
    }

    /// All that status says, a line each.
    [[nodiscard]] std::string status() {
        const update::Status status = crash_.site.engine().status();
        std::string out = status.booted ? "booted " + status.booted->version + "\n" : "";
        for (const std::string& line : status.warnings)
            out += "warning: " + line + "\n";
        for (const auto& each : status.deployments)
            out += std::string(to_string(each.state)) + " " + each.version + " " + each.uki + ": " +
                   each.problem + "\n" + (each.next ? each.uki + " next\n" : "");
        return out;
    }

    static constexpr const char* kRecords = "sysroot/state/cfsupdated/deployments/";
    std::string kept_entry, booted_entry, kept_image, booted_image, kept_record, booted_record;

 private:
    CrashSite crash_;
};

const std::string kState = "sysroot/state/cfsupdated/";
const std::string kEntries = "esp/EFI/Linux/";

struct Damage {
    const char* name;
    std::function<void(const Victim&)> make;
    const char* said;  ///< part of a line of status()
};

std::vector<Damage> of_the_esp() {
    return {
        {"NoEsp", [](const auto& v) { v.remove("esp"); }, "the ESP cannot be read: "},
        {"NoEfi",
         [](const auto& v) { v.remove("esp/EFI"); },
         "booted 2 : its UKI is not on the ESP"},
        {"NoEntries",
         [](const auto& v) { v.remove("esp/EFI/Linux"); },
         "broken 1 : its UKI is not on the ESP"},
        {"EntriesAreAFile",
         [](const auto& v) { v.remove("esp/EFI/Linux"), v.write("esp/EFI/Linux", "x"); },
         "'EFI/Linux': Not a directory"},
        {"BootedEntryGone",
         [](const auto& v) { v.remove(v.booted_entry); },
         "booted 2 : its UKI is not on the ESP"},
        {"KeptEntryGone",
         [](const auto& v) { v.remove(v.kept_entry); },
         "broken 1 : its UKI is not on the ESP"},
        {"EntryEmpty",
         [](const auto& v) { v.write(v.kept_entry, ""); },
         "an empty file: a copy or a rename was cut short"},
        {"EntryHalf",
         [](const auto& v) { fs::resize_file(v.path(v.kept_entry), 90'000); },
         "its UKI has 90000 bytes, expected 196440"},
        {"EntryCutInItsHeader",
         [](const auto& v) { fs::resize_file(v.path(v.kept_entry), 100); },
         "the file ends too early"},
        {"EntryGarbage",
         [](const auto& v) { v.write(v.kept_entry, std::string(5000, 'x')); },
         "not a UKI: no DOS header"},
        {"EntryWithoutSections",
         [](const auto& v) { v.replace(v.kept_entry, ".osrel", ".xsrel"); },
         "not a UKI: no .osrel section"},
        {"EntryIsADirectory",
         [](const auto& v) { v.make_directory(v.kept_entry); },
         "not a regular file"},
        {"EntryIsALink", [](const auto& v) { v.link(v.kept_entry); }, "not a regular file"},
        {"EntryIsAFifo", [](const auto& v) { v.fifo(v.kept_entry); }, "not a regular file"},
        {"EntryTwice",
         [](const auto& v) {
             fs::copy(v.path(v.kept_entry),
                      v.path(v.kept_entry.substr(0, v.kept_entry.size() - 4) + "+3-0.efi"));
         },
         "is the same entry a second time"},
        {"EntryExhausted",
         [](const auto& v) {
             v.rename(v.kept_entry, v.kept_entry.substr(0, v.kept_entry.size() - 4) + "+0-3.efi");
         },
         "kept 1 fixture_1-000001-cba04fa2+0-3.efi: its tries are used up"},
        {"CounterTooBig",
         [](const auto& v) {
             v.rename(
                 v.kept_entry,
                 v.kept_entry.substr(0, v.kept_entry.size() - 4) + "+99999999999999999999-0.efi");
         },
         "broken 1 : its UKI is not on the ESP"},
        {"StrangersEntry",
         [](const auto& v) { fs::copy(v.path(v.kept_entry), v.path(kEntries + "stranger.efi")); },
         "foreign 1 stranger.efi"},
        {"NoUkiAtAll",
         [](const auto& v) { v.write(kEntries + "text.efi", "hello"); },
         "foreign  text.efi: the file ends too early"},
        {"NameIsNoUtf8", [](const auto& v) { v.write(kEntries + "\xff\xfe.efi", "x"); }, "kept 1 "},
        {"NameIsLong",
         [](const auto& v) { v.write(kEntries + std::string(240, 'n') + ".efi", "x"); },
         "foreign  nnnn"},
        {"LoaderConfIsGarbage",
         [](const auto& v) {
             fs::create_directories(v.path("esp/loader"));
             v.write("esp/loader/loader.conf", std::string(100'000, '\xff'));
         },
         "kept 1 "},
        {"LoaderConfIsADirectory",
         [](const auto& v) { v.make_directory("esp/loader/loader.conf"); },
         "kept 1 "},
        {"LoaderConfPrefersAnother",
         [](const auto& v) {
             fs::create_directories(v.path("esp/loader"));
             v.write("esp/loader/loader.conf", "default fixture_1*\n");
         },
         "fixture_1-000001-cba04fa2.efi next"},
        {"LeftoverOfACopy",
         [](const auto& v) { v.write(kEntries + "fixture_9-000009-01234567.efi.part", "x"); },
         "kept 1 "},
    };
}

std::vector<Damage> of_the_state() {
    return {
        {"NoPrivateState",
         [](const auto& v) { v.remove("sysroot/state/cfsupdated"); },
         "it runs; its record in state/cfsupdated is lost"},
        {"PrivateStateIsAFile",
         [](const auto& v) {
             v.remove("sysroot/state/cfsupdated"), v.write("sysroot/state/cfsupdated", "");
         },
         "'state/cfsupdated': Not a directory"},
        {"NoRecords",
         [](const auto& v) { v.remove("sysroot/state/cfsupdated/deployments"); },
         "it runs; its record"},
        {"RecordGone",
         [](const auto& v) { v.remove(v.kept_record); },
         "foreign  : its record in state/cfsupdated is lost"},
        {"BootedRecordGone",
         [](const auto& v) { v.remove(v.booted_record); },
         "it runs; its record"},
        {"RecordEmpty",
         [](const auto& v) { v.write(v.kept_record, ""); },
         "cannot be read: it is no record"},
        {"RecordIsNoJson",
         [](const auto& v) { v.write(v.kept_record, "{\"stem\": "); },
         "cannot be read: it is no record"},
        {"RecordOfAnotherType",
         [](const auto& v) { v.write(v.kept_record, "[1, 2]"); },
         "cannot be read: it is no record"},
        {"RecordTooBig",
         [](const auto& v) { v.write(v.kept_record, std::string(8 << 20, ' ')); },
         "the file is larger than"},
        {"RecordNestedDeeply",
         [](const auto& v) { v.write(v.kept_record, std::string(100'000, '[')); },
         "cannot be read: it is no record"},
        {"RecordIsADirectory",
         [](const auto& v) { v.make_directory(v.kept_record); },
         "Is a directory"},
        {"RecordIsALink",
         [](const auto& v) { v.link(v.kept_record); },
         "Too many levels of symbolic links"},
        {"RecordIsAFifo", [](const auto& v) { v.fifo(v.kept_record); }, "cannot be read: "},
        {"RecordOfAnUnknownPhase",
         [](const auto& v) { v.replace(v.kept_record, "\"booted\"", "\"flying\""); },
         "cannot be read: it is no record"},
        {"RecordOfNoImage",
         [](const auto& v) { v.replace(v.kept_record, v.kept_image, "nothing"); },
         "cannot be read: it is no record"},
        {"RecordOfAnotherImage",
         [](const auto& v) { v.replace(v.kept_record, v.kept_image, std::string(128, 'b')); },
         "is missing"},
        {"StrangeFileAmongRecords",
         [](const auto& v) { v.write(std::string(Victim::kRecords) + "notes.txt", "x"); },
         "kept 1 "},
        {"HeldIsGarbage",
         [](const auto& v) { v.write(kState + "held.json", "garbage"); },
         "'state/cfsupdated/held.json' is damaged: it is no JSON object"},
        {"HeldIsADirectory",
         [](const auto& v) { v.make_directory(kState + "held.json"); },
         "'state/cfsupdated/held.json' is damaged"},
        {"FloorIsGarbage",
         [](const auto& v) { v.write(kState + "floor", "garbage"); },
         "'state/cfsupdated/floor' is damaged"},
        {"SerialIsGarbage",
         [](const auto& v) { v.write(kState + "serial", "garbage"); },
         "kept 1 "},
        {"LastErrorIsGarbage",
         [](const auto& v) { v.write(kState + "last-error.json", "garbage"); },
         "'state/cfsupdated/last-error.json' is damaged"},
        {"AvailableIsGarbage",
         [](const auto& v) { v.write(kState + "available.json", "garbage"); },
         "'state/cfsupdated/available.json' is damaged"},
        {"FallbackIsGarbage",
         [](const auto& v) { v.write(kState + "fallback.json", "garbage"); },
         "'state/cfsupdated/fallback.json' is damaged"},
        {"FinalizeFailureIsGarbage",
         [](const auto& v) { v.write(kState + "finalize-failure.json", "garbage"); },
         "'state/cfsupdated/finalize-failure.json' is damaged"},
        {"RollbackIsGarbage",
         [](const auto& v) { v.write(kState + "rollback.json", "garbage"); },
         "'state/cfsupdated/rollback.json' is damaged"},
        {"StateDirectoryGone",
         [](const auto& v) { v.remove("sysroot/state/deploy/" + v.kept_image); },
         "broken 1 fixture_1-000001-cba04fa2.efi: 'state/deploy/"},
        {"StateDirectoryIsAFile",
         [](const auto& v) {
             v.remove("sysroot/state/deploy/" + v.kept_image);
             v.write("sysroot/state/deploy/" + v.kept_image, "");
         },
         "is no directory"},
        {"NoEtc",
         [](const auto& v) { v.remove("sysroot/state/deploy/" + v.kept_image + "/etc"); },
         "/etc' is missing"},
        {"NoVar",
         [](const auto& v) { v.remove("sysroot/state/deploy/" + v.kept_image + "/var"); },
         "/var' is missing"},
        {"StrangersStateDirectory",
         [](const auto& v) { v.make_directory("sysroot/state/deploy/" + std::string(128, 'c')); },
         "no tool is known"},
        {"OddNameAmongStates",
         [](const auto& v) { v.make_directory("sysroot/state/deploy/backup-of-etc"); },
         "kept 1 "},
        {"NoStore", [](const auto& v) { v.remove("sysroot/composefs"); }, "the store: "},
        {"NoMeta",
         [](const auto& v) { v.remove("sysroot/composefs/meta.json"); },
         "it has no meta.json"},
        {"MetaIsGarbage",
         [](const auto& v) { v.write("sysroot/composefs/meta.json", "garbage"); },
         "meta.json: not JSON"},
        {"MetaOfTheFuture",
         [](const auto& v) {
             v.replace("sysroot/composefs/meta.json", "\"version\"", "\"xersion\"");
         },
         "'version' is missing"},
        {"ImageLinkGone",
         [](const auto& v) { v.remove("sysroot/composefs/images/" + v.kept_image); },
         "its image is missing in the store"},
        {"NoCommandLine",
         [](const auto& v) { v.remove("cmdline"); },
         "which deployment runs is not known"},
        {"CommandLineWithoutImage",
         [](const auto& v) { v.write("cmdline", "quiet"); },
         "which deployment runs is not known"},
        {"CommandLineOfAnotherImage",
         [](const auto& v) {
             v.write("cmdline", "composefs.digest=v1-sha512-12:" + std::string(128, 'd'));
         },
         "the image that runs is of none of the deployments"},
        {"NoVariables", [](const auto& v) { v.remove("efivars"); }, "booted 2"},
        {"NoRuntimeDirectory", [](const auto& v) { v.remove("run"); }, "booted 2"},
    };
}

std::vector<Damage> all() {
    auto out = of_the_esp();
    for (auto& each : of_the_state())
        out.push_back(std::move(each));
    return out;
}

class StatusOfDamage : public testing::TestWithParam<Damage> {};

TEST_P(StatusOfDamage, SaysWhatItIs) {
    Victim victim;
    GetParam().make(victim);
    const std::string said = victim.status();
    EXPECT_NE(said.find(GetParam().said), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(Kinds, StatusOfDamage, testing::ValuesIn(all()), [](const auto& row) {
    return row.param.name;
});

}  // namespace
}  // namespace cfs
