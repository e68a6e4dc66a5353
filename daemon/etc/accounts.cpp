// SPDX-License-Identifier: Apache-2.0
#include "etc/accounts.hpp"

#include "base/bytes.hpp"
#include "etc/account_lines.hpp"

#include <algorithm>

namespace cfs::etc {
namespace {

/// passwd with shadow, or group with gshadow.
struct PairKind {
    const char* main;
    const char* secret;
    const char* id_name;
    const char* command;
    std::set<std::size_t> main_lists;
    std::set<std::size_t> secret_lists;
};

constexpr std::size_t kIdField = 2;

const std::vector<PairKind>& pair_kinds() {
    static const std::vector<PairKind> kinds{
        {"passwd", "shadow", "UID", "usermod --uid", {}, {}},
        {"group", "gshadow", "GID", "groupmod --gid", {3}, {2, 3}},
    };
    return kinds;
}

struct Tables {
    explicit Tables(const AccountTexts& texts)
        : pristine(texts.pristine), current(texts.current), next(texts.next) {}

    [[nodiscard]] bool ambiguous() const {
        return pristine.ambiguous || current.ambiguous || next.ambiguous;
    }

    LineTable pristine;
    LineTable current;
    LineTable next;
};

std::optional<std::uint32_t> id_of(const Line& line) {
    if (!line) return std::nullopt;
    const auto fields = split_text(*line, ':');
    return fields.size() > kIdField ? to_number(fields[kIdField]) : std::nullopt;
}

class PairMerge {
 public:
    PairMerge(const PairKind& kind, const AccountTexts& main, const AccountTexts* secret)
        : kind_(kind), main_(main), secret_(secret == nullptr ? AccountTexts{} : *secret) {}

    [[nodiscard]] bool possible() const { return !main_.ambiguous() && !secret_.ambiguous(); }

    void run(bool with_secret, AccountMerge& out) {
        for (const Tables* tables : {&main_, &secret_}) {
            for (const LineTable* table : {&tables->current, &tables->next}) {
                for (const std::string& key : table->keys)
                    decide(key);
            }
        }
        refuse_taken_ids(out);
        out.files[kind_.main] = write(main_, &Decided::main);
        if (with_secret) out.files[kind_.secret] = write(secret_, &Decided::secret);
    }

 private:
    struct Decided {
        LineDecision main;
        LineDecision secret;
    };

    static bool locally_changed(const Tables& tables, const std::string& key) {
        return tables.current.find(key) != tables.pristine.find(key);
    }

    void decide(const std::string& key) {
        if (decided_.contains(key)) return;
        Decided& out = decided_[key];
        const auto [mp, mc, mn] = lines(main_, key);
        const auto [sp, sc, sn] = lines(secret_, key);
        const bool used_here = locally_changed(main_, key) || locally_changed(secret_, key);
        if (mc && mp && !mn && used_here) {
            out = {{mc, true}, {sc, false}};
            return;
        }
        out.main = merge_line(mp, mc, mn, kind_.main_lists);
        out.secret = merge_line(sp, sc, sn, kind_.secret_lists);
        // systemd-sysusers stops at a password line without its account.
        if (!out.main.line && !sc) out.secret = {std::nullopt, false};
    }

    struct Three {
        Line pristine;
        Line current;
        Line next;
    };

    static Three lines(const Tables& tables, const std::string& key) {
        return {tables.pristine.find(key), tables.current.find(key), tables.next.find(key)};
    }

    /// Is this name's number in the result one that only the new image gives it?
    [[nodiscard]] bool number_is_new(const std::string& key, std::uint32_t id) const {
        return id_of(main_.current.find(key)) != id && id_of(main_.next.find(key)) == id;
    }

    void refuse_taken_ids(AccountMerge& out) {
        // A refused line goes back to its local number, which may be another's new one.
        while (refuse_some(out)) {
        }
    }

    bool refuse_some(AccountMerge& out) {
        std::multimap<std::uint32_t, std::string> local;
        for (const auto& [key, decided] : decided_) {
            const auto id = id_of(decided.main.line);
            if (id && id_of(main_.next.find(key)) != id) local.emplace(*id, key);
        }
        bool refused = false;
        for (auto& [key, decided] : decided_) {
            const auto id = id_of(decided.main.line);
            if (!id || !number_is_new(key, *id)) continue;
            const auto taken = local.find(*id);
            if (taken == local.end()) continue;
            out.conflicts.push_back(conflict(*id, key, taken->second));
            decided.main = {main_.current.find(key), true};
            decided.secret = {secret_.current.find(key), true};
            refused = true;
        }
        return refused;
    }

    [[nodiscard]] Conflict conflict(std::uint32_t id,
                                    const std::string& theirs,
                                    const std::string& ours) const {
        return {kind_.main,
                ConflictKind::Id,
                "the new image gives the " + std::string(kind_.id_name) + " " + std::to_string(id) +
                    " to '" + printable(theirs) + "', and here it is '" + printable(ours) + "'",
                "the new image's line is left out",
                "give '" + printable(ours) + "' another one (" + kind_.command +
                    ") or remove it, then stage the update again"};
    }

    AccountFile write(const Tables& tables, LineDecision Decided::*half) const {
        AccountFile out;
        for (const auto& [key, decided] : decided_)
            out.withheld = out.withheld || (decided.*half).withheld;
        out.text = write_lines(tables.current, tables.next.keys, [&](const std::string& key) {
            return (decided_.at(key).*half).line;
        });
        return out;
    }

    const PairKind& kind_;
    Tables main_;
    Tables secret_;
    std::map<std::string, Decided> decided_;
};

bool changed_here(const AccountTexts* texts) {
    return texts != nullptr && texts->current != texts->pristine;
}

bool changed_by_vendor(const AccountTexts* texts) {
    return texts != nullptr && texts->next != texts->pristine && texts->next != texts->current;
}

const AccountTexts* find(const std::map<std::string, AccountTexts>& texts,
                         const std::string& name) {
    const auto found = texts.find(name);
    return found == texts.end() ? nullptr : &found->second;
}

void merge_pair(const PairKind& kind,
                const std::map<std::string, AccountTexts>& texts,
                AccountMerge& out) {
    const AccountTexts* main = find(texts, kind.main);
    const AccountTexts* secret = find(texts, kind.secret);
    if (main == nullptr || !(changed_here(main) || changed_here(secret))) return;
    if (!(changed_by_vendor(main) || changed_by_vendor(secret))) return;
    PairMerge merge(kind, *main, secret);
    if (merge.possible()) merge.run(secret != nullptr, out);
}

/// name:first:count
struct Range {
    std::string name;
    std::uint64_t first;
    std::uint64_t count;

    [[nodiscard]] bool overlaps(const Range& other) const {
        return first < other.first + other.count && other.first < first + count;
    }
};

std::optional<Range> to_range(const std::string& line) {
    const auto fields = split_text(line, ':');
    if (fields.size() != 3) return std::nullopt;
    const auto first = to_number(fields[1]);
    const auto count = to_number(fields[2]);
    if (!first || !count) return std::nullopt;
    return Range{fields[0], *first, *count};
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

/// Somebody else's line of C, which N has not, in the way of `line`.
std::optional<std::string> taken_by(const std::string& line,
                                    const std::vector<std::string>& kept,
                                    const std::vector<std::string>& next) {
    const auto wanted = to_range(line);
    if (!wanted) return std::nullopt;
    for (const std::string& other : kept) {
        const auto range = to_range(other);
        if (!range || has(next, other) || range->name == wanted->name) continue;
        if (range->overlaps(*wanted)) return range->name;
    }
    return std::nullopt;
}

void merge_ranges(const std::string& name, const AccountTexts& texts, AccountMerge& out) {
    if (!changed_here(&texts) || !changed_by_vendor(&texts)) return;
    const auto old = LineTable(texts.pristine).lines;
    const auto next = LineTable(texts.next).lines;
    std::vector<std::string> kept;
    for (const std::string& line : LineTable(texts.current).lines) {
        if (has(next, line) || !has(old, line)) kept.push_back(line);
    }
    AccountFile file;
    std::vector<std::string> result = kept;
    for (const std::string& line : next) {
        if (has(result, line) || has(old, line)) continue;
        if (const auto owner = taken_by(line, kept, next)) {
            file.withheld = true;
            out.conflicts.push_back({name,
                                     ConflictKind::Id,
                                     "the range '" + printable(line) +
                                         "' of the new image overlaps the one of '" +
                                         printable(*owner) + "' here",
                                     "the new image's line is left out",
                                     "give '" + printable(*owner) + "' another range in /etc/" +
                                         name + ", then stage the update again"});
        } else {
            result.push_back(line);
        }
    }
    for (const std::string& line : result)
        file.text += line + "\n";
    out.files[name] = std::move(file);
}

}  // namespace

const std::vector<std::string>& account_files() {
    static const std::vector<std::string> names{
        "group", "gshadow", "passwd", "shadow", "subgid", "subuid"};
    return names;
}

std::string account_main_file(const std::string& path) {
    for (const PairKind& kind : pair_kinds()) {
        if (path == kind.main || path == kind.secret) return kind.main;
    }
    return path == "subuid" || path == "subgid" ? path : "";
}

AccountMerge merge_accounts(const std::map<std::string, AccountTexts>& texts) {
    AccountMerge out;
    for (const PairKind& kind : pair_kinds())
        merge_pair(kind, texts, out);
    for (const char* name : {"subgid", "subuid"}) {
        if (const AccountTexts* found = find(texts, name)) merge_ranges(name, *found, out);
    }
    return out;
}

}  // namespace cfs::etc
