// SPDX-License-Identifier: Apache-2.0
#include "client/output/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace cfs::client {
namespace {

const char* code(Color color) {
    switch (color) {
        case Color::Bold:
            return "\x1b[1m";
        case Color::Dim:
            return "\x1b[2m";
        case Color::Red:
            return "\x1b[31m";
        case Color::Green:
            return "\x1b[32m";
        case Color::Yellow:
            return "\x1b[33m";
    }
    return "";
}

}  // namespace

bool is_terminal(int fd) {
    return ::isatty(fd) == 1;
}

std::size_t terminal_width(int fd) {
    struct winsize size {};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

bool use_color(int fd, bool allowed) {
    if (!allowed || !is_terminal(fd)) return false;
    const char* no_color = std::getenv("NO_COLOR");
    if (no_color != nullptr && *no_color != '\0') return false;
    const char* term = std::getenv("TERM");
    return term != nullptr && std::string_view(term) != "dumb";
}

std::string paint(std::string_view text, Color color, bool enabled) {
    if (!enabled) return std::string(text);
    return std::string(code(color)) + std::string(text) + "\x1b[0m";
}

}  // namespace cfs::client
