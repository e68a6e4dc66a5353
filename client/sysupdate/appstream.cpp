// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/appstream.hpp"

#include "base/bytes.hpp"
#include "base/fs_at.hpp"
#include "bus/text.hpp"
#include "client/sysupdate/names.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <sstream>

namespace cfs::sysupdate {
namespace {

constexpr const char* kFile = "host.xml";
constexpr std::size_t kMaxText = 1000;

/// As the content of an element or an attribute. What is fit for the bus and one line has nothing
/// that XML 1.0 has no characters for.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : bus::bus_line(text, kMaxText)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&apos;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string value_of(const OsRelease& system, const char* name, const std::string& otherwise) {
    const auto found = system.find(name);
    return found == system.end() || found->second.empty() ? otherwise : found->second;
}

/// "https://www.example.org/x" -> "org.example."; "" of what is no address with a domain.
std::string reversed_domain(const std::string& address) {
    const std::size_t start = address.find("://");
    if (start == std::string::npos) return "";
    std::string host = address.substr(start + 3);
    host = host.substr(0, host.find_first_of(":/?#"));
    if (host.starts_with("www.")) host.erase(0, 4);
    if (host.find('.') == std::string::npos) return "";
    std::string out;
    std::istringstream labels(host);
    for (std::string label; std::getline(labels, label, '.');)
        out.insert(0, label + ".");
    return out;
}

/// As AppStream makes the id of an operating system: by its home and its own, of the characters
/// that an id may have.
std::string id_of(const OsRelease& system) {
    const std::string domain = reversed_domain(value_of(system, "HOME_URL", ""));
    std::string id = (domain.empty() ? "local." : domain) + value_of(system, "ID", "linux");
    std::replace_if(
        id.begin(),
        id.end(),
        [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' &&
                   c != '_';
        },
        '_');
    return id;
}

std::string element(const char* name, const std::string& text) {
    return std::string("  <") + name + ">" + escaped(text) + "</" + name + ">\n";
}

std::string release(const Version& version) {
    std::string out = "    <release type=\"stable\" version=\"" + escaped(version.name) +
                      "\" timestamp=\"" + std::to_string(std::max<std::int64_t>(version.time, 0)) +
                      "\"";
    if (version.changelog_url.empty()) return out + "/>\n";
    return out + ">\n      <url type=\"details\">" + escaped(version.changelog_url) +
           "</url>\n    </release>\n";
}

/// "\"a b\"" -> "a b": as a shell would read it, as far as os-release(5) goes.
std::string unquoted(const std::string& text) {
    std::string out;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool escapes = c == '\\' && quote != '\'' && i + 1 < text.size();
        if (escapes) {
            out += text[++i];
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote != '\0' && c == quote) {
            quote = '\0';
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

OsRelease read_os_release(const std::string& text) {
    OsRelease out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || equals == 0 || line[0] == '#') continue;
        out[line.substr(0, equals)] = unquoted(line.substr(equals + 1));
    }
    return out;
}

std::string metadata(const Known& known, const std::string& title, const OsRelease& system) {
    const std::string name = value_of(system, "NAME", "Linux");
    std::string out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<component type=\"operating-system\">\n";
    out += element("id", id_of(system));
    out += element("name", title.empty() ? value_of(system, "PRETTY_NAME", name) : title);
    out += element("summary", "The operating system of this computer");
    out += element("metadata_license", "FSFAP");
    const std::string home = value_of(system, "HOME_URL", "");
    if (home.starts_with("https://") || home.starts_with("http://"))
        out += "  <url type=\"homepage\">" + escaped(home) + "</url>\n";
    out += std::string("  <bundle type=\"sysupdate\">") + kHost + "</bundle>\n  <releases>\n";
    for (const Version& version : known.versions)
        out += release(version);
    return out + "  </releases>\n</component>\n";
}

std::string file_url(const std::string& path) {
    constexpr const char* kHex = "0123456789ABCDEF";
    std::string out = "file://";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || std::string_view("/-_.~").find(c) != std::string::npos) {
            out += c;
        } else {
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

MetadataFile::MetadataFile(std::string directory, OsRelease system)
    : directory_(std::move(directory)), system_(std::move(system)) {}

void MetadataFile::show(const client::Status* status) {
    const bool booted = status != nullptr && status->booted;
    const std::string text = metadata(
        status == nullptr ? Known{} : know(*status), booted ? status->booted->title : "", system_);
    std::error_code failed;
    std::filesystem::create_directories(directory_, failed);  // or opening it says why not
    const UniqueFd dir = open_root(directory_);
    if (text == written_ && stat_at(dir.get(), kFile)) return;
    replace_file_at(dir.get(), kFile, as_bytes(text), 0644);
    written_ = text;
}

std::string MetadataFile::url() const {
    return file_url(directory_ + "/" + kFile);
}

}  // namespace cfs::sysupdate
