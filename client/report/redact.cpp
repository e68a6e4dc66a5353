// SPDX-License-Identifier: Apache-2.0
#include "client/report/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace cfs::client {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kEndsWord = " \t\r\n\"'<>`|";

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
    return out;
}

void replace_all(std::string& text, const std::string& what) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) {
        text.replace(at, what.size(), kGone);
        at += std::string_view(kGone).size();
    }
}

/// Where goes on what can be shown of the words behind a "://", when an "@" is at `at`.
std::size_t behind_user(std::string_view rest, std::size_t at) {
    const std::string_view before = rest.substr(0, rest.find('?'));
    if (before.size() > at) return at;
    // In "me:pa?ss@host" a host follows. In "host/x?mail=me@s3cret" more of the query does.
    const std::size_t colon = before.find(':');
    const bool has_password =
        colon != std::string_view::npos &&
        before.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
    if (has_password && before.find('/') == std::string_view::npos) return at;
    return std::min(rest.find_first_of(kEndsWord, at), rest.size());
}

/// What URLs have before the "@", whatever it is made of: only a blank ends it for certain.
std::string redact_users(std::string_view line) {
    std::string out;
    std::size_t done = 0;
    for (std::size_t scheme = line.find("://"); scheme != std::string_view::npos;
         scheme = line.find("://", done)) {
        const std::size_t start = scheme + 3;
        const std::size_t stop = std::min(line.find_first_of(kBlanks, start), line.size());
        std::string_view rest = line.substr(start, stop - start);
        out += line.substr(done, start - done);
        if (const std::size_t at = end_of_user(rest); at != std::string_view::npos) {
            out += kGone;
            rest.remove_prefix(behind_user(rest, at));
        }
        out += rest;
        done = stop;
    }
    out += line.substr(done);
    return out;
}

/// One word without what proves who somebody is.
std::string redact_word(std::string_view word) {
    const std::size_t scheme = word.find("://");
    if (scheme != std::string_view::npos) {
        const std::size_t query = word.find('?', scheme);
        if (query == std::string_view::npos) return std::string(word);
        return std::string(word.substr(0, query + 1)) + kGone;
    }
    const std::size_t at = end_of_user(word);
    // "user:password@host" without a scheme; "name@host" alone is no secret.
    const bool has_password = word.substr(0, at).find(':') != std::string_view::npos;
    if (at == std::string_view::npos || !has_password) return std::string(word);
    return kGone + std::string(word.substr(at));
}

bool is_web_token(std::string_view word) {
    return word.starts_with("eyJ") && std::count(word.begin(), word.end(), '.') >= 2;
}

bool is_key_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

/// The end of a quoted string that begins at `at`, behind its closing quote.
std::size_t end_of_quoted(std::string_view line, std::size_t at) {
    const char quote = line[at];
    // JSON in a string of JSON.
    if (at > 0 && line[at - 1] == '\\') {
        const std::size_t end = line.find(std::string("\\") + quote, at + 1);
        return end == std::string_view::npos ? line.size() : end;
    }
    for (std::size_t i = at + 1; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == quote) {
            return i + 1;
        }
    }
    return line.size();
}

/// Behind a key at `at`: where its value begins; npos when no value follows.
std::size_t start_of_value(std::string_view line, std::size_t at) {
    const auto skip = [&](std::string_view some) {
        at = std::min(line.find_first_not_of(some, at), line.size());
    };
    skip("\\\"' ");
    if (at >= line.size() || (line[at] != '=' && line[at] != ':')) return std::string_view::npos;
    ++at;
    skip(" \\");
    return at;
}

/// `key = "value"`, `"key": "value"`, `Key: all of the line`, `key=value`.
std::string redact_values(std::string_view line) {
    std::string out;
    std::size_t at = 0;
    while (at < line.size()) {
        std::size_t end = at;
        while (end < line.size() && is_key_char(line[end]))
            ++end;
        if (end == at) {
            out += line[at++];
            continue;
        }
        const std::string_view key = line.substr(at, end - at);
        out += key;
        at = end;
        if (!names_a_secret(key)) continue;
        const std::size_t value = start_of_value(line, end);
        if (value == std::string_view::npos || value >= line.size()) continue;
        const bool quoted = line[value] == '"' || line[value] == '\'';
        const bool is_list = line[value] == '[' || line[value] == '{';
        std::size_t stop = line.size();  // a header, or something with parts
        if (quoted) stop = end_of_quoted(line, value);
        if (!quoted && !is_list &&
            line.substr(end, value - end).find(' ') == std::string_view::npos)
            stop = std::min(line.find_first_of(" \t,;&\"'", value), line.size());
        out += line.substr(end, value - end);
        const bool escaped = quoted && value > 0 && line[value - 1] == '\\';
        if (quoted) out += line[value];
        out += kGone;
        if (quoted && !escaped) out += line[value];
        at = stop;
    }
    return out;
}

/// The word behind "Bearer" or "Basic", and words by what they are.
std::string redact_words(std::string_view line) {
    std::string out;
    bool is_token = false;
    while (!line.empty()) {
        const std::size_t start = std::min(line.find_first_not_of(kEndsWord), line.size());
        out += line.substr(0, start);
        line.remove_prefix(start);
        const std::size_t end = std::min(line.find_first_of(kEndsWord), line.size());
        const std::string_view word = line.substr(0, end);
        out += is_token || is_web_token(word) ? (word.empty() ? "" : kGone) : redact_word(word);
        const std::string name = lower(word);
        is_token = name == "bearer" || name == "basic";
        line.remove_prefix(end);
    }
    return out;
}

}  // namespace

bool names_a_secret(std::string_view key) {
    static constexpr std::array<std::string_view, 15> kParts = {"password",
                                                                "passwd",
                                                                "passphrase",
                                                                "secret",
                                                                "token",
                                                                "credential",
                                                                "apikey",
                                                                "api_key",
                                                                "api-key",
                                                                "access_key",
                                                                "access-key",
                                                                "private_key",
                                                                "private-key",
                                                                "cookie",
                                                                "authorization"};
    static constexpr std::array<std::string_view, 5> kLast = {"auth", "pass", "pwd", "pw", "psk"};
    const std::string name = lower(key.substr(key.rfind('.') + 1));
    return std::any_of(kParts.begin(),
                       kParts.end(),
                       [&](auto part) { return name.find(part) != std::string::npos; }) ||
           std::find(kLast.begin(), kLast.end(), name.substr(name.find_last_of("_-") + 1)) !=
               kLast.end();
}

std::size_t end_of_user(std::string_view word) {
    std::size_t found = std::string_view::npos;
    for (std::size_t at = word.find('@'); at != std::string_view::npos;
         at = word.find('@', at + 1)) {
        const std::string_view after = word.substr(at + 1);
        if (!after.starts_with("sha256:") && !after.starts_with("sha512:")) found = at;
    }
    return found;
}

std::string Redactor::redacted(std::string_view text) const {
    std::string known(text);
    for (const std::string& secret : secrets_)
        replace_all(known, secret);
    std::string out;
    bool in_key = false;
    std::string_view rest = known;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        const bool begins = line.find("-----BEGIN ") != std::string_view::npos &&
                            line.find("PRIVATE KEY") != std::string_view::npos;
        const bool ends = line.find("-----END ") != std::string_view::npos;
        if (begins) out += kGone;
        if (!in_key && !begins) out += redact_words(redact_values(redact_users(line)));
        in_key = (in_key || begins) && !ends;
        if (end == std::string_view::npos) break;
        if (!in_key) out += '\n';
        rest.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace cfs::client
