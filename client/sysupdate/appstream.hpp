// SPDX-License-Identifier: Apache-2.0
/// \file What software centers show of the system: AppStream metadata, as a file.
///
/// Format: AppStream 1.0, "Metainfo" style, one component of the type operating-system with a
/// bundle of the kind sysupdate and a release for each version; freedesktop.org's specification.
/// Names, versions and addresses come from images and may be anything: what XML 1.0 has no
/// characters for is replaced, the rest is escaped.
#pragma once

#include "client/sysupdate/versions.hpp"

#include <map>
#include <string>

namespace cfs::sysupdate {

/// The file os-release(5): names and values, without quotes. Lines that are none are left out.
using OsRelease = std::map<std::string, std::string>;
[[nodiscard]] OsRelease read_os_release(const std::string& text);

/// The whole file.
[[nodiscard]] std::string metadata(const Known& known,
                                   const std::string& title,
                                   const OsRelease& system);

/// "file:///run/..." of an absolute path.
[[nodiscard]] std::string file_url(const std::string& path);

/// Writes the metadata where everybody can read it, when it changed. The files are made again
/// whenever they are missing: nothing here has to survive a crash. Main thread only.
class MetadataFile {
 public:
    /// \param directory ours; is made where it is missing
    MetadataFile(std::string directory, OsRelease system);

    /// \param status nullptr: nothing is known of the daemon \throws Error
    void show(const client::Status* status);

    [[nodiscard]] std::string url() const;

 private:
    std::string directory_;
    OsRelease system_;
    std::string written_;
};

}  // namespace cfs::sysupdate
