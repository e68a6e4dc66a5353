// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"
#include "settings/settings.hpp"

#include <memory>
#include <stop_token>
#include <string>

namespace cfs::update {

/// An image reference opened for reading; an `oci-archive:` is unpacked first, into a directory of
/// its own that goes with this object.
class OpenedSource {
 public:
    /// \param scratch directory for an unpacked archive; empty: the system's for temporary files
    /// \param keep where interrupted layers are kept; by default they are not
    OpenedSource(const std::string& reference,
                 const settings::Settings& settings,
                 const std::string& scratch,
                 const std::stop_token& stop,
                 const net::KeepOptions& keep = {});
    OpenedSource(const OpenedSource&) = delete;
    OpenedSource& operator=(const OpenedSource&) = delete;
    ~OpenedSource();

    [[nodiscard]] net::ImageSource& operator*() { return *source_; }

    [[nodiscard]] net::ImageSource* operator->() { return source_.get(); }

 private:
    void open_archive(const net::ImageRef& ref,
                      const std::string& scratch,
                      const std::stop_token& stop);

    std::string unpacked_;  ///< path to remove; empty if none
    std::unique_ptr<net::ImageSource> source_;
};

[[nodiscard]] net::NetOptions net_options(const settings::Settings& settings);

/// Where a job of the machine that the settings describe unpacks archives; swept at every start.
[[nodiscard]] std::string scratch_dir(const settings::Settings& settings);

/// Where it keeps interrupted layers.
[[nodiscard]] net::KeepOptions keep_options(const settings::Settings& settings);

}  // namespace cfs::update
