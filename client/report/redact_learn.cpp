// SPDX-License-Identifier: Apache-2.0
#include "base/quoted.hpp"
#include "client/report/redact.hpp"
#include "net/base64.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace cfs::client {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::string_view kBlanks = " \t\r\n";

std::string without_quotes(const std::string& text) {
    return text.substr(1, text.size() - 2);
}

/// It, and how it stands between quotes: in our settings and records, in JSON of others, and in
/// JSON that a string of JSON holds.
std::vector<std::string> forms_of(std::string_view secret) {
    const boost::json::string_view text(secret.data(), secret.size());
    std::vector<std::string> out = {
        without_quotes(quoted(secret, HighBytes::Keep)),
        without_quotes(quoted(secret, HighBytes::Escape)),
        without_quotes(boost::json::serialize(boost::json::value(text)))};
    for (std::size_t i = 0, once = out.size(); i < once; ++i)
        out.push_back(without_quotes(quoted(out[i], HighBytes::Keep)));
    out.emplace_back(secret);
    return out;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_hex = text[i] == '%' && i + 2 < text.size() &&
                            std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                            std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
        if (!is_hex) {
            out += text[i];
            continue;
        }
        const std::string digits(text.substr(i + 1, 2));
        out += static_cast<char>(std::strtoul(digits.c_str(), nullptr, 16));
        i += 2;
    }
    return out;
}

void learn_strings(Redactor& redactor, const boost::json::value& value) {
    if (value.is_array()) {
        for (const auto& each : value.as_array())
            learn_strings(redactor, each);
    } else if (value.is_object()) {
        for (const auto& each : value.as_object())
            learn_strings(redactor, each.value());
    } else if (value.is_string()) {
        const std::string_view text(value.as_string().data(), value.as_string().size());
        redactor.learn(text);
        const auto pair = net::from_base64(text);
        if (!pair) return;
        redactor.learn(*pair);
        redactor.learn(std::string_view(*pair).substr(pair->find(':') + 1));
    }
}

/// Older systemctl quotes what has odd characters.
std::string unquoted(std::string_view word) {
    if (word.starts_with('"')) word.remove_prefix(1);
    if (word.ends_with('"')) word.remove_suffix(1);
    std::string out;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '\\' && i + 1 < word.size()) ++i;
        out += word[i];
    }
    return out;
}

void learn_assignment(Redactor& redactor, std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
        if (word.find("://") != std::string_view::npos) redactor.learn_url(word);
        return;
    }
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (names_a_secret(name)) redactor.learn(value);
    if (name.ends_with("proxy") || name.ends_with("PROXY") ||
        value.find("://") != std::string_view::npos)
        redactor.learn_url(value);
}

}  // namespace

void Redactor::learn(std::string_view secret) {
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
        secret.remove_suffix(1);
    if (secret.size() < kShortest) return;
    for (std::string& form : forms_of(secret)) {
        if (std::find(secrets_.begin(), secrets_.end(), form) == secrets_.end())
            secrets_.push_back(std::move(form));
    }
    std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) {
        return a.size() > b.size();
    });
}

void Redactor::learn_url(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    const std::size_t end = end_of_user(url);
    if (end == std::string_view::npos) return;
    const std::string_view user = url.substr(0, end);
    for (const std::string& each : {std::string(user), decoded(user)}) {
        learn(each);
        const std::size_t colon = each.find(':');
        if (colon != std::string::npos) learn(std::string_view(each).substr(colon + 1));
    }
}

void Redactor::learn_auth_file(std::string_view text) {
    boost::system::error_code failed;
    const boost::json::value value =
        boost::json::parse(boost::json::string_view(text.data(), text.size()), failed);
    if (!failed) learn_strings(*this, value);
}

void Redactor::learn_environment(std::string_view text) {
    constexpr std::string_view kProperty = "Environment=";
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
        std::string_view word = text.substr(0, end);
        if (word.starts_with(kProperty)) word.remove_prefix(kProperty.size());
        learn_assignment(*this, word);
        learn_assignment(*this, unquoted(word));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace cfs::client
