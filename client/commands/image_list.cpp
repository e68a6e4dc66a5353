// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/image_json.hpp"

#include <iostream>

namespace cfs::client {
namespace {

ListEntry entry_of(std::string path, const image::Node& node) {
    return {std::move(path),
            &node.meta(),
            node.type(),
            node.is_directory() ? nullptr : node.leaf().get()};
}

/// `wanted` without the slashes around it.
std::string trimmed(std::string_view wanted) {
    while (wanted.starts_with('/'))
        wanted.remove_prefix(1);
    while (wanted.ends_with('/'))
        wanted.remove_suffix(1);
    return std::string(wanted);
}

std::vector<ListEntry> entries_of(const image::FileTree& tree, const std::string& wanted) {
    const std::string top = "/" + trimmed(wanted);
    std::vector<ListEntry> out;
    if (top == "/") {
        out.push_back({"/", &tree.root().meta, image::FileType::Directory, nullptr});
    } else if (tree.lookup(top) == nullptr) {
        throw Error(ErrorCode::NotFound,
                    "the image has no '" + printable(top, image::kMaxPath) + "'",
                    "symbolic links are not followed: list the directory that holds it");
    }
    const std::string below = top == "/" ? top : top + "/";
    tree.walk([&](const std::string& path, const image::Node& node) {
        if (path == top || path.starts_with(below)) out.push_back(entry_of(path, node));
    });
    return out;
}

}  // namespace

ExitCode run(const ImageList& options, const Global& global) {
    check_options({options.source}, options.image);
    OfflineJob job;
    const LoadedImage loaded = load_image(options.source, options.image, job.context());
    job.finish();
    const std::vector<ListEntry> entries = entries_of(loaded.tree, options.path);
    std::cout << (global.json ? to_json(entries) + "\n" : list_text(entries, options.digests));
    return ExitCode::Done;
}

}  // namespace cfs::client
