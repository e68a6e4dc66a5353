// SPDX-License-Identifier: Apache-2.0
#include "client/report/files.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "client/output/human.hpp"
#include "client/report/command_line.hpp"
#include "update/state_dir.hpp"

#include <fcntl.h>

#include <algorithm>
#include <set>

namespace cfs::client {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20;
constexpr int kDeepest = 5;
constexpr std::size_t kMostLines = 2000;

void note(std::string& problem, const std::string& text) {
    if (problem.size() < 4096) problem += (problem.empty() ? "" : "; ") + text;
}

/// Records are small texts; what was downloaded, work trees and locks are none.
bool is_record(const std::string& name) {
    static const std::set<std::string> kPlain = {"floor", "serial", "job-id"};
    return name.front() != '.' &&
           (name.ends_with(".json") || name.ends_with(".jsonl") || kPlain.count(name) != 0);
}

/// A file of lines has a record in each.
std::string shown_record(const std::string& name,
                         const std::string& text,
                         const Redactor& redactor) {
    if (name.ends_with(".json")) return redactor.redacted_json(without_arguments(text));
    if (!name.ends_with(".jsonl")) return redactor.redacted(text);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += redactor.redacted_json(without_arguments(text.substr(at, end - at)));
        if (end < text.size() && !out.ends_with('\n')) out += '\n';
        at = end + 1;
    }
    return out;
}

void add_records(const std::string& path,
                 const Redactor& redactor,
                 std::string& out,
                 std::string& problem) {
    const UniqueFd dir = open_root(path);
    for (const std::string& name : list_dir(dir.get())) {
        if (!is_record(name)) continue;
        try {
            const auto text = find_text_at(dir.get(), name, kMostText);
            if (!text) continue;
            out += "==> " + redactor.redacted(path + "/" + printable(name)) + " <==\n" +
                   shown_record(name, *text, redactor) + "\n";
        } catch (const Error& e) {
            note(problem, printable(name) + ": " + e.what());
        }
    }
}

void list_tree(int dir, const std::string& path, int depth, std::vector<std::string>& lines) {
    for (const std::string& name : list_dir(dir)) {
        const auto st = stat_at(dir, name);
        if (!st || lines.size() >= kMostLines) continue;
        const std::string full = path + "/" + printable(name);
        if (!S_ISDIR(st->st_mode)) {
            lines.push_back(std::to_string(st->st_size) + " " + full);
        } else if (depth < kDeepest) {
            list_tree(open_dir_at(dir, name).get(), full, depth + 1, lines);
        }
    }
}

std::string space_line(const std::string& path) {
    try {
        const FreeSpace space = free_space(open_root(path).get());
        return path + ": " + human_bytes(space.available) + " of " + human_bytes(space.total) +
               " free" + (space.read_only ? ", read-only" : "") + "\n";
    } catch (const Error& e) {
        return path + ": " + e.what() + "\n";
    }
}

}  // namespace

std::string read_report_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) throw_errno("opening '" + path + "'");
    std::string out;
    Bytes buffer(65536);
    while (out.size() < kMostText) {
        const std::size_t n = read_some(fd.get(), buffer);
        if (n == 0) break;
        out += as_text(ByteView(buffer).first(n));
    }
    return out;
}

std::string record_texts(const settings::Settings& settings,
                         const Redactor& redactor,
                         std::string& problem) {
    std::string out;
    const std::string state = settings.sysroot + "/" + update::kPrivatePath;
    for (const std::string& path : {settings.run, state, state + "/deployments"}) {
        try {
            add_records(path, redactor, out, problem);
        } catch (const Error& e) {
            note(problem, "'" + path + "': " + e.what());
        }
    }
    return out;
}

std::string esp_listing(const settings::Settings& settings, std::string& problem) {
    std::vector<std::string> places = {"/efi", "/boot", "/boot/efi"};
    if (settings.esp != "auto") places = {settings.esp};
    std::vector<std::string> lines;
    for (const std::string& place : places) {
        for (const std::string& part : {std::string("EFI"), std::string("loader")}) {
            try {
                const UniqueFd root = open_root(place);
                if (stat_at(root.get(), part))
                    list_tree(open_dir_at(root.get(), part).get(), place + "/" + part, 0, lines);
            } catch (const Error& e) {
                if (e.code() != ErrorCode::NotFound) note(problem, place + ": " + e.what());
            }
        }
    }
    if (lines.empty() && problem.empty())
        problem = "no EFI system partition is mounted where this user sees it";
    std::string out;
    for (const std::string& line : lines)
        out += line + "\n";
    return out;
}

std::string disk_space(const settings::Settings& settings) {
    std::set<std::string> paths = {"/", "/var", "/run", settings.sysroot};
    if (settings.esp != "auto") paths.insert(settings.esp);
    std::string out;
    for (const std::string& path : paths)
        out += space_line(path);
    return out;
}

}  // namespace cfs::client
