// SPDX-License-Identifier: Apache-2.0
#include "unit/etc/random_trees.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>

namespace cfs::etc::test {
namespace {

constexpr std::size_t kMaxSteps = 96;

/// Three bytes: what (low 4 bits) and where (high 2), the path, a value.
struct Step {
    unsigned what;
    unsigned trees;
    std::string path;
    unsigned value;
};

/// One to three components out of four names each, so that steps meet.
std::string path_from(unsigned byte) {
    static constexpr std::array<const char*, 4> kNames{"a", "b", "a.new", ".updated"};
    std::string path = kNames.at(byte & 3U);
    for (unsigned i = 0; i < byte >> 6U && i < 2; ++i) {
        path += "/" + std::string(kNames.at((byte >> (2 * i + 2)) & 3U));
    }
    return path;
}

class StepRunner {
 public:
    StepRunner(const Tree& tree, const std::string& canary) : tree_(tree), canary_(canary) {}

    void run(const Step& step) const {
        const auto [parent, name] = split_parent(step.path);
        UniqueFd dir;
        try {
            dir = open_dir_at(tree_.fd(), parent);
        } catch (const Error&) {
            return;
        }
        make(dir.get(), name, step);
        change(dir.get(), name, step);
    }

 private:
    void make(int dir, const std::string& name, const Step& step) const {
        const std::string targets[] = {"a", "../..", canary_, canary_ + "/file"};
        switch (step.what) {
            case 0:
            case 1:
                write(dir, name, step.value);
                break;
            case 2:
            case 3:
                (void)!::mkdirat(dir, name.c_str(), 0755);
                break;
            case 4:
                (void)!::symlinkat(targets[step.value % 4].c_str(), dir, name.c_str());
                break;
            case 5:
                (void)!::mknodat(dir, name.c_str(), step.value % 2 ? S_IFIFO | 0600 : S_IFCHR, 0);
                break;
            case 6:
                (void)!::linkat(tree_.fd(), "a", dir, name.c_str(), 0);
                break;
            default:
                break;
        }
    }

    void change(int dir, const std::string& name, const Step& step) const {
        const uid_t owner = step.value % 3;
        switch (step.what) {
            case 7:
            case 8:
                remove_tree_at(dir, name);
                break;
            case 9:
                if (!is_link(dir, name)) {
                    (void)!::fchmodat(dir, name.c_str(), 0700 | (step.value & 07077), 0);
                }
                break;
            case 10:
                (void)!::fchownat(dir, name.c_str(), owner, owner, AT_SYMLINK_NOFOLLOW);
                break;
            case 11:
            case 12:
                set_attribute(step);
                break;
            default:
                break;
        }
    }

    static bool is_link(int dir, const std::string& name) {
        const auto st = stat_at(dir, name);
        return st && S_ISLNK(st->st_mode);
    }

    static void write(int dir, const std::string& name, unsigned value) {
        const auto st = stat_at(dir, name);
        if (st && !S_ISREG(st->st_mode)) return;
        const UniqueFd fd = open_at(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        write_all(fd.get(), as_bytes(std::to_string(value % 5)));
    }

    void set_attribute(const Step& step) const {
        const std::string path = tree_.real(step.path);
        const char* name = step.value % 2 != 0 ? "trusted.one" : "trusted.two";
        const std::string value = std::to_string(step.value % 7);
        if (step.what == 11) {
            (void)!::lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
        } else {
            (void)!::lremovexattr(path.c_str(), name);
        }
    }

    const Tree& tree_;
    const std::string& canary_;
};

char type_letter(mode_t mode) {
    if (S_ISREG(mode)) return 'f';
    if (S_ISDIR(mode)) return 'd';
    return S_ISLNK(mode) ? 'l' : 's';
}

std::string attribute_text(const std::string& path) {
    std::string out;
    for (const char* name : {"trusted.one", "trusted.two"}) {
        std::array<char, 16> value{};
        const ssize_t n = ::lgetxattr(path.c_str(), name, value.data(), value.size());
        out += n < 0 ? "-" : std::string(value.data(), static_cast<std::size_t>(n));
    }
    return out;
}

}  // namespace

void grow(Trees& trees, ByteView steps, const std::string& canary) {
    const std::array<Tree*, 3> each{&trees.pristine, &trees.current, &trees.next};
    // For the two high bits: all three, the machine, the vendor, both of these.
    static constexpr std::array<unsigned, 4> kMasks{7, 2, 4, 6};
    for (std::size_t i = 0; i + 3 <= steps.size() && i / 3 < kMaxSteps; i += 3) {
        const unsigned first = steps[i];
        const Step step{first & 15U, first >> 6U, path_from(steps[i + 1]), steps[i + 2]};
        for (std::size_t tree = 0; tree < each.size(); ++tree) {
            if ((kMasks.at(step.trees) >> tree) & 1U) StepRunner(*each.at(tree), canary).run(step);
        }
    }
}

Flat flatten(const Tree& tree) {
    Flat out;
    const std::string root = tree.real(".");
    for (const auto& found : std::filesystem::recursive_directory_iterator(root)) {
        const std::string path = found.path().lexically_relative(root).native();
        if (path == ".updated" || path.starts_with(".updated/")) continue;
        const struct stat st = tree.stat_of(path);
        FlatEntry entry;
        entry.type = type_letter(st.st_mode);
        if (entry.type != 'd') entry.content = tree.at(path);
        entry.permissions = std::to_string(st.st_mode & 07777) + " " + tree.owner_of(path);
        entry.attributes = attribute_text(found.path().native());
        out.emplace(path, std::move(entry));
    }
    return out;
}

}  // namespace cfs::etc::test
