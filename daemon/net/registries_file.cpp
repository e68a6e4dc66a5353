// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "net/registries.hpp"

#include <toml++/toml.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;
constexpr std::size_t kMaxLocation = 1024;
constexpr const char* kHint = "Correct the line; containers-registries.conf(5) shows the form.";

/// One file's tables as rules.
class Reader {
 public:
    explicit Reader(const std::string& file) : file_(file) {}

    [[nodiscard]] std::vector<RegistryRule> read(const toml::table& top) const;

    [[noreturn]] void refuse(const toml::source_region& where, const std::string& problem) const {
        throw Error(ErrorCode::BadFormat,
                    printable(file_, 300) + ":" + std::to_string(where.begin.line) + ":" +
                        std::to_string(where.begin.column) + ": " + problem,
                    kHint);
    }

 private:
    [[nodiscard]] RegistryRule read_rule(const toml::table& table) const;
    [[nodiscard]] Mirror read_mirror(const toml::table& table, bool digest_only) const;
    [[nodiscard]] MirrorUse read_use(const toml::table& table, bool digest_only) const;
    [[nodiscard]] std::string text(const toml::table& table, std::string_view key) const;
    [[nodiscard]] std::string location(const toml::table& table, std::string_view key) const;
    [[nodiscard]] bool flag(const toml::table& table, std::string_view key) const;

    template <typename F>
    void each_table(const toml::table& table, std::string_view key, F&& f) const;

    const std::string& file_;
};

template <typename F>
void Reader::each_table(const toml::table& table, std::string_view key, F&& f) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        refuse(node->source(), "'" + std::string(key) + "': expected a list of tables");
    }
    for (const toml::node& item : *array) {
        const toml::table* one = item.as_table();
        if (one == nullptr) refuse(item.source(), "'" + std::string(key) + "': expected a table");
        f(*one);
    }
}

std::string Reader::text(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const auto* value = node->as_string();
    if (value == nullptr) refuse(node->source(), "'" + std::string(key) + "': expected a string");
    return value->get();
}

bool Reader::flag(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    const auto* value = node->as_boolean();
    if (value == nullptr) {
        refuse(node->source(), "'" + std::string(key) + "': expected true or false");
    }
    return value->get();
}

/// Without a final slash, the host in lower case.
std::string Reader::location(const toml::table& table, std::string_view key) const {
    std::string out = text(table, key);
    const bool odd =
        std::any_of(out.begin(), out.end(), [](char c) { return c <= ' ' || c > '~'; });
    if (odd || out.size() > kMaxLocation || out.find("://") != std::string::npos) {
        refuse(table.get(key)->source(),
               "'" + std::string(key) + "': expected HOST[:PORT][/PATH], found '" + printable(out) +
                   "'");
    }
    while (out.ends_with('/'))
        out.pop_back();
    const auto host_end = static_cast<std::ptrdiff_t>(std::min(out.find('/'), out.size()));
    std::transform(out.begin(), out.begin() + host_end, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

MirrorUse Reader::read_use(const toml::table& table, bool digest_only) const {
    const std::string use = text(table, "pull-from-mirror");
    if (use.empty()) return digest_only ? MirrorUse::DigestOnly : MirrorUse::All;
    const toml::source_region& where = table.get("pull-from-mirror")->source();
    if (digest_only) refuse(where, "'pull-from-mirror' and 'mirror-by-digest-only' together");
    if (use == "all") return MirrorUse::All;
    if (use == "digest-only") return MirrorUse::DigestOnly;
    if (use == "tag-only") return MirrorUse::TagOnly;
    refuse(where,
           "'pull-from-mirror': expected \"all\", \"digest-only\" or \"tag-only\", found '" +
               printable(use) + "'");
}

Mirror Reader::read_mirror(const toml::table& table, bool digest_only) const {
    Mirror out{location(table, "location"), flag(table, "insecure"), read_use(table, digest_only)};
    if (out.location.empty()) refuse(table.source(), "a mirror without a location");
    return out;
}

RegistryRule Reader::read_rule(const toml::table& table) const {
    RegistryRule out;
    out.prefix = location(table, "prefix");
    out.location = location(table, "location");
    if (out.prefix.empty()) out.prefix = out.location;
    if (out.prefix.empty()) refuse(table.source(), "a registry without prefix and location");
    const bool any_subdomain = out.prefix.starts_with("*.");
    if (out.location.empty() && !any_subdomain) {
        refuse(table.source(), "a registry without a location, which only \"*.DOMAIN\" may lack");
    }
    if (out.location.find('*') != std::string::npos ||
        out.prefix.find('*', any_subdomain ? 1 : 0) != std::string::npos ||
        (any_subdomain && out.prefix.find_first_of(":/@") != std::string::npos)) {
        refuse(table.source(), "'*' is for a prefix \"*.DOMAIN\" only");
    }
    out.insecure = flag(table, "insecure");
    out.blocked = flag(table, "blocked");
    const bool digest_only = flag(table, "mirror-by-digest-only");
    each_table(table, "mirror", [&](const toml::table& mirror) {
        out.mirrors.push_back(read_mirror(mirror, digest_only));
    });
    return out;
}

std::vector<RegistryRule> Reader::read(const toml::table& top) const {
    if (const toml::node* old = top.get("registries")) {
        refuse(old->source(), "version 1 of the format ([registries.search], ...); expected 2");
    }
    std::vector<RegistryRule> out;
    std::set<std::string> seen;
    each_table(top, "registry", [&](const toml::table& table) {
        out.push_back(read_rule(table));
        if (!seen.insert(out.back().prefix).second) {
            refuse(table.source(), "a second registry for '" + printable(out.back().prefix) + "'");
        }
    });
    return out;
}

std::vector<std::string> drop_ins(const std::string& folder) {
    const UniqueFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        throw_errno("opening '" + folder + "'");
    }
    std::vector<std::string> files;
    for (const std::string& name : list_dir(dir.get())) {
        if (name.ends_with(".conf") && !name.starts_with(".")) files.push_back(folder + "/" + name);
    }
    return files;
}

}  // namespace

std::vector<RegistryRule> parse_registries(std::string_view text, const std::string& file) {
    const Reader reader(file);
    try {
        return reader.read(toml::parse(text, file));
    } catch (const toml::parse_error& e) {
        reader.refuse(e.source(), "expected TOML, found: " + std::string(e.description()));
    }
}

Registries load_registries(const std::string& path) {
    Registries out;
    if (path.empty()) return out;
    std::vector<std::string> files = drop_ins(path + ".d");
    files.insert(files.begin(), path);
    for (const std::string& file : files) {
        const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!fd && errno == ENOENT) continue;
        if (!fd) throw_errno("opening '" + file + "'");
        const Bytes text = with_context("reading '" + file + "'",
                                        [&] { return read_whole(fd.get(), kMaxFileSize); });
        out.add(parse_registries(as_text(text), file));
    }
    return out;
}

}  // namespace cfs::net
