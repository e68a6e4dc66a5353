// SPDX-License-Identifier: Apache-2.0
#include "update/boot_files.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "update/json.hpp"

#include <filesystem>

namespace cfs::update {
namespace {

constexpr const char* kHealth = "health.json";
constexpr std::size_t kMaxFile = std::size_t{1} << 20;

/// Empty for what is missing or cannot be read.
std::string read_quietly(const std::string& dir, const std::string& name, std::size_t limit) {
    try {
        return find_text_at(open_root(dir).get(), name, limit).value_or("");
    } catch (const Error&) {
        return {};
    }
}

std::string file_in_variable(const settings::Settings& settings, const char* name) {
    const std::string path =
        boot::efi_text(read_quietly(settings.efivars, name, boot::kMaxEfiVariable));
    return path.substr(path.find_last_of("\\/") + 1);
}

}  // namespace

std::optional<InitrdRecord> initrd_record(const settings::Settings& settings) {
    const auto object = parse_object(read_quietly(settings.run, "booted.json", kMaxFile));
    const auto digest = object ? Digest::from_hex(get_string(*object, "digest")) : std::nullopt;
    if (!digest) return std::nullopt;
    return InitrdRecord{*digest, get_string(*object, "etc")};
}

void keep_check_result(const settings::Settings& settings, const std::string& failed) {
    std::filesystem::create_directories(settings.run);
    const boost::json::object object = {{"failed", failed}};
    const std::string text = boost::json::serialize(object) + "\n";
    replace_file_at(open_root(settings.run).get(), kHealth, as_bytes(text), 0644);
}

std::string failed_checks(const settings::Settings& settings) {
    const auto object = parse_object(read_quietly(settings.run, kHealth, kMaxFile));
    return object ? get_string(*object, "failed") : "";
}

std::string selected_entry(const settings::Settings& settings) {
    return file_in_variable(settings, boot::kEntrySelected);
}

std::string counted_entry(const settings::Settings& settings) {
    return file_in_variable(settings, boot::kBootCountPath);
}

}  // namespace cfs::update
