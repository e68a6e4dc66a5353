// SPDX-License-Identifier: Apache-2.0
#include "uki/cmdline.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace cfs::uki {
namespace {

constexpr std::array<ComposefsKey, 2> kKeys = {ComposefsKey::Composefs,
                                               ComposefsKey::ComposefsDigest};

// fs-verity's block size, as the power of two that the argument names: 4096 bytes.
constexpr std::string_view kBlockSize = "12";

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                what,
                "write composefs=<hex digest> or composefs.digest=v1-sha512-12:<hex digest> once "
                "on the UKI's command line, and sign it again");
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

[[noreturn]] void malformed(std::string_view token, const std::string& why) {
    bad("the kernel argument '" + printable(token, 200) + "' is malformed: " + why);
}

/// Cuts `text` up to and including `delimiter`; nullopt (and no change) when it is not there.
std::optional<std::string_view> take_until(std::string_view& text, char delimiter) {
    const auto end = text.find(delimiter);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(end + 1);
    return out;
}

/// "v1-sha256-12:" at the front of `value`, which is advanced behind it.
HashAlgorithm parse_prefix(ComposefsArg& arg, std::string_view& value) {
    const auto prefix = take_until(value, ':');
    if (!prefix) malformed(arg.token, "no ':' in front of the digest");
    std::string_view rest = *prefix;
    const auto version = take_until(rest, '-');
    const auto hash = take_until(rest, '-');
    if (!version || !hash) malformed(arg.token, "<version>-<hash>-12 is expected before the ':'");
    if (*version != "v1" && *version != "v2") {
        malformed(arg.token, "version '" + printable(*version, 20) + "' is not v1 or v2");
    }
    arg.version = *version == "v1" ? ErofsFormat::V1 : ErofsFormat::V2;
    const auto algorithm = hash_algorithm_from(*hash);
    if (!algorithm) {
        malformed(arg.token, "hash '" + printable(*hash, 20) + "' is not sha256 or sha512");
    }
    if (rest != kBlockSize) {
        malformed(arg.token, "block size '" + printable(rest, 20) + "' is not 12 (4096 bytes)");
    }
    return *algorithm;
}

ComposefsArg parse_arg(std::string_view token, ComposefsKey key) {
    ComposefsArg arg;
    arg.key = key;
    arg.token = token;
    std::string_view value = token.substr(to_string(key).size());
    if (value.empty()) malformed(token, "it has no value");
    value.remove_prefix(1);  // the '='
    if (!value.empty() && value.front() == '?') {
        arg.insecure = true;
        value.remove_prefix(1);
    }
    std::optional<HashAlgorithm> algorithm;
    if (key == ComposefsKey::ComposefsDigest) algorithm = parse_prefix(arg, value);
    const auto digest = Digest::from_hex(value);
    if (!digest) {
        malformed(token,
                  "the digest has " + std::to_string(value.size()) +
                      " characters; 64 (sha256) or 128 (sha512) hex digits are expected");
    }
    if (algorithm && digest->algorithm() != *algorithm) {
        malformed(token,
                  "the digest's length is not that of " + std::string(to_string(*algorithm)));
    }
    arg.digest = *digest;
    return arg;
}

/// The key that `text` gives, with or without a value.
std::optional<ComposefsKey> key_of(std::string_view text) {
    const std::string_view name = text.substr(0, text.find('='));
    for (const ComposefsKey key : kKeys) {
        if (name == to_string(key)) return key;
    }
    return std::nullopt;
}

/// The kernel drops quotes that others keep: such an argument means different things to both.
void refuse_if_quoted(std::string_view token) {
    if (token.find('"') == std::string_view::npos) return;
    std::string bare(token);
    bare.erase(std::remove(bare.begin(), bare.end(), '"'), bare.end());
    if (key_of(bare)) malformed(token, "it must not be quoted");
}

}  // namespace

std::string_view to_string(ComposefsKey key) {
    return key == ComposefsKey::Composefs ? "composefs" : "composefs.digest";
}

std::vector<std::string_view> split_cmdline(std::string_view cmdline) {
    std::vector<std::string_view> out;
    bool quoted = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= cmdline.size(); ++i) {
        if (i < cmdline.size() && cmdline[i] == '"') quoted = !quoted;
        if (i < cmdline.size() && (quoted || !is_space(cmdline[i]))) continue;
        if (i > start) out.push_back(cmdline.substr(start, i - start));
        start = i + 1;
    }
    return out;
}

std::vector<ComposefsArg> composefs_args(std::string_view cmdline) {
    std::vector<ComposefsArg> out;
    for (const std::string_view token : split_cmdline(cmdline)) {
        refuse_if_quoted(token);
        const auto key = key_of(token);
        if (!key) continue;
        const bool again = std::any_of(
            out.begin(), out.end(), [&](const ComposefsArg& arg) { return arg.key == *key; });
        if (again) {
            bad("the kernel command line has '" + std::string(to_string(*key)) +
                "' twice; which image is meant?");
        }
        out.push_back(parse_arg(token, *key));
    }
    return out;
}

ComposefsArg composefs_arg(std::string_view cmdline) {
    auto args = composefs_args(cmdline);
    if (args.empty()) {
        throw Error(ErrorCode::BadFormat,
                    "the kernel command line names no composefs image (neither 'composefs=' nor "
                    "'composefs.digest='): '" +
                        printable(cmdline) + "'",
                    "seal the image with 'cfsctl image seal', which writes that argument");
    }
    return std::move(args.front());
}

std::string make_composefs_arg(ErofsFormat version,
                               const Digest& digest,
                               bool insecure,
                               ComposefsKey key) {
    std::string out = std::string(to_string(key)) + "=" + (insecure ? "?" : "");
    if (key == ComposefsKey::Composefs) {
        if (version != ErofsFormat::V2) {
            throw Error(ErrorCode::InvalidArgs,
                        "'composefs=' can name only a V2 image",
                        "use 'composefs.digest=' for a V1 image");
        }
        return out + digest.hex();
    }
    return out + (version == ErofsFormat::V1 ? "v1-" : "v2-") +
           std::string(to_string(digest.algorithm())) + "-" + std::string(kBlockSize) + ":" +
           digest.hex();
}

std::string make_composefs_arg(ErofsFormat version, const Digest& digest, bool insecure) {
    const auto key =
        version == ErofsFormat::V1 ? ComposefsKey::ComposefsDigest : ComposefsKey::Composefs;
    return make_composefs_arg(version, digest, insecure, key);
}

}  // namespace cfs::uki
