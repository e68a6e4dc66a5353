// SPDX-License-Identifier: Apache-2.0
#include "image/selinux.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "image/erofs_format.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace cfs::image {
namespace {

using erofs::kSelinux;

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(kBlank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&lower](char x, char y) {
        return lower(x) == lower(y);
    });
}

std::optional<std::string> find_text(const FileTree& tree,
                                     const std::string& path,
                                     const ReadContent& read) {
    const Node* node = tree.lookup(path);
    if (node == nullptr) return std::nullopt;
    if (node->type() != FileType::Regular) {
        throw Error(ErrorCode::BadFormat,
                    "SELinux policy file '/" + printable(path) + "' is a " +
                        std::string(to_string(node->type())) + ", expected a regular file",
                    "Links are not followed when an image is labelled.");
    }
    const Inode& leaf = *node->leaf();
    return leaf.is_inline() ? leaf.content : read(leaf);
}

/// The value of SELINUXTYPE.
std::optional<std::string> policy_type(const std::string& config) {
    std::istringstream lines(config);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == line.npos) continue;
        const std::string_view text = line;
        if (equal_ignoring_case(trim(text.substr(0, equals)), "SELINUXTYPE")) {
            return std::string(trim(text.substr(equals + 1)));
        }
    }
    return std::nullopt;
}

void add_aliases(const std::string& text, const std::string& path, SelinuxPolicy& policy) {
    std::istringstream lines(text);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        std::istringstream words(line);
        std::string alias;
        std::string target;
        std::string more;
        words >> alias >> target >> more;
        if (alias.empty() || alias.starts_with('#')) continue;
        if (target.empty() || !more.empty()) {
            throw Error(ErrorCode::BadFormat,
                        "SELinux policy file '/" + printable(path) + "', line " +
                            std::to_string(number) + ": expected ALIAS PATH, found '" +
                            printable(line) + "'");
        }
        policy.aliases.insert_or_assign(alias, target);
    }
}

class Relabeller {
 public:
    explicit Relabeller(const SelinuxPolicy& policy) : policy_(policy) {}

    void run(Directory& directory, const std::string& path) {
        const std::string& real = resolve(path);
        set_label(directory.meta, policy_.contexts.lookup(real, 'd'));
        std::string child = real.ends_with('/') ? real : real + '/';
        const std::size_t length = child.size();
        for (auto& [name, node] : directory.children) {
            child.resize(length);
            child += name;
            if (node.is_directory()) {
                run(*node.directory(), child);
            } else {
                label_leaf(node, resolve(child));
            }
        }
    }

 private:
    const std::string& resolve(const std::string& path) const {
        const auto alias = policy_.aliases.find(path);
        return alias == policy_.aliases.end() ? path : alias->second;
    }

    void label_leaf(Node& node, const std::string& path) {
        const std::string* label = policy_.contexts.lookup(path, type_letter(node.type()));
        if (node.leaf().use_count() > 1) {
            const auto [first, fresh] = first_labels_.try_emplace(node.leaf().get(), label);
            if (!fresh && !same(first->second, label)) {
                node.set_leaf(make_inode(*node.leaf()));
            }
        }
        set_label(node.meta(), label);
    }

    static bool same(const std::string* a, const std::string* b) {
        return a == b || (a != nullptr && b != nullptr && *a == *b);
    }

    /// Files with nothing but their label share it: they are nearly all.
    void set_label(Metadata& meta, const std::string* label) {
        if (label == nullptr) return meta.xattrs.erase(kSelinux);
        if (!meta.xattrs.empty())
            return meta.xattrs.insert_or_assign(std::string(kSelinux), *label);
        Xattrs& alone = alone_[label];
        if (alone.empty()) alone.insert_or_assign(std::string(kSelinux), *label);
        meta.xattrs = alone;
    }

    const SelinuxPolicy& policy_;
    /// Keyed by inodes that the tree keeps alive: a split-off name leaves the first one in place.
    std::unordered_map<const Inode*, const std::string*> first_labels_;
    std::unordered_map<const std::string*, Xattrs> alone_;  ///< keyed by the policy's own texts
};

}  // namespace

std::optional<SelinuxPolicy> find_policy(const FileTree& tree, const ReadContent& read) {
    const auto config = find_text(tree, "etc/selinux/config", read);
    const auto type = config ? policy_type(*config) : std::nullopt;
    if (!type) return std::nullopt;
    const std::string base = "etc/selinux/" + *type + "/contexts/files/file_contexts";
    const auto main = find_text(tree, base, read);
    if (!main) {
        throw Error(ErrorCode::BadFormat,
                    "/etc/selinux/config names the policy '" + printable(*type) + "', but '/" +
                        printable(base) + "' is missing",
                    "Install the policy in the image, or remove its /etc/selinux/config.");
    }
    SelinuxPolicy policy;
    policy.contexts.add(*main, '/' + base);
    for (const std::string suffix : {".local", ".homedirs"}) {
        if (const auto text = find_text(tree, base + suffix, read)) {
            policy.contexts.add(*text, '/' + base + suffix);
        }
    }
    for (const std::string suffix : {".subs", ".subs_dist"}) {
        if (const auto text = find_text(tree, base + suffix, read)) {
            add_aliases(*text, base + suffix, policy);
        }
    }
    return policy;
}

void relabel(FileTree& tree, const SelinuxPolicy& policy) {
    Relabeller(policy).run(tree.root(), "/");
}

void remove_labels(FileTree& tree) {
    tree.root().meta.xattrs.erase(kSelinux);
    tree.walk([](const std::string&, const Node& node) {
        node.meta().xattrs.erase(std::string(kSelinux));
    });
}

}  // namespace cfs::image
