// SPDX-License-Identifier: Apache-2.0
/// \file The log. One line per event; a message carries its data in its text ("key=value" at the
/// end). error: an operator must act; warn: degraded; info: one line per transition of a job;
/// debug: the rest. Thread-safe. Log or throw, never both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cfs::log {

enum class Level { Debug, Info, Warn, Error, Off };

/// Standard error with a time and a level; under the journal (JOURNAL_STREAM is our standard error)
/// the
/// `<N>` priority prefixes instead. Call once, before threads start.
void init(Level level);

void debug(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

/// One field of a journal entry. Names are capitals, digits and "_"; a value may be anything.
struct Field {
    std::string name;
    std::string value;
};

using Fields = std::vector<Field>;

/// What programs look for: under the journal the line carries `id` as its MESSAGE_ID ("journalctl
/// MESSAGE_ID=..."; cfsupdated(8) lists them) and the fields that have a value, elsewhere it is a
/// line like any other.
/// \param id 32 hex digits
void event(std::string_view id, Level level, std::string_view message, const Fields& fields = {});

}  // namespace cfs::log
