// SPDX-License-Identifier: Apache-2.0
// libstdc++ ends a program after an exception that nobody caught with its name, for which it links
// a demangler: a quarter of this program. main() catches all; what is left is a bug, and abort()
// says so.
#include <cstdlib>

namespace __gnu_cxx {

void __verbose_terminate_handler() {
    std::abort();
}

}  // namespace __gnu_cxx
