// SPDX-License-Identifier: Apache-2.0
// The shipped file and the manual page against the table of keys: neither may fall behind.
#include "base/file_io.hpp"
#include "settings/keys.hpp"
#include "settings/load.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <regex>

namespace cfs::settings {
namespace {

std::string text_of(const char* path) {
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd) << path;
    return std::string(as_text(read_whole(fd.get(), std::size_t{1} << 20)));
}

std::string print_of(const std::string& text) {
    Settings settings;
    std::vector<std::string> warnings;
    apply_text(text, "shipped", settings, warnings);
    EXPECT_TRUE(warnings.empty()) << warnings.front();
    return print_config(settings);
}

TEST(ShippedConfig, ChangesNothing) {
    EXPECT_EQ(print_of(text_of(CFS_SHIPPED_CONFIG)), print_config(Settings{}));
}

TEST(ShippedConfig, ShowsEveryKeyWithItsDefault) {
    const std::regex comment("(^|\n)#([a-z_]+ = )");
    const std::string text = std::regex_replace(text_of(CFS_SHIPPED_CONFIG), comment, "$1$2");
    EXPECT_EQ(print_of(text), print_config(Settings{}));
    for (const Key& key : keys()) {
        const std::string name(key.name.substr(key.name.find('.') + 1));
        EXPECT_NE(text.find("\n" + name + " = "), std::string::npos) << key.name;
    }
}

TEST(ConfigManual, DescribesEveryKeyAndNoOther) {
    std::vector<std::string> described;
    const std::string text = text_of(CFS_CONFIG_MANUAL);
    const std::regex item("\n\\.It Ic ([a-z_.]+)\n");
    for (std::sregex_iterator it(text.begin(), text.end(), item), end; it != end; ++it) {
        described.push_back((*it)[1]);
    }
    std::vector<std::string> known;
    for (const Key& key : keys())
        known.emplace_back(key.name);
    EXPECT_EQ(described, known);
}

}  // namespace
}  // namespace cfs::settings
