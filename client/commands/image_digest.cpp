// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/output/json.hpp"

#include <iostream>

namespace cfs::client {

ExitCode run(const ImageDigest& options, const Global& global) {
    OfflineJob job;
    const Digest digest = update::image_digest(options.source,
                                               options.digest,
                                               offline_settings(options.reach),
                                               job.progress(),
                                               job.stop());
    job.finish();
    std::cout << (global.json ? text_json({{"digest", digest.hex()}}) : digest.hex()) << '\n';
    return ExitCode::Done;
}

}  // namespace cfs::client
