// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "boot/boot_backend.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// A boot partition in memory. Records each changing call ("arm a_1-000001-00000000.cfs-staged") in
/// `calls`; a call named in `failures` ("arm") throws that Error and changes nothing.
class FakeBoot final : public boot::BootBackend {
 public:
    struct File {
        std::string content;
        boot::UkiDescription description;
    };

    std::map<std::string, File> files;  ///< entries and temporary files, by name
    std::map<std::string, Error> failures;
    std::vector<std::string> calls;
    std::string no_trial;  ///< what why_no_trial() says
    std::string once;      ///< the stem that starts next, once
    boot::EspSpace free{1U << 30, 4096, 1U << 30};
    boot::UkiDescription description{"test", "1", "", "Test"};  ///< of what is staged next

    [[nodiscard]] std::string location() const override { return "fake"; }

    std::vector<boot::LoaderEntry> list() override {
        std::vector<boot::LoaderEntry> out;
        for (const auto& [name, file] : files) {
            const auto parsed = boot::parse_entry_name(name);
            const auto& [key, ver, id, title] = file.description;
            if (!parsed) continue;
            out.push_back({name, *parsed, key, ver, id, title, file.content.size(), true, ""});
        }
        return out;
    }

    std::string foreign_stage() override { return {}; }

    boot::EspSpace space() override { return free; }

    void check_space(const boot::SpaceRequest& request) override {
        begin("check_space", std::to_string(request.uki));
        const std::uint64_t needed = boot::space_needed({request.uki}, free.cluster_bytes);
        if (needed > free.free_bytes) throw Error(ErrorCode::EspFull, "the fake ESP is full");
    }

    boot::StagedUki stage(int uki_fd, const Digest& digest, const boot::EntryName& name) override {
        begin("stage", name.stem);
        const Bytes bytes = read_whole(uki_fd, std::size_t{1} << 24);
        files[name.stem + kStaged] = {std::string(as_text(bytes)), description};
        return {name.stem + kStaged, name, digest, bytes.size()};
    }

    void verify(const boot::StagedUki& staged) override {
        begin("verify", staged.file);
        (void)at(staged.file);
    }

    std::vector<boot::StagedFile> staged() override {
        std::vector<boot::StagedFile> out;
        for (const auto& [name, file] : files) {
            const std::string stem = name.substr(0, name.rfind('.'));
            if (name.ends_with(kStaged)) out.push_back({stem, name, file.content.size()});
        }
        return out;
    }

    std::vector<std::string> sweep_leftovers(const std::vector<std::string>& keep) override {
        begin("sweep_leftovers", std::to_string(keep.size()));
        std::vector<std::string> removed;
        for (const auto& leftover : staged()) {
            if (std::find(keep.begin(), keep.end(), leftover.stem) != keep.end()) continue;
            removed.push_back(files.extract(leftover.file).key());
        }
        return removed;
    }

    std::string predict_next() override {
        const auto all = boot::loader_order(list());
        return all.empty() ? "" : all.front().file;
    }

    std::string predict_after(const boot::StagedUki& staged,
                              const boot::UkiDescription& given,
                              const std::vector<std::string>& demoted) override {
        FakeBoot after;
        (after.files = files)[boot::format_entry_name(staged.final_name)] = {"x", given};
        for (const auto& entry : list()) {
            const bool goes_last =
                std::find(demoted.begin(), demoted.end(), entry.name.stem) != demoted.end();
            if (goes_last) after.demote(entry.file);
        }
        return after.predict_next();
    }

    std::vector<std::string> ahead_of(const std::string& stem) override {
        std::vector<std::string> out;
        for (const auto& entry : boot::loader_order(list())) {
            if (entry.name.stem == stem) return out;
            out.push_back(entry.name.stem);
        }
        return {};
    }

    std::string why_no_trial() override { return no_trial; }

    void try_once(const std::string& stem) override {
        begin("try_once", stem);
        once = stem;
    }

    void forget_once(const std::string& stem) override {
        begin("forget_once", stem);
        if (once == stem) once.clear();
    }

    void arm(const boot::StagedUki& staged) override {
        move("arm", staged.file, boot::format_entry_name(staged.final_name));
    }

    void restore(int uki_fd, const Digest&, const boot::EntryName& name) override {
        begin("restore", name.stem);
        const Bytes bytes = read_whole(uki_fd, std::size_t{1} << 24);
        std::erase_if(files, [&](const auto& file) {
            const auto parsed = boot::parse_entry_name(file.first);
            return parsed && parsed->stem == name.stem;
        });
        files[boot::format_entry_name(name)] = {std::string(as_text(bytes)), description};
    }

    void unstage(const std::string& stem) override {
        begin("unstage", stem);
        files.erase(stem + kStaged);
    }

    void demote(const std::string& file) override { recount("demote", file, {{0, 1}}); }
    void promote(const std::string& file, boot::Counter c) override { recount("promote", file, c); }
    void bless(const std::string& file) override { recount("bless", file, std::nullopt); }

    void remove(const std::string& stem) override {
        begin("remove", stem);
        for (const auto& entry : list()) {
            if (entry.name.stem == stem) files.erase(entry.file);
        }
    }

    std::optional<UniqueFd> open(const std::string& file) override {
        if (!files.contains(file)) return std::nullopt;
        UniqueFd fd(::memfd_create("fake-uki", MFD_CLOEXEC));
        write_all(fd.get(), as_bytes(files[file].content));
        (void)::lseek(fd.get(), 0, SEEK_SET);
        return fd;
    }

 private:
    static constexpr const char* kStaged = ".cfs-staged";

    void begin(const std::string& call, const std::string& about) {
        calls.push_back(call + " " + about);
        if (const auto found = failures.find(call); found != failures.end()) throw found->second;
    }

    File& at(const std::string& file) {
        if (!files.contains(file)) throw Error(ErrorCode::NotFound, "no file '" + file + "'");
        return files[file];
    }

    void move(const std::string& call, const std::string& from, const std::string& to) {
        begin(call, from);
        files[to] = at(from);
        if (from != to) files.erase(from);
    }

    void recount(const char* call, const std::string& file, std::optional<boot::Counter> counter) {
        const auto name = boot::parse_entry_name(file).value_or(boot::EntryName{file, {}});
        move(call, file, boot::format_entry_name({name.stem, counter}));
    }
};

}  // namespace cfs::test
