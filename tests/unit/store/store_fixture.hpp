// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "store/repository.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

namespace cfs::test {

/// A new repository in a directory of its own. No fs-verity on the hosts that run the tests: so it
/// is an insecure one, unless a FakeVerity lives.
class NewStore {
 public:
    explicit NewStore(HashAlgorithm algorithm = HashAlgorithm::Sha256,
                      store::VerityPolicy policy = store::VerityPolicy::Try) {
        store::Repository::init(dir_.fd(), algorithm, policy);
        repository_ = store::Repository::open(dir_.path(), policy);
    }

    store::Repository* operator->() const { return repository_.get(); }

    store::Repository& operator*() const { return *repository_; }

    [[nodiscard]] const TempDir& dir() const { return dir_; }

    [[nodiscard]] Digest put(std::string_view content) const {
        return repository_->put_object(as_bytes(content));
    }

    /// Overwrites the first byte of an object in place.
    void damage(const Digest& digest) const {
        const UniqueFd fd(::open((dir_ / ("objects/" + store::object_path(digest))).c_str(),
                                 O_WRONLY | O_CLOEXEC));
        ASSERT_EQ(::pwrite(fd.get(), "\xff", 1, 0), 1);
    }

 private:
    TempDir dir_;
    std::unique_ptr<store::Repository> repository_;
};

/// The Error that `f` throws; nullopt if none.
template <typename F>
std::optional<Error> error_of(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e;
    }
    return std::nullopt;
}

#define EXPECT_ERROR(statement, expected_code, text)                                 \
    do {                                                                             \
        const auto expected_error = cfs::test::error_of([&] { (void)(statement); }); \
        ASSERT_TRUE(expected_error) << #statement << " did not throw";               \
        EXPECT_EQ(to_string(expected_error->code()), to_string(expected_code))       \
            << expected_error->what();                                               \
        EXPECT_NE(std::string(expected_error->what()).find(text), std::string::npos) \
            << expected_error->what();                                               \
    } while (false)

}  // namespace cfs::test
