// SPDX-License-Identifier: Apache-2.0
// The first byte chooses: a WWW-Authenticate field, or a file of credentials. Nothing that was
// found may break a header line.
#include "base/error.hpp"
#include "net/auth_file.hpp"
#include "net/challenge.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

void require(bool fine) {
    if (!fine) std::abort();
}

bool one_line(const std::string& text) {
    return std::none_of(
        text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void read_challenges(std::string_view field) {
    for (const cfs::net::Challenge& one : cfs::net::parse_challenges(field)) {
        require(!one.scheme.empty() && one.parameters.size() <= 16);
    }
}

void read_credentials(cfs::ByteView document) {
    for (const char* name : {"team/os", "x"}) {
        try {
            const auto found =
                cfs::net::find_in_auth_file(document, "file", "registry.example", name);
            if (found) require(one_line(found->user) && one_line(found->password));
        } catch (const cfs::Error& e) {
            require(e.code() == cfs::ErrorCode::BadFormat ||
                    e.code() == cfs::ErrorCode::Unsupported);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const cfs::ByteView rest(data + 1, size - 1);
    if (data[0] == 'c') {
        read_challenges(cfs::as_text(rest));
    } else {
        read_credentials(rest);
    }
    return 0;
}
