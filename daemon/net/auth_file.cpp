// SPDX-License-Identifier: Apache-2.0
#include "net/auth_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"
#include "net/base64.hpp"
#include "net/json_reader.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace cfs::net {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxAuthFile = std::size_t{1} << 20;
constexpr std::size_t kMaxEntries = 10'000;

/// "https://Host/v1/" -> "host": how older Docker releases wrote their keys.
std::string normal_key(std::string_view key) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!key.starts_with(scheme)) continue;
        key.remove_prefix(scheme.size());
        while (key.ends_with("/"))
            key.remove_suffix(1);
        if (key.ends_with("/v1") || key.ends_with("/v2")) key.remove_suffix(3);
    }
    std::string out(key);
    const auto host_end = std::min(out.find('/'), out.size());
    std::transform(
        out.begin(), out.begin() + static_cast<std::ptrdiff_t>(host_end), out.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
    if (out == "index.docker.io" || out == "registry-1.docker.io") return "docker.io";
    return out;
}

/// "host/a/b", "host/a", "host".
std::vector<std::string> keys_for(const std::string& host, const std::string& name) {
    const std::string known = normal_key(host);
    std::vector<std::string> out{known + "/" + name};
    while (out.back().size() > known.size())
        out.push_back(out.back().substr(0, out.back().rfind('/')));
    return out;
}

/// The member of `object` whose key means `wanted`; nullptr: none.
const json::key_value_pair* find_key(const json::object& object, const std::string& wanted) {
    const auto found = std::find_if(object.begin(), object.end(), [&](const auto& member) {
        return normal_key({member.key().data(), member.key().size()}) == wanted;
    });
    return found == object.end() ? nullptr : &*found;
}

[[noreturn]] void no_helper(const std::string& file, const std::string& what) {
    throw Error(ErrorCode::Unsupported,
                "'" + printable(file, 300) + "' keeps the credentials " + what +
                    ", which is not supported: no helper program is run",
                "write the credentials into a file of their own and name it in net.auth_files, "
                "for example with: skopeo login --authfile FILE REGISTRY");
}

bool is_sendable(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

/// "user:password" in base64.
Credential decode(const std::string& auth, const std::string& field, const std::string& origin) {
    const auto text = from_base64(auth);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) {
        bad_field(field, "expected base64 of \"user:password\"");
    }
    Credential out{text->substr(0, colon), text->substr(colon + 1), origin};
    // Some tools pad what they encode.
    while (!out.password.empty() && out.password.back() == '\0')
        out.password.pop_back();
    if (!is_sendable(out.user) || !is_sendable(out.password)) {
        bad_field(field, "control characters in the name or the password");
    }
    return out;
}

std::optional<Credential> read_entry(const json::object& object,
                                     const json::key_value_pair& member,
                                     const std::string& file) {
    const std::string key(member.key().data(), member.key().size());
    const std::string field = "auths." + printable(key);
    const json::object& entry = as_object(member.value(), field);
    if (!string_or_empty(entry, "identitytoken", field).empty()) {
        no_helper(file, "of '" + printable(key) + "' as an identity token");
    }
    const std::string auth = string_or_empty(entry, "auth", field);
    if (auth.empty()) {
        const std::string store = string_or_empty(object, "credsStore", "");
        if (!store.empty()) no_helper(file, "in credsStore '" + printable(store) + "'");
        return std::nullopt;
    }
    return decode(
        auth, field + ".auth", "'" + printable(file, 300) + "', entry '" + printable(key) + "'");
}

/// The named member as an object; nullptr: absent.
const json::object* members_of(const json::object& object, std::string_view name) {
    const json::value* value = optional_field(object, name);
    if (value == nullptr) return nullptr;
    const json::object& members = as_object(*value, name);
    if (members.size() > kMaxEntries) bad_field(name, "too many entries");
    return &members;
}

std::optional<Credential> find(const json::object& object,
                               const std::string& file,
                               const std::string& host,
                               const std::string& name) {
    const json::object* helpers = members_of(object, "credHelpers");
    const json::object* auths = members_of(object, "auths");
    for (const std::string& key : keys_for(host, name)) {
        if (helpers != nullptr && find_key(*helpers, key) != nullptr) {
            no_helper(file, "of '" + key + "' in a credential helper (credHelpers)");
        }
        const auto* member = auths == nullptr ? nullptr : find_key(*auths, key);
        if (member == nullptr) continue;
        if (auto credential = read_entry(object, *member, file)) return credential;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Credential> find_in_auth_file(ByteView document,
                                            const std::string& file,
                                            const std::string& host,
                                            const std::string& name) {
    try {
        return find(parse_object(document, "file", Quoting::Never), file, host, name);
    } catch (Error& e) {
        if (e.code() != ErrorCode::BadFormat) throw;
        e.set_hint(
            "containers-auth.json(5) shows the form; skopeo login --authfile FILE writes it");
        e.add_context("credentials in '" + printable(file, 300) + "'");
        throw;
    }
}

std::optional<Credential> find_credential(const std::vector<std::string>& files,
                                          const std::string& host,
                                          const std::string& name,
                                          std::vector<std::string>* tried) {
    for (const std::string& file : files) {
        const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        const int problem = fd ? 0 : errno;
        if (problem != 0 && problem != ENOENT && problem != ENOTDIR && problem != EACCES) {
            throw_errno(problem, "opening the credentials file '" + file + "'");
        }
        if (tried != nullptr) {
            tried->push_back("'" + printable(file, 300) + "'" +
                             (problem == 0        ? ": no entry"
                              : problem == EACCES ? ": not readable"
                                                  : ": not there"));
        }
        if (problem != 0) continue;
        const Bytes document = with_context("reading the credentials file '" + file + "'",
                                            [&] { return read_whole(fd.get(), kMaxAuthFile); });
        if (auto found = find_in_auth_file(document, file, host, name)) return found;
    }
    return std::nullopt;
}

std::string systemd_auth_file() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr || *folder != '/') return {};
    return std::string(folder) + "/cfsupdated.auth.json";
}

}  // namespace cfs::net
