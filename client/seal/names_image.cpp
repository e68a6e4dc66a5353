// SPDX-License-Identifier: Apache-2.0
#include "client/seal/names_image.hpp"

#include "base/error.hpp"

#include <optional>
#include <vector>

namespace cfs::client {
namespace {

/// The rules under which an argument's image may have been made, most likely first
/// (composefs-rs: digests depend on the attribute mode, V1 also on the rule for /boot's time).
std::vector<update::DigestOptions> candidates(const uki::ComposefsArg& arg) {
    std::vector<update::DigestOptions> out;
    const bool v1 = arg.version == uki::ErofsFormat::V1;
    for (const auto xattrs : {image::XattrMode::AllowlistOnly, image::XattrMode::KeepUserXattrs}) {
        update::DigestOptions options;
        options.version = v1 ? image::ErofsVersion::V1 : image::ErofsVersion::V2;
        options.hash = arg.algorithm();
        options.bootable = true;
        options.xattrs = xattrs;
        out.push_back(options);
        if (!v1) continue;
        options.boot_mtime = image::BootMtime::Seconds;
        out.push_back(options);
    }
    return out;
}

std::string describe(const update::DigestOptions& options, const Digest& digest) {
    return digest.hex() +
           (options.xattrs == image::XattrMode::AllowlistOnly ? " xattrs=allowlist-only"
                                                              : " xattrs=keep-user-xattrs") +
           (options.boot_mtime == image::BootMtime::Full ? " boot-mtime=full"
                                                         : " boot-mtime=seconds");
}

void check_argument(const uki::ComposefsArg& arg, const ComputeDigest& compute) {
    std::optional<Digest> first;
    std::string tried;
    for (const update::DigestOptions& options : candidates(arg)) {
        const Digest digest = compute(options);
        if (digest == arg.digest) return;
        if (!first) first = digest;
        tried += describe(options, digest) + "\n";
    }
    Error error(ErrorCode::DigestMismatch,
                "the command line names the image " + arg.digest.hex() + ", but SOURCE makes " +
                    first->hex(),
                "build the UKI for this image: 'cfsctl image digest --bootable' prints what it "
                "must name");
    throw error.set_details("candidates:\n" + tried);
}

}  // namespace

Digest check_names_image(const std::string& cmdline, const ComputeDigest& compute) {
    const std::vector<uki::ComposefsArg> args = uki::composefs_args(cmdline);
    if (args.empty()) {
        throw Error(ErrorCode::BadFormat,
                    "the command line '" + printable(cmdline) + "' names no composefs image",
                    "add the argument that 'cfsctl image seal' would: composefs.digest=...");
    }
    for (const uki::ComposefsArg& arg : args)
        check_argument(arg, compute);
    return args.front().digest;
}

}  // namespace cfs::client
