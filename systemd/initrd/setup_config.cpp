// SPDX-License-Identifier: Apache-2.0
#include "initrd/setup_config.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <array>
#include <optional>
#include <string>

namespace cfs::initrd {
namespace {

constexpr std::array<std::string_view, 4> kKinds = {"none", "bind", "overlay", "transient"};

/// What one of the tables said; `transient = true` and `mount` are told apart until the end.
struct Table {
    std::optional<MountKind> mount;
    std::optional<bool> transient;
};

struct Tables {
    Table etc, var, root;

    [[nodiscard]] Table* find(std::string_view name) {
        if (name == "etc") return &etc;
        if (name == "var") return &var;
        if (name == "root") return &root;
        return nullptr;
    }
};

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// `text` up to a '#' that is in no string.
std::string_view without_comment(std::string_view text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            return text.substr(0, i);
        }
    }
    return text;
}

class Parser {
 public:
    void line(std::string_view raw) {
        ++number_;
        const std::string_view text = trim(without_comment(raw));
        if (text.empty()) return;
        if (text.front() == '[') {
            header(text);
        } else if (const auto equals = text.find('='); equals != std::string_view::npos) {
            assign(trim(text.substr(0, equals)), trim(text.substr(equals + 1)));
        } else if (ours()) {
            bad("'key = value' is expected");
        }
    }

    [[nodiscard]] SetupConfig finish() const {
        SetupConfig out;
        out.etc = kind_of(tables_.etc);
        out.var = kind_of(tables_.var);
        out.root_transient = tables_.root.transient.value_or(false);
        return out;
    }

 private:
    [[noreturn]] void bad(const std::string& why) const {
        throw Error(
            ErrorCode::BadFormat,
            "/" + std::string(kSetupConfigPath) + ", line " + std::to_string(number_) + ": " + why,
            "correct the file in the image and seal it again; boot another entry until "
            "then");
    }

    [[nodiscard]] bool ours() const { return in_top_ || table_ != nullptr; }

    void header(std::string_view text) {
        in_top_ = false;
        table_ = nullptr;
        if (text.starts_with("[[")) {
            const std::string_view name = trim(text.substr(2, text.find(']') - 2));
            if (tables_.find(name) != nullptr) bad("one table is expected, not a list of them");
            return;
        }
        if (text.back() != ']') bad("the table's name has no ']'");
        table_ = tables_.find(trim(text.substr(1, text.size() - 2)));
    }

    void assign(std::string_view key, std::string_view value) {
        if (!in_top_) {
            if (table_ != nullptr) set(*table_, key, value);
            return;
        }
        // Above all tables: "etc.mount" is ours, and so would be "etc = { ... }".
        const auto dot = key.find('.');
        Table* const table = tables_.find(trim(key.substr(0, dot)));
        if (table == nullptr) return;
        if (dot == std::string_view::npos) bad("write it as a table, '[" + std::string(key) + "]'");
        set(*table, trim(key.substr(dot + 1)), value);
    }

    void set(Table& table, std::string_view key, std::string_view value) const {
        if (key == "transient") {
            if (table.transient) bad("'transient' is there twice");
            if (value != "true" && value != "false") bad("'transient' is true or false");
            table.transient = value == "true";
        } else if (key == "mount" && &table != &tables_.root) {
            if (table.mount) bad("'mount' is there twice");
            table.mount = kind(value);
        }
    }

    [[nodiscard]] MountKind kind(std::string_view value) const {
        const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                            (value.front() == '"' || value.front() == '\'');
        if (quoted) {
            const std::string_view word = value.substr(1, value.size() - 2);
            for (std::size_t i = 0; i < kKinds.size(); ++i) {
                if (word == kKinds[i]) return static_cast<MountKind>(i);
            }
        }
        bad("'mount' is \"none\", \"bind\", \"overlay\" or \"transient\", not " +
            printable(value, 40));
    }

    static MountKind kind_of(const Table& table) {
        if (table.transient.value_or(false)) return MountKind::Transient;
        return table.mount.value_or(MountKind::Bind);
    }

    Tables tables_;
    Table* table_ = nullptr;  ///< the one that the last header opened, if it is ours
    bool in_top_ = true;
    int number_ = 0;
};

}  // namespace

std::string_view to_string(MountKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}

SetupConfig parse_setup_config(std::string_view text) {
    Parser parser;
    while (!text.empty()) {
        const auto end = text.find('\n');
        parser.line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return parser.finish();
}

}  // namespace cfs::initrd
