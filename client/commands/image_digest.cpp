// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/json.hpp"

#include <iostream>

namespace cfs::client {

ExitCode run(const ImageDigest& options, const Global& global) {
    check_options({options.source}, options.image);
    OfflineJob job;
    NullSink sink;
    const Digest digest = write_image(options.source, options.image, job.context(), sink).digest;
    job.finish();
    std::cout << (global.json ? text_json({{"digest", digest.hex()}}) : digest.hex()) << '\n';
    return ExitCode::Done;
}

}  // namespace cfs::client
