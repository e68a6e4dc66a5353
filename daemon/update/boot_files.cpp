// SPDX-License-Identifier: Apache-2.0
#include "update/boot_files.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "boot/entry_name.hpp"
#include "boot/mount_table.hpp"
#include "update/json.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

namespace cfs::update {
namespace {

constexpr const char* kHealth = "health.json";
constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxMountinfo = std::size_t{8} << 20;
const std::string kComposefs = "composefs:";

/// Empty for what is missing or cannot be read.
std::string read_quietly(const std::string& dir, const std::string& name, std::size_t limit) {
    try {
        return find_text_at(open_root(dir).get(), name, limit).value_or("");
    } catch (const Error&) {
        return {};
    }
}

std::optional<InitrdRecord> read_record(const std::string& dir) {
    const auto object = parse_object(read_quietly(dir, "booted.json", kMaxFile));
    const auto digest = object ? Digest::from_hex(get_string(*object, "digest")) : std::nullopt;
    if (!digest) return std::nullopt;
    return InitrdRecord{*digest, get_string(*object, "etc")};
}

/// By what is mounted alone: a soft reboot that was prepared and did not happen left a record, too.
std::optional<InitrdRecord> soft_record(const settings::Settings& settings) {
    const std::string soft = settings.run + "/" + kSoftPath + "/";
    std::error_code failed;
    if (!std::filesystem::is_directory(soft, failed)) return std::nullopt;
    std::vector<std::string> sources;
    try {
        sources = root_sources(settings);
    } catch (const Error&) {
        return std::nullopt;
    }
    for (const std::string& source : sources) {
        if (!source.starts_with(kComposefs)) continue;
        const auto digest = Digest::from_hex(source.substr(kComposefs.size()));
        if (!digest) continue;
        const std::string dir = soft + digest->hex();
        auto record = read_record(dir);
        if (!record || record->digest != *digest) {
            const auto boots = read_record(settings.run);
            if (!boots || boots->digest == *digest) return std::nullopt;
            // Mounted without a record of it: not what the boot's says, and nobody's to bless.
            return InitrdRecord{*digest, "", ""};
        }
        const auto start = parse_object(read_quietly(dir, kSoftStart, kMaxFile));
        const std::string stem = start ? get_string(*start, "stem") : "";
        // Back to what the loader started is as if it had just done so.
        const auto selected = boot::parse_entry_name(selected_entry(settings));
        const bool is_loaders = selected && boot::same_name(selected->stem, stem);
        if (!is_loaders) record->soft = stem;
        return record;
    }
    return std::nullopt;
}

std::string file_in_variable(const settings::Settings& settings, const char* name) {
    const std::string path =
        boot::efi_text(read_quietly(settings.efivars, name, boot::kMaxEfiVariable));
    return path.substr(path.find_last_of("\\/") + 1);
}

}  // namespace

std::vector<std::string> root_sources(const settings::Settings& settings) {
    const UniqueFd fd(::open(settings.mountinfo.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("opening '" + settings.mountinfo + "'");
    const Bytes text = read_whole(fd.get(), kMaxMountinfo);
    std::vector<std::string> out;
    for (const auto& mount : boot::parse_mount_table(as_text(text)))
        if (mount.path == "/") out.push_back(mount.source);
    std::reverse(out.begin(), out.end());
    return out;
}

std::chrono::milliseconds userspace_since(const settings::Settings& settings) {
    const std::string soft = settings.run + "/" + kSoftPath;
    const auto began = parse_object(read_quietly(soft, kSoftBegan, kMaxFile));
    return std::chrono::milliseconds(began ? get_number(*began, "monotonic_ms") : 0);
}

std::string root_source(const Digest& image) {
    return kComposefs + image.hex();
}

std::optional<InitrdRecord> initrd_record(const settings::Settings& settings) {
    auto soft = soft_record(settings);
    return soft ? soft : read_record(settings.run);
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
