// SPDX-License-Identifier: Apache-2.0
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/image/output_file.hpp"

namespace cfs::client {

ExitCode run(const ImageCreate& options, const Global& /*global*/) {
    check_options({options.source}, options.image);
    OfflineJob job;
    // Opened first: a place that cannot be written to is not found out after the work.
    OutputFile out(options.out);
    write_image(options.source, options.image, job.context(), out);
    out.commit();
    job.finish();
    return ExitCode::Done;
}

}  // namespace cfs::client
