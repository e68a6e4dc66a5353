// SPDX-License-Identifier: Apache-2.0
#include "initrd/options.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <array>
#include <string_view>

namespace cfs::initrd {
namespace {

struct PathOption {
    std::string_view name;
    std::string Options::*value;
};

constexpr std::array<PathOption, 6> kPaths = {{{"--sysroot", &Options::sysroot},
                                               {"--target", &Options::target},
                                               {"--proc-cmdline", &Options::cmdline},
                                               {"--run", &Options::run},
                                               {"--efivars", &Options::efivars},
                                               {"--volatile-root", &Options::volatile_root}}};

struct Flag {
    std::string_view name;
    bool Options::*value;
};

constexpr std::array<Flag, 4> kFlags = {{{"--reboot", &Options::reboot},
                                         {"--soft-reboot", &Options::soft},
                                         {"--help", &Options::help},
                                         {"--version", &Options::version}}};

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::InvalidArgs, what, "see cfs-prepare-root --help");
}

bool take_flag(Options& out, std::string_view word) {
    for (const Flag& flag : kFlags) {
        if (word != flag.name) continue;
        out.*flag.value = true;
        return true;
    }
    return false;
}

/// "--name VALUE" or "--name=VALUE"; advances `at` past a value of its own.
bool take_path(Options& out, std::string_view word, int argc, const char* const* argv, int& at) {
    const std::string_view name = word.substr(0, word.find('='));
    for (const PathOption& path : kPaths) {
        if (name != path.name) continue;
        if (name.size() < word.size()) {
            out.*path.value = word.substr(name.size() + 1);
        } else if (++at < argc) {
            out.*path.value = argv[at];
        }
        if (at >= argc || (out.*path.value).empty()) bad(std::string(name) + " wants a path");
        return true;
    }
    return false;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
    Options out;
    for (int at = 1; at < argc; ++at) {
        const std::string_view word = argv[at];
        if (take_flag(out, word) || take_path(out, word, argc, argv, at)) continue;
        bad("unknown argument '" + printable(word, 100) + "'");
    }
    return out;
}

const char* usage() {
    return "usage: cfs-prepare-root [OPTION]...\n"
           "Mounts the composefs image that the kernel command line names over the physical root.\n"
           "  --sysroot DIR        the physical root file system (/sysroot)\n"
           "  --target DIR         mount the result there; without it, in place of --sysroot\n"
           "  --proc-cmdline FILE  the kernel command line (/proc/cmdline)\n"
           "  --run DIR            where the record of what was mounted goes (/run/cfsupdated)\n"
           "  --efivars DIR        EFI variables (/sys/firmware/efi/efivars)\n"
           "  --volatile-root PATH systemd's link to the root disk (/run/systemd/volatile-root)\n"
           "  --reboot             reboot after a failure, where the boot is counted or sealed\n"
           "  --soft-reboot        a failure is one of a soft reboot, not of the running entry\n"
           "  --help, --version\n";
}

}  // namespace cfs::initrd
