// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/image_json.hpp"

#include <iostream>

namespace cfs::client {

ExitCode run(const ImageInfo& options, const Global& global) {
    check_options({options.source}, options.image);
    OfflineJob job;
    const ImageSummary summary =
        summarize(load_image(options.source, options.image, job.context()));
    job.finish();
    std::cout << (global.json ? to_json(summary) + "\n" : summary_text(summary));
    return ExitCode::Done;
}

}  // namespace cfs::client
