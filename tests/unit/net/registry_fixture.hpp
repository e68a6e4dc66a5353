// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/image_source.hpp"
#include "support/expect_error.hpp"
#include "support/test_registry.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace cfs::test {

/// A registry with one image "team/os:v1" and a client that does not wait between attempts.
class RegistryFixture : public testing::Test {
 protected:
    RegistryFixture() { options_.retry_base = std::chrono::milliseconds(1); }

    void publish() {
        registry_.add_blob(image_.config());
        for (const std::string& layer : image_.layers)
            registry_.add_blob(layer);
        registry_.add_manifest("team/os", "v1", image_.manifest(), std::string(net::kOciManifest));
    }

    [[nodiscard]] std::unique_ptr<net::ImageSource> open(const std::string& tag = "v1") const {
        return net::open_source(net::parse_image_ref(registry_.reference("team/os", tag)),
                                options_);
    }

    [[nodiscard]] net::Resolved resolve(const std::string& tag = "v1") const {
        return open(tag)->resolve(kAmd64, {});
    }

    /// A blob of varied bytes, published.
    std::string big_blob(std::size_t size) {
        std::string out(size, '\0');
        std::uint32_t state = 1;
        for (char& c : out) {
            state = state * 1664525U + 1013904223U;
            c = static_cast<char>(state >> 24);
        }
        registry_.add_blob(out);
        return out;
    }

    std::string fetch(const std::string& content) {
        MemorySink sink(content.size());
        source_ = open();
        source_->fetch_blob(descriptor_of(content), sink, {});
        return std::string(as_text(sink.bytes()));
    }

    /// Fetches each blob on a thread of its own, all from one source.
    void fetch_together(const std::vector<std::string>& contents) {
        source_ = open();
        std::vector<std::thread> threads;
        for (const std::string& content : contents) {
            threads.emplace_back([&] {
                MemorySink sink(content.size());
                source_->fetch_blob(descriptor_of(content), sink, {});
                EXPECT_EQ(as_text(sink.bytes()), content);
            });
        }
        for (auto& thread : threads)
            thread.join();
    }

    TestImage image_;
    TestRegistry registry_;
    net::NetOptions options_;
    std::unique_ptr<net::ImageSource> source_;
};

}  // namespace cfs::test
