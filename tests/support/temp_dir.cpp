// SPDX-License-Identifier: Apache-2.0
#include "support/temp_dir.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <vector>

namespace cfs::test {
namespace {

std::string base_dir() {
    for (const char* name : {"CFS_TEST_TMP", "TMPDIR"}) {
        if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
    }
    return "/tmp";
}

std::string describe(const std::filesystem::path& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0) return "gone";
    std::ostringstream out;
    out << std::oct << st.st_mode << std::dec << ' ' << st.st_uid << ':' << st.st_gid;
    if (S_ISLNK(st.st_mode)) out << " -> " << std::filesystem::read_symlink(path).native();
    if (S_ISREG(st.st_mode)) {
        std::ifstream in(path, std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(in), {}};
        out << ' ' << content.size() << ' ' << std::hash<std::string>{}(content);
    }
    return out.str();
}

}  // namespace

TempDir::TempDir() : path_(base_dir() + "/cfs-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw_errno("making a temporary directory");
    fd_ = open_root(path_);
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
}

void TempDir::write(const std::string& name, std::string_view content, unsigned mode) const {
    const auto [parent, last] = split_parent(name);
    if (parent != ".") make_dirs_at(fd(), parent, 0755);
    const UniqueFd out = open_at(fd(), name, O_WRONLY | O_CREAT | O_TRUNC, mode);
    write_all(out.get(), as_bytes(content));
    if (::fchmod(out.get(), mode) != 0) throw_errno("setting a mode");
}

std::string TempDir::read(const std::string& name) const {
    return std::string(as_text(read_file_at(fd(), name, std::size_t{1} << 30)));
}

std::string tree_listing(const std::string& path) {
    std::vector<std::string> lines;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        lines.push_back(entry.path().lexically_relative(path).native() + " " +
                        describe(entry.path()));
    }
    std::sort(lines.begin(), lines.end());
    std::ostringstream out;
    std::copy(lines.begin(), lines.end(), std::ostream_iterator<std::string>(out, "\n"));
    return out.str();
}

}  // namespace cfs::test
