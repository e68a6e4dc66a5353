// SPDX-License-Identifier: Apache-2.0
/// \file A SOURCE of the command line, as a tree and as an image.
#pragma once

#include "base/bytes.hpp"
#include "client/image_options.hpp"
#include "image/erofs_writer.hpp"
#include "image/tree.hpp"
#include "update/engine.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::client {

enum class SourceKind {
    Oci,    ///< oci:, oci-archive:, docker:
    Dir,    ///< dir:DIR
    Dump,   ///< dump:FILE, dump:-
    Image,  ///< image:FILE, image:-
};

struct SourceName {
    SourceKind kind = SourceKind::Oci;
    std::string rest;  ///< behind the colon; of Oci the whole reference
};

/// InvalidArgs for an unknown kind, with what to write instead.
[[nodiscard]] SourceName parse_source(const std::string& text);

/// InvalidArgs when an option that changes the image has no effect on any of the sources.
void check_options(const std::vector<std::string>& sources, const ImageOptions& options);

/// What a verb does for its sources, and who hears of it.
struct LoadContext {
    update::ProgressSink& progress;
    std::stop_token stop;
};

struct LoadedImage {
    image::FileTree tree;
    image::ErofsOptions options;  ///< to write it by
    Bytes erofs;                  ///< of image: the file's content
    bool as_it_is = false;        ///< nothing asks for another format: `erofs` is the image
};

/// The tree after the transforms.
[[nodiscard]] LoadedImage load_image(const std::string& source,
                                     const ImageOptions& options,
                                     const LoadContext& context);

/// Writes the image that `source` makes; what is image: and shall stay as it is, is copied.
image::ErofsImage write_image(const std::string& source,
                              const ImageOptions& options,
                              const LoadContext& context,
                              Sink& sink);
[[nodiscard]] image::ErofsImage write_image(const LoadedImage& loaded, Sink& sink);

/// The algorithm that the objects of an image: are named by; nullopt for other sources, and when
/// there are none.
[[nodiscard]] std::optional<HashAlgorithm> told_algorithm(const std::string& source);

/// Takes everything and keeps nothing.
class NullSink final : public Sink {
 public:
    void write(ByteView /*data*/) override {}
};

}  // namespace cfs::client
