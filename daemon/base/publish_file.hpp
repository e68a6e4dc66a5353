// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cfs {

/// Puts `text` under an absolute path for programs that read it any time: they see the old or the
/// new content, never a part. Mode 0644 whatever the umask is; a link that is there is replaced,
/// not followed. Beside it there is for a moment ".NAME.new", complete, too; one that a crash left
/// there goes with the next call.
/// \throws NotFound when the directory is missing: it is never made
void publish_file(const std::string& path, std::string_view text);

/// The file is there no more; nothing when it was not.
void withdraw_file(const std::string& path);

}  // namespace cfs
