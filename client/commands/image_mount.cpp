// SPDX-License-Identifier: Apache-2.0
#include "mount/image_mount.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/human.hpp"
#include "crypto/fsverity.hpp"
#include "image/erofs_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace cfs::client {
namespace {

/// The kernel wants a file that it can read pages of; a temporary directory may be in memory.
constexpr const char* kWorkDir = "/var/tmp";

/// An image that lies nowhere yet: written to a file without a name.
UniqueFd write_unnamed(const ImageMount& options, const LoadContext& context) {
    const UniqueFd file(::open(kWorkDir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file) throw_errno("making a file in '" + std::string(kWorkDir) + "'");
    FdSink sink(file.get());
    write_image(options.source, options.image, context, sink);
    UniqueFd out(
        ::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
    if (!out) throw_errno("opening the new image");
    return out;
}

UniqueFd open_image(const ImageMount& options, const LoadContext& context) {
    const SourceName name = parse_source(options.source);
    const bool file = name.kind == SourceKind::Image && name.rest != "-";
    if (!file || options.image.asks_for_format()) return write_unnamed(options, context);
    UniqueFd out(::open(name.rest.c_str(), O_RDONLY | O_CLOEXEC));
    if (!out) throw_errno("opening '" + name.rest + "'");
    return out;
}

void check_digest(int image, const std::string& wanted) {
    const std::optional<Digest> expected = Digest::from_hex(wanted);
    if (!expected) {
        throw Error(ErrorCode::InvalidArgs,
                    "--digest '" + printable(wanted, 140) + "' is no digest",
                    "give the 64 or 128 hex digits that 'cfsctl image digest' prints");
    }
    // What the kernel enforces is worth more than what a moment's reading finds.
    std::optional<Digest> found = measure_verity(image);
    if (!found || found->algorithm() != expected->algorithm())
        found = verity_digest_of_file(expected->algorithm(), image);
    if (*found == *expected) return;
    throw Error(ErrorCode::DigestMismatch,
                "the image has the digest " + found->hex() + ", expected " + expected->hex(),
                "it is another image, or it was changed");
}

/// Without its objects an image mounts, and every file of it fails when it is read.
void check_objects(int image, const ImageMount& options) {
    if (!options.objects.empty()) return;
    const Bytes erofs = read_whole(image, file_size(image));
    const std::size_t count = image::erofs_objects(erofs).size();
    if (count == 0) return;
    throw Error(ErrorCode::InvalidArgs,
                "the image's files are made of " + plural(count, "object") +
                    ", and --objects does not say where they are",
                "add --objects DIR: the DIR of --digest-store, or objects/ of a composefs store");
}

}  // namespace

ExitCode run(const ImageMount& options, const Global& /*global*/) {
    check_options({options.source}, options.image);
    OfflineJob job;
    ImageMount filled = options;
    if (filled.objects.empty() && !options.image.scan.digest_store.empty())
        filled.objects.push_back(options.image.scan.digest_store);
    const UniqueFd image = open_image(filled, job.context());
    if (!filled.digest.empty()) check_digest(image.get(), filled.digest);
    check_objects(image.get(), filled);
    job.finish();
    mount::MountPlan plan;
    plan.image = image.get();
    plan.name = options.source;
    plan.objects = filled.objects;
    plan.verity = filled.verity || !filled.digest.empty();
    plan.upper_dir = filled.upper_dir;
    plan.work_dir = filled.work_dir;
    plan.target = filled.target;
    plan.scratch = std::filesystem::temp_directory_path();
    mount::mount_image(plan);
    return ExitCode::Done;
}

}  // namespace cfs::client
