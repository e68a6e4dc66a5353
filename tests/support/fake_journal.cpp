// SPDX-License-Identifier: Apache-2.0
#include "support/fake_journal.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace cfs::test {
namespace {

constexpr const char* kSocket = "/run/systemd/journal/socket";

/// An empty /run of our own.
bool hide_run() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", "/run", "tmpfs", 0, nullptr) == 0;
}

UniqueFd listen() {
    std::filesystem::create_directories("/run/systemd/journal");
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, kSocket);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fd.reset();
    return fd;
}

/// JOURNAL_EXPORT_FORMATS: "NAME=value\n", or "NAME\n", 64 bits of length, value, "\n".
FakeJournal::Entry parse(const std::string& text) {
    FakeJournal::Entry entry;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        const std::size_t equals = line.find('=');
        at = end + 1;
        if (equals != std::string::npos) {
            entry[line.substr(0, equals)] = line.substr(equals + 1);
            continue;
        }
        std::uint64_t size = 0;
        std::memcpy(&size, text.data() + at, sizeof size);
        entry[line] = text.substr(at + sizeof size, size);
        at += sizeof size + size + 1;
    }
    return entry;
}

}  // namespace

FakeJournal::FakeJournal() {
    struct stat st {};
    if (::fstat(STDERR_FILENO, &st) != 0 || !hide_run()) return;
    socket_ = listen();
    const std::string stream = std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino);
    ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
}

FakeJournal::~FakeJournal() {
    ::unsetenv("JOURNAL_STREAM");
}

std::vector<FakeJournal::Entry> FakeJournal::take() {
    std::vector<Entry> out;
    std::string buffer(std::size_t{1} << 18, '\0');
    for (;;) {
        const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (n <= 0) return out;
        out.push_back(parse(buffer.substr(0, static_cast<std::size_t>(n))));
    }
}

std::vector<FakeJournal::Entry> FakeJournal::take(const std::string& id) {
    std::vector<Entry> out;
    for (Entry& entry : take()) {
        if (entry["MESSAGE_ID"] == id) out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace cfs::test
