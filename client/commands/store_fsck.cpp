// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "image/erofs_reader.hpp"
#include "store/fsck.hpp"

#include <iostream>

namespace cfs::client {

ExitCode run(const StoreFsck& options, const Global& global) {
    OfflineJob job;
    // Try: a store that lacks fs-verity is reported, not refused.
    const auto repository = store::Repository::open(options.store, store::VerityPolicy::Try);
    const auto lock = repository->lock_shared(settings::StoreSettings{}.lock_timeout, job.stop());
    const store::FsckReport report =
        store::fsck(*repository, image::erofs_objects, options.metadata_only, job.stop());
    std::cout << (global.json ? to_json(report) + "\n" : fsck_text(report));
    return report.clean ? ExitCode::Done : ExitCode::Error;
}

}  // namespace cfs::client
