// SPDX-License-Identifier: Apache-2.0
#include "etc/xattrs.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <linux/limits.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace cfs::etc {
namespace {

/// First byte of a `security.evm` value that is a signature made elsewhere (linux/integrity.h).
constexpr char kEvmPortableSignature = 5;

std::string proc_path(int dir, const std::string& name) {
    return "/proc/self/fd/" + std::to_string(dir) + "/" + name;
}

/// What is the same in f*xattr and l*xattr, so that both need one code.
struct OpenEntry {
    int fd;

    ssize_t list(char* buffer, std::size_t size) const { return ::flistxattr(fd, buffer, size); }

    ssize_t get(const char* name, char* buffer, std::size_t size) const {
        return ::fgetxattr(fd, name, buffer, size);
    }

    int set(const char* name, const std::string& value) const {
        return ::fsetxattr(fd, name, value.data(), value.size(), 0);
    }
};

struct NamedEntry {
    std::string path;

    ssize_t list(char* buffer, std::size_t size) const {
        return ::llistxattr(path.c_str(), buffer, size);
    }

    ssize_t get(const char* name, char* buffer, std::size_t size) const {
        return ::lgetxattr(path.c_str(), name, buffer, size);
    }

    int set(const char* name, const std::string& value) const {
        return ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
    }
};

/// No list of names and no value is ever longer than this, so one call reads any of them whole.
class KernelSizedBuffer {
 public:
    static constexpr std::size_t kSize = std::max(XATTR_LIST_MAX, XATTR_SIZE_MAX);

    KernelSizedBuffer() : bytes_(new char[kSize]) {}

    [[nodiscard]] char* data() { return bytes_.get(); }

 private:
    std::unique_ptr<char[]> bytes_;
};

KernelSizedBuffer& shared_buffer() {
    thread_local KernelSizedBuffer buffer;
    return buffer;
}

bool is_absent(int err) {
    return err == ENODATA;
}

template <typename Entry>
std::string list_names(const Entry& entry) {
    KernelSizedBuffer& buffer = shared_buffer();
    const ssize_t size = entry.list(buffer.data(), KernelSizedBuffer::kSize);
    if (size >= 0) return {buffer.data(), static_cast<std::size_t>(size)};
    if (errno == EOPNOTSUPP) return {};
    throw_errno("listing extended attributes");
}

bool belongs_to_the_file_system(std::string_view name) {
    return name.starts_with("trusted.overlay.");
}

bool is_kernel_seal(std::string_view name, std::string_view value) {
    return name == "security.evm" && (value.empty() || value.front() != kEvmPortableSignature);
}

template <typename Entry>
void read_one(const Entry& entry, const char* name, Xattrs& out) {
    KernelSizedBuffer& buffer = shared_buffer();
    const ssize_t size = entry.get(name, buffer.data(), KernelSizedBuffer::kSize);
    // Gone since it was listed.
    if (size < 0 && is_absent(errno)) return;
    if (size < 0) throw_errno("reading the extended attribute '" + printable(name) + "'");
    std::string value(buffer.data(), static_cast<std::size_t>(size));
    if (!is_kernel_seal(name, value)) out.emplace(name, std::move(value));
}

template <typename Entry>
Xattrs read_all(const Entry& entry) {
    Xattrs out;
    const std::string names = list_names(entry);
    for (std::size_t at = 0; at < names.size();) {
        const char* name = names.c_str() + at;
        at += std::string_view(name).size() + 1;
        if (!belongs_to_the_file_system(name)) read_one(entry, name, out);
    }
    return out;
}

template <typename Entry>
void write_all_to(const Entry& entry, const Xattrs& xattrs) {
    for (const auto& [name, value] : xattrs) {
        if (entry.set(name.c_str(), value) == 0) continue;
        if (errno == EOPNOTSUPP && name == kSelinuxLabel) continue;
        throw_errno("setting the extended attribute '" + printable(name) + "' (" +
                    std::to_string(value.size()) + " bytes)");
    }
}

}  // namespace

Xattrs read_xattrs(int fd) {
    return read_all(OpenEntry{fd});
}

Xattrs read_xattrs_at(int dir, const std::string& name) {
    return read_all(NamedEntry{proc_path(dir, name)});
}

void write_xattrs(int fd, const Xattrs& xattrs) {
    write_all_to(OpenEntry{fd}, xattrs);
}

void write_xattrs_at(int dir, const std::string& name, const Xattrs& xattrs) {
    if (!xattrs.empty()) write_all_to(NamedEntry{proc_path(dir, name)}, xattrs);
}

void remove_other_xattrs(int fd, const Xattrs& wanted) {
    for (const auto& [name, value] : read_xattrs(fd)) {
        if (name == kSelinuxLabel || wanted.contains(name)) continue;
        if (::fremovexattr(fd, name.c_str()) != 0 && !is_absent(errno)) {
            throw_errno("removing the extended attribute '" + printable(name) + "'");
        }
    }
}

}  // namespace cfs::etc
