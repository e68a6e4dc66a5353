// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crash/process.hpp"
#include "integration/update/site.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cfs::test {

/// How the driver and the tests look at the machine in `dir`.
[[nodiscard]] settings::Settings machine_settings(const std::string& dir);

/// Copies a directory with everything that belongs to its files.
void copy_machine(const std::string& from, const std::string& to);

/// A machine that verbs in processes of their own are done to, while the test looks on.
class CrashSite {
 public:
    /// \param prepared path of a machine made by cfs_prepare_machines
    explicit CrashSite(const std::string& prepared);

    /// What is installed now may not be harmed from here on: entry, image, /etc. \param versions
    /// only these; empty: all
    void guard(const std::vector<std::string>& versions = {});

    /// "cfs_drive VERB DIR [TAG]".
    [[nodiscard]] std::vector<std::string> command(const std::string& driver,
                                                   const std::string& verb,
                                                   const std::string& tag = {}) const;

    /// What is wrong with the guarded deployments, before or after a reconcile; empty if nothing.
    [[nodiscard]] std::string harm() const;

    /// What a reconciled machine may not show: harm(), damage in the store, entries that cannot
    /// boot, leftovers of a crash. Empty if all is well.
    [[nodiscard]] std::string unsound();

    /// Every path of the machine, with the size of files of the store and numbers that are given
    /// once taken out: equal for two machines that went through the same.
    [[nodiscard]] std::string inventory() const;

    Site site;

 private:
    struct Guarded {
        std::string stem, uki, image, etc;
    };

    std::vector<Guarded> guarded_;
};

}  // namespace cfs::test
