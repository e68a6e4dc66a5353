// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/image/load.hpp"
#include "client/output/image_json.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <iostream>

namespace cfs::client {
namespace {

bool is_there(int dir, const std::string& path) {
    struct stat found {};
    if (::fstatat(dir, path.c_str(), &found, 0) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw_errno("looking for the object '" + escaped(path) + "'");
}

void keep_missing(std::map<std::string, ObjectInfo>& objects, const std::string& path) {
    const UniqueFd dir = open_root(path);
    std::erase_if(objects, [&](const auto& object) { return is_there(dir.get(), object.first); });
}

}  // namespace

ExitCode run(const ImageObjects& options, const Global& global) {
    check_options({options.source}, options.image);
    OfflineJob job;
    const LoadedImage loaded = load_image(options.source, options.image, job.context());
    job.finish();
    std::map<std::string, ObjectInfo> objects = list_objects(loaded.tree);
    if (!options.missing_from.empty()) keep_missing(objects, options.missing_from);
    if (global.json) {
        std::cout << objects_json(objects) << '\n';
        return ExitCode::Done;
    }
    for (const auto& [path, object] : objects)
        std::cout << escaped(path) << '\n';
    return ExitCode::Done;
}

}  // namespace cfs::client
