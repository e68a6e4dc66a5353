// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "boot/uki_esp.hpp"
#include "crypto/hasher.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>

#include <memory>
#include <optional>
#include <string>

namespace cfs::boot::test {

using cfs::test::TempDir;
using cfs::test::tree_listing;

/// What stands for a UKI here: "UKI <version>\n" and filling.
inline std::string uki_text(const std::string& version, std::size_t filling = 0) {
    return "UKI " + version + "\n" + std::string(filling, 'x');
}

inline std::optional<UkiDescription> describe_uki(int fd) {
    Bytes head(64);
    head.resize(read_some(fd, head));
    const std::string_view text = as_text(head);
    if (text.starts_with("ERROR")) throw Error(ErrorCode::BadFormat, "no PE header");
    if (!text.starts_with("UKI ")) return std::nullopt;
    return UkiDescription{"os", std::string(text.substr(4, text.find('\n') - 4)), "", "OS"};
}

/// A file outside the ESP, as the daemon has one when it begins to stage.
inline UniqueFd source_of(const std::string& content) {
    UniqueFd fd(::memfd_create("uki", MFD_CLOEXEC));
    write_all(fd.get(), as_bytes(content));
    return fd;
}

inline Digest sha256_of(const std::string& content) {
    return hash(HashAlgorithm::Sha256, as_bytes(content));
}

inline StagedUki stage(BootBackend& esp, const std::string& content, const EntryName& name) {
    return esp.stage(source_of(content).get(), sha256_of(content), name);
}

inline std::unique_ptr<UkiEsp> open_esp(const std::string& path) {
    return UkiEsp::open_path(path, describe_uki);
}

/// The code of the Error that `f` throws; fails the test if it throws none.
template <typename F>
ErrorCode code_of(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        EXPECT_FALSE(std::string(e.what()).empty());
        return e.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::Internal;
}

inline const EntryName kName{"os_2-000002-00000002", Counter{2, 0}};
inline constexpr const char* kFile = "os_2-000002-00000002+2-0.efi";
inline constexpr const char* kStagedFile = "os_2-000002-00000002.cfs-staged";
inline constexpr const char* kOldFile = "os_1-000001-00000001.efi";

/// A temporary directory as ESP with one proven entry.
class EspTest : public ::testing::Test {
 protected:
    EspTest() { dir_.write(linux_path(kOldFile), uki_text("1")); }

    static std::string linux_path(const std::string& file) { return "EFI/Linux/" + file; }

    [[nodiscard]] std::vector<std::string> names() const {
        return list_dir(open_dir_at(dir_.fd(), "EFI/Linux").get());
    }

    TempDir dir_;
    std::unique_ptr<UkiEsp> esp_ = open_esp(dir_.path());
};

}  // namespace cfs::boot::test
