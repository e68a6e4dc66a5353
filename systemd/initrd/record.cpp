// SPDX-License-Identifier: Apache-2.0
#include "initrd/record.hpp"

#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/quoted.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace cfs::initrd {
namespace {

constexpr const char* kBooted = "booted.json";
constexpr const char* kState = "state/cfsupdated";
constexpr const char* kLastError = "last-error.json";

/// {"a":1,"b":"x"}
class JsonObject {
 public:
    JsonObject& text(std::string_view key, std::string_view value) {
        return raw(key, quoted(value, HighBytes::Escape));
    }

    JsonObject& boolean(std::string_view key, bool value) {
        return raw(key, value ? "true" : "false");
    }

    JsonObject& raw(std::string_view key, std::string_view value) {
        if (!out_.empty()) out_ += ",";
        out_ += quoted(key, HighBytes::Escape) + ":";
        out_ += value;
        return *this;
    }

    [[nodiscard]] std::string finish() const { return "{" + out_ + "}\n"; }

 private:
    std::string out_;
};

void make_dir(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw_errno("making the directory '" + path + "'");
}

}  // namespace

std::string to_json(const BootRecord& record) {
    return JsonObject()
        .raw("schema", "1")
        .text("digest", record.digest.hex())
        .boolean("measured", record.measured)
        .text("verity", record.verity ? "require" : "none")
        .text("root", record.config.root_transient ? "transient" : "image")
        .text("etc", to_string(record.config.etc))
        .text("var", to_string(record.config.var))
        .text("cmdline", record.cmdline)
        .finish();
}

void write_boot_record(const std::string& dir, const BootRecord& record) {
    make_dir(dir);
    replace_file_at(open_root(dir).get(), kBooted, as_bytes(to_json(record)), 0644);
}

void remove_boot_record(const std::string& dir) {
    if (struct stat found{}; ::stat(dir.c_str(), &found) == 0)
        (void)unlink_at(open_root(dir).get(), kBooted);
}

std::string to_json(const FailureRecord& record) {
    return JsonObject()
        .text("name", to_string(record.code))
        .text("message", record.message)
        .text("hint", record.hint)
        .text("details", record.details)
        .raw("time", std::to_string(record.time))
        .finish();
}

void write_failure(int sysroot, const FailureRecord& record) {
    if (!stat_at(sysroot, "state")) return;  // no machine of ours: nobody would read it
    make_dirs_at(sysroot, kState, 0700);
    const UniqueFd state = open_dir_at(sysroot, kState);
    replace_file_at(state.get(), kLastError, as_bytes(to_json(record)), 0600);
    sync_file_system(state.get(), kState);
}

}  // namespace cfs::initrd
