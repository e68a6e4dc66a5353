// SPDX-License-Identifier: Apache-2.0
#include "client/commands/offline.hpp"

#include "client/output/terminal.hpp"

#include <unistd.h>

namespace cfs::client {

OfflineJob::OfflineJob()
    : interrupts_([source = source_]() mutable { source.request_stop(); }),
      view_(STDERR_FILENO, is_terminal(STDERR_FILENO)) {}

settings::Settings offline_settings(const SourceOptions& reach) {
    settings::Settings out;
    out.net.ca_file = reach.ca_file;
    out.net.insecure_registries = reach.insecure_registries;
    return out;
}

}  // namespace cfs::client
