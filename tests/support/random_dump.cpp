// SPDX-License-Identifier: Apache-2.0
#include "support/random_dump.hpp"

#include <array>
#include <random>
#include <set>
#include <vector>

namespace cfs::test {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string escaped(const std::string& raw, bool all) {
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        if (!all && byte > 0x20 && byte < 0x7f && c != '\\' && c != '=') {
            out += c;
            continue;
        }
        out += "\\x";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

class Generator {
 public:
    Generator(std::uint64_t seed, bool lenient) : random_(seed), lenient_(lenient) {}

    std::string run() {
        directories_.emplace_back("");
        text_ =
            "/ 0 4" + permissions() + " 2 " + owners() + "0 " + time() + " - - -" + xattrs() + "\n";
        const std::uint64_t entries = one_in(8) ? below(600) : below(60);
        for (std::uint64_t i = 0; i < entries; ++i)
            add_entry();
        // Links come last as lines or first: their targets may be later lines either way.
        for (const std::string& link : links_)
            text_ += hard_link(link);
        for (const std::string& line : late_)
            text_ += line;
        return text_;
    }

 private:
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

    bool one_in(std::uint64_t n) { return below(n) == 0; }

    template <std::size_t kCount>
    std::uint64_t pick(const std::array<std::uint64_t, kCount>& values) {
        return values[below(kCount)];
    }

    std::string bytes(std::uint64_t size, bool printable) {
        std::string out;
        while (out.size() < size)
            out += static_cast<char>(printable ? 'a' + below(26) : 1 + below(255));
        return out;
    }

    std::string number(std::uint64_t value) {
        const std::string digits = std::to_string(value);
        if (!lenient_ || !one_in(10)) return digits;
        return (one_in(2) ? "+" : "000") + digits;
    }

    /// Four octal digits behind the type's.
    std::string permissions() {
        const std::uint64_t bits = one_in(3) ? below(010000) : 0644;
        std::string out;
        for (int shift = 9; shift >= 0; shift -= 3)
            out += static_cast<char>('0' + (bits >> shift & 7));
        return out;
    }

    std::string owners() {
        constexpr std::array<std::uint64_t, 6> kIds = {0, 0, 1000, 65535, 65536, 4294967295};
        return number(pick(kIds)) + " " + number(pick(kIds)) + " ";
    }

    std::string time() {
        constexpr std::array<std::uint64_t, 6> kSeconds = {0, 0, 0, 1, 1700000000, 9000000000};
        return (one_in(12) ? "-" : "") + std::to_string(pick(kSeconds)) + "." +
               std::to_string(one_in(3) ? below(1000000000) : 0);
    }

    std::string xattrs() {
        std::string out;
        if (one_in(2)) out += " security.selinux=label" + std::to_string(below(5)) + "\\x00";
        if (!one_in(4)) return out;
        std::set<std::string> names;
        const std::uint64_t count = one_in(30) ? 150 : below(6);
        for (std::uint64_t i = 0; i < count; ++i) {
            constexpr std::array<std::string_view, 9> kPrefixes = {"user.",
                                                                   "trusted.",
                                                                   "security.",
                                                                   "trusted.overlay.",
                                                                   "user.overlay.x",
                                                                   "system.posix_acl_access",
                                                                   "system.posix_acl_default",
                                                                   "lustre.",
                                                                   "odd"};
            const std::string name =
                std::string(kPrefixes[below(kPrefixes.size())]) + bytes(1 + below(3), true);
            if (!names.insert(name).second) continue;
            const std::uint64_t size = one_in(20) ? below(3000) : below(5);
            const std::string value = one_in(3) ? bytes(size, false) : std::to_string(below(3));
            if (out.size() + 4 * value.size() > 16000) break;
            out += " " + name + "=" + escaped(value, false);
        }
        if (one_in(10)) out += " system.posix_acl_access=acl";
        // libcomposefs puts its own value in the place of this one when a whiteout is below.
        if (one_in(20)) out += " user.overlay.whiteouts=mine";
        return out;
    }

    std::string new_path() {
        const std::string& parent = directories_[below(directories_.size())];
        for (;;) {
            std::string name;
            if (one_in(40)) {
                name = bytes(200 + below(56), true);
            } else if (one_in(6)) {
                constexpr std::string_view kOdd = "!#+,-. ~\n\\=\x7f\xc3";
                for (std::uint64_t i = 0; i <= below(4); ++i)
                    name += kOdd[below(kOdd.size())];
            } else if (one_in(8)) {
                name = {kDigits[below(16)], kDigits[below(16)]};
            } else {
                name = bytes(1 + below(20), true);
            }
            const std::string path = parent + "/" + escaped(name, false);
            if (name != "." && name != ".." && paths_.insert(path).second) return path;
        }
    }

    std::string shown(std::string path) {
        if (lenient_ && one_in(15)) path.insert(path.rfind('/'), "/");
        if (lenient_ && one_in(15)) path.erase(0, path.find_first_not_of('/'));
        return path;
    }

    /// PATH SIZE MODE NLINK UID GID RDEV MTIME
    std::string head(const std::string& path,
                     std::uint64_t size,
                     int kind,
                     std::uint64_t rdev = 0) {
        constexpr std::array<std::string_view, 7> kTypes = {"10", "12", "2", "6", "4", "1", "14"};
        constexpr std::array<std::uint64_t, 6> kLinks = {1, 1, 1, 2, 65536, 0};
        return shown(path) + " " + number(size) + " " +
               std::string(kTypes[static_cast<std::size_t>(kind)]) + permissions() + " " +
               number(pick(kLinks)) + " " + owners() + number(rdev) + " " + time() + " ";
    }

    void add_entry() {
        const std::string path = new_path();
        const std::uint64_t kind = below(20);
        std::string line;
        if (kind < 4) {
            directories_.push_back(path);
            line = head(path, below(5000), 4) + "- - -";
        } else if (kind < 6) {
            links_.push_back(path);
            return;
        } else if (kind < 10) {
            line = inline_file(path);
        } else if (kind < 14) {
            line = external_file(path);
        } else if (kind < 16) {
            const std::uint64_t size = one_in(6) ? 1 + below(4095) : 1 + below(80);
            line = head(path, size, 1) + escaped(bytes(size, one_in(2)), true) + " - -";
        } else {
            line = special(path, kind);
        }
        if (kind >= 4) leaves_.push_back(path);
        line += xattrs() + "\n";
        if (kind >= 4 && one_in(5)) {
            late_.push_back(line);
        } else {
            text_ += line;
        }
    }

    std::string inline_file(const std::string& path) {
        constexpr std::array<std::uint64_t, 10> kSizes = {
            0, 1, 64, 65, 2047, 2048, 2049, 4096, 4097, 5000};
        const std::uint64_t size = one_in(2) ? pick(kSizes) : below(200);
        const std::string content = size == 0 ? "-" : escaped(bytes(size, false), true);
        return head(path, size, 0) + "- " + content + " -";
    }

    std::string digest() {
        // Few of them, so that files share their objects.
        std::mt19937_64 random(one_in(2) ? below(8) : random_());
        std::string hex;
        while (hex.size() < 64)
            hex += kDigits[random() % 16];
        return hex;
    }

    std::string external_file(const std::string& path) {
        constexpr std::array<std::uint64_t, 9> kSizes = {1,
                                                         4096,
                                                         4097,
                                                         std::uint64_t{1} << 32,
                                                         (std::uint64_t{1} << 43) - 1,
                                                         (std::uint64_t{1} << 43) + 1,
                                                         (std::uint64_t{1} << 53) - 5,
                                                         std::uint64_t{1} << 53,
                                                         std::uint64_t{1017} << 43};
        const std::uint64_t size = one_in(3) ? pick(kSizes) : 1 + below(1000000);
        const std::string hex = digest();
        const std::string object = hex.substr(0, 2) + "/" + hex.substr(2);
        std::string out = head(path, size, 0);
        switch (below(6)) {
            case 0:
                return out + "- - -";
            case 1:
                return out + "- - " + hex;
            case 2:
                return out + (one_in(2) ? "a/b" : object) + " - -";
            case 3:
                return out + (one_in(2) ? "/some\\x20where" : "22/" + bytes(9, true)) + " - " + hex;
            default:
                return out + object + " - " + hex;
        }
    }

    std::string special(const std::string& path, std::uint64_t kind) {
        constexpr std::array<std::uint64_t, 4> kDevices = {1, 259, 66305, 4294967295};
        const std::uint64_t size = one_in(4) ? std::uint64_t{5} << 30 : 0;
        if (kind == 16) return head(path, size, 2, pick(kDevices)) + "- - -";
        if (kind == 17) return head(path, size, 3, one_in(3) ? 0 : pick(kDevices)) + "- - -";
        if (kind == 18) return head(path, size, 2, 0) + "- - -";
        return head(path, size, one_in(2) ? 5 : 6) + "- - -";
    }

    std::string hard_link(const std::string& path) {
        if (leaves_.empty()) return {};
        // A link to a link is followed to its end.
        const std::string target = leaves_[below(leaves_.size())];
        leaves_.push_back(path);
        return shown(path) + " 0 @120000 - - - - - " + target + " - -\n";
    }

    std::mt19937_64 random_;
    const bool lenient_;
    std::string text_;
    std::vector<std::string> directories_;
    std::vector<std::string> leaves_;
    std::vector<std::string> links_;
    std::vector<std::string> late_;
    std::set<std::string> paths_;
};

}  // namespace

std::string random_dump(std::uint64_t seed, bool lenient) {
    return Generator(seed, lenient).run();
}

}  // namespace cfs::test
