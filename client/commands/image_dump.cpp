// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "image/dump.hpp"

#include <unistd.h>

namespace cfs::client {

ExitCode run(const ImageDump& options, const Global& /*global*/) {
    check_options({options.source}, options.image);
    OfflineJob job;
    const LoadedImage loaded = load_image(options.source, options.image, job.context());
    job.finish();
    FdSink out(STDOUT_FILENO);
    image::write_dump(loaded.tree, out);
    return ExitCode::Done;
}

}  // namespace cfs::client
