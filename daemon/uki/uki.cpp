// SPDX-License-Identifier: Apache-2.0
#include "uki/uki.hpp"

#include "base/error.hpp"
#include "uki/machine.hpp"
#include "uki/text.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace cfs::uki {
namespace {

constexpr std::size_t kMaxProfiles = 256;
constexpr std::size_t kMaxUname = 64;  // of struct utsname, with NUL

// These may stand several times; the loader picks among them by hardware.
constexpr std::array<std::string_view, 2> kRepeatable = {".dtbauto", ".efifw"};

using Profile = std::vector<const PeSection*>;

[[noreturn]] void bad(const std::string& what,
                      const std::string& hint = "build the UKI again, for example with ukify") {
    throw Error(ErrorCode::BadFormat, "not a sound UKI: " + what, hint);
}

void add_section(Profile& profile, const PeSection& section, const std::string& where) {
    const bool repeatable =
        std::find(kRepeatable.begin(), kRepeatable.end(), section.name) != kRepeatable.end();
    const bool again = std::any_of(profile.begin(), profile.end(), [&](const PeSection* other) {
        return other->name == section.name;
    });
    if (again && !repeatable) {
        bad("the section '" + printable(section.name) + "' stands twice in " + where);
    }
    profile.push_back(&section);
}

/// The base sections, then those of each profile (UAPI.5: a `.profile` section starts one).
std::vector<Profile> split_profiles(const PeImage& pe) {
    std::vector<Profile> out(1);
    for (const PeSection& section : pe.sections()) {
        if (section.name == ".profile") out.emplace_back();
        if (out.size() > kMaxProfiles + 1) {
            bad("more than " + std::to_string(kMaxProfiles) + " profiles");
        }
        const std::string where =
            out.size() == 1 ? "the image" : "profile " + std::to_string(out.size() - 2);
        add_section(out.back(), section, where);
    }
    return out;
}

const PeSection* find_in(const Profile& profile, std::string_view name) {
    const auto found = std::find_if(profile.begin(), profile.end(), [&](const PeSection* section) {
        return section->name == name;
    });
    return found == profile.end() ? nullptr : *found;
}

/// A profile's own section hides the base's.
const PeSection* effective(const Profile& base, const Profile& profile, std::string_view name) {
    const PeSection* own = find_in(profile, name);
    return own != nullptr ? own : find_in(base, name);
}

/// Text of a section, without the NULs that some builders end it with.
std::string_view text_of(const PeSection& section) {
    std::string_view text = as_text(section.content());
    while (!text.empty() && text.back() == '\0')
        text.remove_suffix(1);
    if (text.find('\0') != std::string_view::npos) {
        bad(section.name + " has a NUL byte inside: readers disagree about where it ends");
    }
    if (!is_utf8(text)) bad(section.name + " is not UTF-8");
    return text;
}

std::string read_cmdline(const PeSection* section) {
    if (section == nullptr) return {};
    std::string text(text_of(*section));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    text = std::string(trim(text));
    if (text.size() > kMaxCommandLine) {
        bad(".cmdline has " + std::to_string(text.size()) + " bytes; the kernel keeps " +
                std::to_string(kMaxCommandLine),
            "shorten the kernel command line");
    }
    return text;
}

std::string read_uname(const PeSection* section) {
    if (section == nullptr) return {};
    std::string text(text_of(*section));
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20)
        text.pop_back();
    const bool odd = std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '/';
    });
    if (odd || text.size() > kMaxUname) {
        bad(".uname is no kernel release: '" + printable(text) + "'");
    }
    return text;
}

OsRelease read_osrel(const PeSection* section) {
    if (section == nullptr) bad("it has no .osrel section, so boot loaders do not list it");
    OsRelease out = OsRelease::parse(text_of(*section));
    if (out.pretty_name().empty()) {
        bad(".osrel has no PRETTY_NAME, IMAGE_ID, NAME or ID, so boot loaders do not list it",
            "add at least ID= to the image's os-release");
    }
    return out;
}

void check_kind(const PeImage& pe) {
    if (pe.subsystem() != kSubsystemEfiApplication) {
        bad("PE subsystem " + std::to_string(pe.subsystem()) +
            ", an EFI application (10) is "
            "expected");
    }
    if (!oci_architecture(pe.machine())) bad(describe_machine(pe.machine()));
}

}  // namespace

ComposefsArg Uki::composefs() const {
    const ComposefsArg wanted = composefs_arg(cmdline());
    for (std::size_t i = 1; i < cmdlines.size(); ++i) {
        const ComposefsArg other = with_context("UKI profile " + std::to_string(i),
                                                [&] { return composefs_arg(cmdlines[i]); });
        if (other.digest != wanted.digest || other.version != wanted.version ||
            other.insecure != wanted.insecure) {
            bad("profile " + std::to_string(i) + " boots '" + other.token +
                    "', the default profile '" + wanted.token + "'",
                "name the same composefs image in every profile of the UKI");
        }
    }
    return wanted;
}

Uki parse_uki(const PeImage& pe) {
    check_kind(pe);
    const std::vector<Profile> profiles = split_profiles(pe);
    const Profile& base = profiles.front();
    const Profile& standard = profiles.size() > 1 ? profiles[1] : base;
    const PeSection* kernel = effective(base, standard, ".linux");
    if (kernel == nullptr || kernel->content().empty()) bad("it has no kernel (.linux section)");
    Uki out;
    out.machine = pe.machine();
    out.architecture = *oci_architecture(pe.machine());
    out.size = pe.file().size();
    out.osrel = read_osrel(effective(base, standard, ".osrel"));
    out.uname = read_uname(effective(base, standard, ".uname"));
    out.has_initrd = effective(base, standard, ".initrd") != nullptr;
    out.cmdlines.push_back(read_cmdline(effective(base, standard, ".cmdline")));
    for (std::size_t i = 2; i < profiles.size(); ++i) {
        out.cmdlines.push_back(read_cmdline(effective(base, profiles[i], ".cmdline")));
    }
    out.authenticode = pe.authenticode_hash(HashAlgorithm::Sha256);
    return out;
}

Uki parse_uki(ByteView file) {
    return parse_uki(parse_pe(file));
}

}  // namespace cfs::uki
