// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/image_json.hpp"

#include <iostream>

namespace cfs::client {
namespace {

/// Without --hash both sides are hashed as the objects of an image: on one of them are; else
/// everything would differ.
ImageOptions with_common_hash(const ImageDiff& options) {
    ImageOptions out = options.image;
    if (!out.hash) out.hash = told_algorithm(options.one);
    if (!out.hash) out.hash = told_algorithm(options.other);
    return out;
}

}  // namespace

ExitCode run(const ImageDiff& options, const Global& global) {
    check_options({options.one, options.other}, options.image);
    OfflineJob job;
    const ImageOptions image = with_common_hash(options);
    const LoadedImage one = load_image(options.one, image, job.context());
    const LoadedImage other = load_image(options.other, image, job.context());
    job.finish();
    const std::vector<PathChange> changes = compare_trees(one.tree, other.tree, options.all);
    std::cout << (global.json ? to_json(changes) + "\n" : changes_text(changes));
    return options.exit_code && !changes.empty() ? ExitCode::Error : ExitCode::Done;
}

}  // namespace cfs::client
