// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cfs::test {

/// A private bus, and on it a daemon with a scripted engine once start_daemon() was called.
class BusSite {
 public:
    /// \param policy rules for the bus's default context, e.g. a <deny .../>
    explicit BusSite(const std::string& policy = {});

    /// Returns when clients can call it.
    void start_daemon(const std::string& image = "oci:/configured:tag");

    /// The client on this bus.
    [[nodiscard]] std::vector<std::string> cfsctl(const std::vector<std::string>& args) const;

    [[nodiscard]] const std::string& address() const { return address_; }

    [[nodiscard]] Child& daemon() { return *daemon_; }

    /// A FIFO in this site's directory, made by the first call.
    [[nodiscard]] std::string fifo();
    /// Whoever reads a line from it gets one.
    void feed_fifo();

    [[nodiscard]] Ended call(const std::vector<std::string>& args) const {
        return run(cfsctl(args));
    }

 private:
    TempDir dir_;
    std::unique_ptr<Child> bus_;
    std::unique_ptr<Child> daemon_;
    std::string address_;
};

}  // namespace cfs::test
