// SPDX-License-Identifier: Apache-2.0
#include "settings/load.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "settings/keys.hpp"

#include <toml++/toml.h>

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace cfs::settings {
namespace {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;

std::string at(const std::string& file, const toml::source_position& position) {
    return file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

std::string kind_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "table";
        case toml::node_type::array:
            return "list of something else than strings";
        case toml::node_type::floating_point:
            return "floating-point number";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time:
            return "date or time";
        default:
            return "value of another kind";
    }
}

std::optional<std::vector<std::string>> as_strings(const toml::array& array) {
    std::vector<std::string> items;
    for (const toml::node& node : array) {
        const auto* text = node.as_string();
        if (text == nullptr) return std::nullopt;
        items.push_back(text->get());
    }
    return items;
}

Value to_value(const toml::node& node) {
    if (const auto* flag = node.as_boolean()) return flag->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* array = node.as_array()) {
        if (auto items = as_strings(*array)) return *std::move(items);
    }
    return OtherValue{kind_of(node)};
}

/// Is `name` a table that some key lies in?
bool is_table(const std::string& name) {
    return std::any_of(keys().begin(), keys().end(), [&](const Key& key) {
        return key.name.starts_with(name + ".");
    });
}

class Reader {
 public:
    Reader(const std::string& file, Settings& settings, std::vector<std::string>& warnings)
        : file_(file), settings_(settings), warnings_(warnings) {}

    void read(const toml::table& table, const std::string& prefix) {
        for (const auto& [key, node] : table) {
            // A dot inside a quoted key is part of that key, not a step into a table.
            const std::string name = prefix + std::string(key.str());
            const bool dotted = key.str().find('.') != std::string_view::npos;
            if (const Key* known = dotted ? nullptr : find_key(name)) {
                set(*known, node);
            } else if (!dotted && is_table(name)) {
                descend(name, node);
            } else {
                const std::string shown = describe(Value(name));
                warnings_.push_back(at(file_, key.source().begin) + ": unknown key " + shown +
                                    " is ignored");
            }
        }
    }

 private:
    void set(const Key& key, const toml::node& node) {
        const Value value = to_value(node);
        if (key.set(settings_, value)) return;
        refuse(key.name, key.allowed, value, node);
    }

    void descend(const std::string& name, const toml::node& node) {
        const toml::table* table = node.as_table();
        if (table == nullptr) refuse(name, "a table", to_value(node), node);
        read(*table, name + ".");
    }

    [[noreturn]] void refuse(std::string_view name,
                             std::string_view allowed,
                             const Value& value,
                             const toml::node& node) {
        throw Error(ErrorCode::InvalidArgs,
                    at(file_, node.source().begin) + ": " + std::string(name) + ": expected " +
                        std::string(allowed) + ", found " + describe(value),
                    "Correct the value, or remove the line to get the default; "
                    "cfsupdated.toml(5) describes every key.");
    }

    const std::string& file_;
    Settings& settings_;
    std::vector<std::string>& warnings_;
};

toml::table parse(std::string_view text, const std::string& file) {
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& e) {
        throw Error(
            ErrorCode::BadFormat,
            at(file, e.source().begin) + ": expected TOML, found: " + std::string(e.description()),
            "Correct the line; cfsupdated.toml(5) shows the form.");
    }
}

std::vector<std::string> drop_ins(const std::string& path) {
    const std::string folder = path + ".d";
    const UniqueFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir) {
        if (errno == ENOENT) return {};
        throw_errno("opening '" + folder + "'");
    }
    std::vector<std::string> files;
    for (const std::string& name : list_dir(dir.get())) {
        if (name.ends_with(".toml") && !name.starts_with(".")) files.push_back(folder + "/" + name);
    }
    return files;
}

/// An administrator's file: links are followed.
std::string read_text(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("opening the configuration file '" + path + "'");
    return with_context("reading '" + path + "'",
                        [&] { return std::string(as_text(read_whole(fd.get(), kMaxFileSize))); });
}

}  // namespace

void apply_text(std::string_view text,
                const std::string& file,
                Settings& settings,
                std::vector<std::string>& warnings) {
    const toml::table table = parse(text, file);
    Settings changed = settings;
    Reader(file, changed, warnings).read(table, "");
    settings = std::move(changed);
}

Loaded load(const std::string& path) {
    Loaded loaded;
    loaded.files = drop_ins(path);
    loaded.files.insert(loaded.files.begin(), path);
    for (const std::string& file : loaded.files) {
        apply_text(read_text(file), file, loaded.settings, loaded.warnings);
    }
    return loaded;
}

std::string print_config(const Settings& settings) {
    std::ostringstream out;
    std::string table;
    for (const Key& key : keys()) {
        const std::size_t dot = key.name.find('.');
        const std::string in(dot == std::string_view::npos ? "" : key.name.substr(0, dot));
        if (in != table) out << "\n[" << in << "]\n";
        table = in;
        out << key.name.substr(in.empty() ? 0 : dot + 1) << " = " << key.show(settings) << "\n";
    }
    return out.str();
}

}  // namespace cfs::settings
