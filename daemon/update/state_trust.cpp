// SPDX-License-Identifier: Apache-2.0
// The part of the state that decides what may be installed, and the counters. What is damaged here
// must not read as absent: that would allow a downgrade, a held image, or a name twice.
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/json.hpp"
#include "update/state_dir.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr const char* kFloor = "floor";
constexpr const char* kHeld = "held.json";
constexpr const char* kSerial = "serial";
/// More than anybody counts to, and exact in JSON everywhere.
constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 50;

std::string hint_for(const std::string& file) {
    if (file == kFloor) {
        return "check the disk and restore that file, or remove it: then older images are accepted "
               "until the floor rises again";
    }
    if (file == kHeld) {
        return "check the disk and restore that file, or remove it: then images that were rolled "
               "back are installed again";
    }
    return "check the disk, then remove that file";
}

Error damaged(const std::string& file, const std::string& why) {
    return {ErrorCode::StateCorrupt,
            "'" + (kPrivatePath + ("/" + file)) + "' is damaged: " + why,
            hint_for(file)};
}

std::string as_line(const Error& error) {
    return error.what() + ("; " + error.hint());
}

/// nullopt when there is no such file; StateCorrupt when it is there and cannot be read.
std::optional<std::string> read_needed(int dir, const std::string& file) {
    try {
        return find_text_at(dir, file, kMaxFile);
    } catch (const Error& e) {
        throw damaged(file, e.what());
    }
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// 0 when there is no such file.
std::uint64_t read_number(int dir, const std::string& file, std::uint64_t max) {
    const auto text = read_needed(dir, file);
    if (!text) return 0;
    const auto value = parse_number(*text);
    if (value && *value <= max) return *value;
    throw damaged(file, "expected a number, found '" + printable(*text, 40) + "'");
}

/// The last number that was given. A damaged counter goes on from the seconds of the clock, which
/// are far beyond what counting gives: nothing may be named twice, and no update waits for a
/// person.
std::uint64_t last_given(int dir, const std::string& file) {
    try {
        return read_number(dir, file, kMaxCount);
    } catch (const Error& e) {
        log::warn(std::string(e.what()) + "; counting goes on from the clock");
        return static_cast<std::uint64_t>(std::max<std::time_t>(std::time(nullptr), 0));
    }
}

using Held = std::map<std::string, std::string>;

/// \param odd gets what is no digest with a reason; nullptr to throw for it
Held parse_held(const std::string& text, std::string* odd) {
    Held out;
    const auto refuse = [&](const std::string& why) {
        if (odd == nullptr) throw damaged(kHeld, why);
        *odd = why;
    };
    const auto object = parse_object(text);
    if (!object) {
        refuse("it is no JSON object");
        return out;
    }
    for (const auto& member : *object) {
        const std::string key(member.key().data(), member.key().size());
        if (Digest::from_hex(key) && member.value().is_string()) {
            out[key] = get_string(*object, key);
        } else {
            refuse("'" + printable(key, 200) + "' is no digest with a reason");
        }
    }
    return out;
}

std::string held_text(const Held& held) {
    boost::json::object object;
    for (const auto& [digest, why] : held)
        object[digest] = why;
    return boost::json::serialize(object) + "\n";
}

}  // namespace

std::uint64_t StateDir::next_serial() const {
    // A lost counter must not give a number twice: the records know how far we were.
    std::uint64_t seen = last_given(fd(), kSerial);
    for (const auto& record : deployments())
        seen = std::max(seen, record.serial);
    put(kSerial, std::to_string(seen + 1) + "\n");
    return seen + 1;
}

std::uint64_t StateDir::next_job_id() const {
    const std::uint64_t next = last_given(fd(), kJobId) + 1;
    put(kJobId, std::to_string(next) + "\n");
    return next;
}

std::map<std::string, std::string> StateDir::held() const {
    const auto text = read_needed(fd(), kHeld);
    return text ? parse_held(*text, nullptr) : Held{};
}

std::map<std::string, std::string> StateDir::held(std::vector<std::string>& problems) const {
    Held out;
    try {
        const auto text = read_needed(fd(), kHeld);
        std::string odd;
        if (text) out = parse_held(*text, &odd);
        if (!odd.empty()) problems.push_back(as_line(damaged(kHeld, odd)));
    } catch (const Error& e) {
        problems.push_back(as_line(e));
    }
    return out;
}

void StateDir::hold(const Digest& key, std::string_view reason) const {
    Held all = held();
    all[key.hex()] = reason;
    put(kHeld, held_text(all));
}

void StateDir::release(const Digest& key) const {
    Held all = held();
    if (all.erase(key.hex()) != 0) put(kHeld, held_text(all));
}

void StateDir::release(const DeploymentRecord& record) const {
    release(record.image);
    release(record.authenticode);
}

std::uint64_t StateDir::floor() const {
    return read_number(fd(), kFloor, std::numeric_limits<std::uint64_t>::max());
}

std::uint64_t StateDir::floor(std::vector<std::string>& problems) const {
    try {
        return floor();
    } catch (const Error& e) {
        problems.push_back(as_line(e));
        return 0;
    }
}

void StateDir::raise_floor(std::uint64_t version) const {
    if (version > floor()) put(kFloor, std::to_string(version) + "\n");
}

}  // namespace cfs::update
