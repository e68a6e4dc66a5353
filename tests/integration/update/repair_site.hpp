// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "site.hpp"
#include "store/repository.hpp"
#include "support/test_registry.hpp"
#include "update/record.hpp"

#include <map>
#include <memory>
#include <string>

namespace cfs::test {

/// A machine whose deployments came from a registry that counts bytes, and ways to damage its
/// store.
class RepairSite {
 public:
    /// \param tag installed and booted
    explicit RepairSite(const std::string& tag = "v1");

    /// Updates to `tag`, boots it and lets it pass its health checks.
    void update(const std::string& tag);

    [[nodiscard]] update::VerifyResult verify(bool full = false, const std::string& name = {});
    [[nodiscard]] update::RepairResult repair(const std::string& name = {});

    [[nodiscard]] std::unique_ptr<store::Repository> store() const;

    /// Of a file in the newest deployment's image.
    [[nodiscard]] Digest object_of(const std::string& path) const;
    /// Of streams/<name>.
    [[nodiscard]] Digest object_of_stream(const std::string& name) const;
    [[nodiscard]] update::DeploymentRecord newest() const;

    /// Path of an object below the test's directory.
    [[nodiscard]] static std::string path_of(const Digest& object);
    /// Other bytes of the same length, written into the same file.
    void garble(const Digest& object);
    void cut(const Digest& object);
    void lose(const Digest& object);

    /// Every file and link of the store with what it holds: inode numbers and bytes of objects,
    /// targets of links.
    [[nodiscard]] std::map<std::string, std::string> everything() const;

    /// Size of the blob of the newest image's layer `index` (0 the base, 1 the app, 2 the UKI).
    [[nodiscard]] static std::uint64_t blob_size(const std::string& tag, std::size_t index);
    [[nodiscard]] static std::string blob_digest(const std::string& tag, std::size_t index);
    [[nodiscard]] static std::string layer_stream(const std::string& tag, std::size_t index);

    /// Takes the registry away.
    void unplug() { registry_.reset(); }

    TestRegistry& registry() { return *registry_; }

    Site site;

 private:
    std::unique_ptr<TestRegistry> registry_;
};

}  // namespace cfs::test
