// SPDX-License-Identifier: Apache-2.0
#include "update/events.hpp"

namespace cfs::update {

log::Fields fields_of(const DeploymentRecord& record, std::string_view reason) {
    return {{"CFSUPDATED_VERSION", printable(record.version)},
            {"CFSUPDATED_DIGEST", record.image.hex()},
            {"CFSUPDATED_REASON", std::string(reason)}};
}

log::Fields fields_of(const Error& error, std::string_view version, std::string_view digest) {
    return {{"CFSUPDATED_VERSION", printable(version)},
            {"CFSUPDATED_DIGEST", std::string(digest)},
            {"CFSUPDATED_ERROR", std::string(to_string(error.code()))},
            {"CFSUPDATED_REASON", error.what()}};
}

void tell_staged(const DeploymentRecord& record) {
    log::event(kEventStaged,
               log::Level::Info,
               "version " + printable(record.version) + " is staged" +
                   (record.locked ? ", and waits for 'cfsctl finalize'" : ""),
               fields_of(record));
}

void tell_reboot_pending(const DeploymentRecord& record) {
    log::event(kEventRebootPending,
               log::Level::Info,
               "version " + printable(record.version) + " runs after the next start",
               fields_of(record));
}

}  // namespace cfs::update
