// SPDX-License-Identifier: Apache-2.0
// Account files of three trees, separated by 0x1e, in the order of account_files().
#include "etc/account_lines.hpp"
#include "etc/accounts.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

[[noreturn]] void broken(const char* what, const std::string& name) {
    std::fprintf(stderr, "broken: %s in %s\n", what, name.c_str());
    std::abort();
}

/// Lines that only this machine has are all there, and no name has two lines.
void check_lines(const std::string& name,
                 const cfs::etc::AccountTexts& texts,
                 const std::string& result) {
    const cfs::etc::LineTable pristine(texts.pristine);
    const cfs::etc::LineTable current(texts.current);
    const cfs::etc::LineTable next(texts.next);
    const cfs::etc::LineTable got(result);
    for (const std::string& key : current.keys) {
        if (pristine.find(key) || next.find(key)) continue;
        if (got.find(key) != current.find(key)) broken("a local line is lost", name);
    }
    if (got.ambiguous && !name.starts_with("sub")) broken("a name has two lines", name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs::etc;
    const std::string all(reinterpret_cast<const char*>(data), size);
    const std::vector<std::string> parts = split_text(all, '\x1e');
    std::map<std::string, AccountTexts> texts;
    std::size_t next = 0;
    for (const std::string& name : account_files()) {
        if (next + 3 > parts.size()) break;
        texts[name] = {parts[next], parts[next + 1], parts[next + 2]};
        next += 3;
    }
    const AccountMerge merged = merge_accounts(texts);
    if (merge_accounts(texts).files != merged.files) broken("not the same twice", "all");
    for (const auto& [name, file] : merged.files)
        check_lines(name, texts.at(name), file.text);
    for (auto& [name, text] : texts)
        text.next = text.pristine;
    if (!merge_accounts(texts).files.empty()) broken("merged without an update", "all");
    return 0;
}
