// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "integration/client/child.hpp"
#include "net/image_source.hpp"
#include "support/temp_dir.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace cfs::test {

/// A docker-registry process on loopback, as the package has it, with a configuration of its own.
class DebianRegistry {
 public:
    /// \param root  the directory of its storage
    /// \param http  further lines below "http:", each indented by two blanks
    /// \param rest  further top-level lines
    DebianRegistry(const TempDir& dir,
                   const std::string& root,
                   const std::string& http = "",
                   const std::string& rest = "");

    [[nodiscard]] std::uint16_t port() const { return port_; }

    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

    /// Is the program installed?
    [[nodiscard]] static bool available();

 private:
    std::uint16_t port_;
    std::unique_ptr<Child> process_;
};

/// A storage that holds the image "team/os:v1", pushed into it by a plain registry.
class DebianRegistryFixture : public testing::Test {
 protected:
    DebianRegistryFixture();

    void SetUp() override;

    [[nodiscard]] std::unique_ptr<net::ImageSource> open(const std::string& host,
                                                         const std::string& tag = "v1") const;
    [[nodiscard]] net::Resolved resolve(const std::string& host) const;
    /// The big layer; its bytes are compared with the true ones.
    void expect_layer(net::ImageSource& source) const;

    TempDir dir_;
    std::string root_ = dir_ / "storage";
    TestImage image_;
    net::NetOptions options_;

    /// For the fallback of the referrers API: what belongs to the image.
    std::string signature_;

 private:
    void write_layout(const std::string& layout) const;
};

}  // namespace cfs::test
