// SPDX-License-Identifier: Apache-2.0
#include "base/log_level.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace cfs::log {
namespace {

spdlog::level::level_enum native(Level level) {
    switch (level) {
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warn:
            return spdlog::level::warn;
        case Level::Error:
            return spdlog::level::err;
        case Level::Off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

/// sd-daemon(3): a "<N>" prefix gives the line its syslog priority.
class PriorityFlag final : public spdlog::custom_flag_formatter {
 public:
    void format(const spdlog::details::log_msg& msg,
                const std::tm&,
                spdlog::memory_buf_t& out) override {
        const std::string_view prefix = msg.level >= spdlog::level::err    ? "<3>"
                                        : msg.level == spdlog::level::warn ? "<4>"
                                        : msg.level == spdlog::level::info ? "<6>"
                                                                           : "<7>";
        out.append(prefix.data(), prefix.data() + prefix.size());
    }

    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<PriorityFlag>();
    }
};

/// systemd sets JOURNAL_STREAM to "device:inode" of the socket it made our standard error.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat st {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &st) != 0) return false;
    return std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino) == stream;
}

int priority(Level level) {
    switch (level) {
        case Level::Debug:
            return LOG_DEBUG;
        case Level::Warn:
            return LOG_WARNING;
        case Level::Error:
            return LOG_ERR;
        case Level::Info:
        case Level::Off:
            break;
    }
    return LOG_INFO;
}

bool send_to_journal(const Fields& fields) {
    std::vector<std::string> lines;
    for (const Field& field : fields) {
        if (!field.value.empty()) lines.push_back(field.name + "=" + field.value);
    }
    std::vector<iovec> parts;
    for (std::string& line : lines)
        parts.push_back({line.data(), line.size()});
    return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

void write(spdlog::level::level_enum level, std::string_view message) {
    // "{}": text that came from outside is never a format string.
    spdlog::default_logger_raw()->log(level, "{}", message);
}

}  // namespace

void init(Level level) {
    auto logger = spdlog::stderr_color_mt("cfsupdated");
    if (stderr_is_journal()) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<PriorityFlag>('*').set_pattern("%*%v");
        logger->set_formatter(std::move(formatter));
    } else {
        logger->set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
    }
    logger->set_level(native(level));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
}

void debug(std::string_view message) {
    write(spdlog::level::debug, message);
}
void info(std::string_view message) {
    write(spdlog::level::info, message);
}
void warn(std::string_view message) {
    write(spdlog::level::warn, message);
}
void error(std::string_view message) {
    write(spdlog::level::err, message);
}

void event(std::string_view id, Level level, std::string_view message, const Fields& fields) {
    const auto wanted = native(level);
    if (!spdlog::default_logger_raw()->should_log(wanted)) return;
    if (stderr_is_journal()) {
        Fields all = {{"MESSAGE", std::string(message)},
                      {"MESSAGE_ID", std::string(id)},
                      {"PRIORITY", std::to_string(priority(level))}};
        all.insert(all.end(), fields.begin(), fields.end());
        if (send_to_journal(all)) return;
    }
    write(wanted, message);
}

Level level() {
    const auto now = spdlog::default_logger_raw()->level();
    for (const Level each : {Level::Debug, Level::Info, Level::Warn, Level::Error}) {
        if (native(each) >= now) return each;
    }
    return Level::Off;
}

void set_level(Level level) {
    spdlog::default_logger_raw()->set_level(native(level));
}

bool goes_to_journal() {
    return stderr_is_journal();
}

}  // namespace cfs::log
