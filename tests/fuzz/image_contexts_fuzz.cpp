// SPDX-License-Identifier: Apache-2.0
// An SELinux expression and a path. In a group of its own an expression means the same, but nothing
// can be learnt from its text: both must decide alike.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "image/file_contexts.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace cfs;
using namespace cfs::image;

enum class Answer { Failed, No, Yes };

Answer ask(const std::string& expression, std::string_view path) {
    try {
        FileContexts contexts;
        contexts.add(expression + " label\n", "policy");
        return contexts.lookup(path, '-') == nullptr ? Answer::No : Answer::Yes;
    } catch (const Error&) {
        return Answer::Failed;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    const auto end = text.find('\n');
    if (end == text.npos || text.find('\0') != text.npos) return 0;
    const std::string expression(text.substr(0, end));
    if (expression.starts_with('#')) return 0;
    const Answer direct = ask(expression, text.substr(end + 1));
    const Answer grouped = ask("(?:" + expression + ")", text.substr(end + 1));
    if (direct != grouped && direct != Answer::Failed && grouped != Answer::Failed) std::abort();
    return 0;
}
