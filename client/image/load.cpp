// SPDX-License-Identifier: Apache-2.0
#include "client/image/load.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "client/commands/offline.hpp"
#include "client/image/dir_scan.hpp"
#include "client/seal/input_file.hpp"
#include "crypto/fsverity.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_reader.hpp"
#include "update/offline.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace cfs::client {
namespace {

constexpr std::uint64_t kMaxImage = std::uint64_t{1} << 32;

/// What somebody meant who left the kind out.
std::string kind_hint(const std::string& text) {
    struct stat found {};
    if (::stat(text.c_str(), &found) == 0) {
        if (S_ISDIR(found.st_mode)) return "for a directory tree write dir:" + text;
        return "for a composefs image write image:" + text + ", for a dump dump:" + text;
    }
    return "known are oci:DIR[:TAG], oci-archive:FILE[:TAG], docker://HOST/NAME[:TAG], dir:DIR, "
           "dump:FILE and image:FILE";
}

void explain(Error& error, const std::string& hint) {
    if (error.hint().empty()) error.set_hint(hint);
}

image::DumpDialect dump_dialect(const ImageOptions& options) {
    if (options.dialect == image::ImageDialect::Rust) return image::DumpDialect::Rust;
    return options.strict ? image::DumpDialect::CStrict : image::DumpDialect::C;
}

Bytes read_image_file(const std::string& path) {
    if (path != "-") return read_input(path, kMaxImage);
    MemorySink all(kMaxImage);
    FdSource in(STDIN_FILENO);
    copy_stream(in, all);
    return all.take();
}

/// The file, after a look at its header.
Bytes read_composefs(const std::string& path) {
    Bytes out = read_image_file(path);
    try {
        static_cast<void>(image::erofs_version(out));
    } catch (Error& error) {
        error.add_context("'" + path + "' is no composefs image");
        error.set_hint(
            "image: takes the EROFS file that 'cfsctl image create' or mkcomposefs wrote; a "
            "dump is dump:FILE, an archive oci-archive:FILE");
        throw;
    }
    return out;
}

std::optional<HashAlgorithm> algorithm_of(ByteView erofs) {
    const std::vector<Digest> objects = image::erofs_objects(erofs);
    if (objects.empty()) return std::nullopt;
    return objects.front().algorithm();
}

class Loader {
 public:
    Loader(SourceName name, const ImageOptions& options, const LoadContext& context)
        : name_(std::move(name)), options_(options), context_(context) {}

    LoadedImage run() {
        const HashAlgorithm hash = options_.hash.value_or(default_hash(options_.dialect));
        out_.options = erofs_options(options_, hash);
        switch (name_.kind) {
            case SourceKind::Oci:
                load_oci();
                break;
            case SourceKind::Dir:
                load_dir();
                break;
            case SourceKind::Dump:
                load_dump();
                break;
            case SourceKind::Image:
                load_erofs();
                break;
        }
        return std::move(out_);
    }

 private:
    void load_oci() {
        update::DigestOptions rules;
        rules.hash = out_.options.algorithm;
        rules.bootable = options_.bootable;
        rules.boot_mtime = options_.boot_mtime.value_or(rules.boot_mtime);
        rules.xattrs = options_.xattrs.value_or(rules.xattrs);
        out_.tree = update::image_tree(
            name_.rest, rules, offline_settings(options_.reach), context_.progress, context_.stop);
    }

    void load_dir() {
        context_.progress.stage("scan");
        const bool rust = options_.dialect == image::ImageDialect::Rust;
        ScannedTree scanned = scan_directory(name_.rest,
                                             options_.scan,
                                             out_.options.algorithm,
                                             rust || options_.scan.hardlinks,
                                             context_.stop);
        out_.tree = std::move(scanned.tree);
        const bool is_root = out_.tree.lookup_directory("usr") != nullptr;
        const bool rules = options_.scan.propagate_usr && (options_.bootable || (rust && is_root));
        if (rules) {
            image::oci_transform(out_.tree,
                                 options_.xattrs.value_or(image::XattrMode::AllowlistOnly));
        } else if (options_.xattrs) {
            throw Error(ErrorCode::InvalidArgs,
                        "--xattrs chooses between the rules for root file systems, and '" +
                            name_.rest + "' is taken as it is",
                        "leave --xattrs out; --skip-xattrs and --user-xattrs work everywhere");
        }
        if (!options_.bootable) return;
        image::boot_transform(
            out_.tree, options_.boot_mtime.value_or(image::BootMtime::Full), scanned.read);
    }

    void load_dump() {
        UniqueFd file;
        if (name_.rest != "-") {
            file.reset(::open(name_.rest.c_str(), O_RDONLY | O_CLOEXEC));
            if (!file) throw_errno("opening '" + name_.rest + "'");
        }
        FdSource text(file ? file.get() : STDIN_FILENO);
        try {
            out_.tree = image::read_dump(text, dump_dialect(options_), out_.options.algorithm);
        } catch (Error& error) {
            error.add_context("'" + name_.rest + "'");
            explain(error, dump_hint());
            throw;
        }
    }

    [[nodiscard]] std::string dump_hint() const {
        const std::string hash(to_string(out_.options.algorithm));
        if (options_.dialect == image::ImageDialect::C) {
            return "see composefs-dump(5); digests are read as " + hash + " (--hash)";
        }
        return "digests are read as " + hash +
               " (--hash); mkcomposefs' more lenient spellings need --compat c";
    }

    void load_erofs() {
        out_.erofs = read_composefs(name_.rest);
        out_.as_it_is = !options_.asks_for_format();
        try {
            if (!options_.hash) {
                const auto told = algorithm_of(out_.erofs);
                out_.options.algorithm = told.value_or(out_.options.algorithm);
            }
            // Another hash than its objects' is no hindrance to measuring the image itself.
            const auto expected =
                out_.as_it_is ? std::nullopt : std::optional(out_.options.algorithm);
            out_.tree = image::read_erofs(out_.erofs, options_.dialect, expected);
        } catch (Error& error) {
            error.add_context("'" + name_.rest + "'");
            if (options_.dialect == image::ImageDialect::Rust)
                explain(error, "an image that mkcomposefs made may need --compat c");
            throw;
        }
    }

    const SourceName name_;
    const ImageOptions& options_;
    const LoadContext& context_;
    LoadedImage out_;
};

image::ErofsImage copy_image(ByteView erofs, HashAlgorithm algorithm, Sink& sink) {
    sink.write(erofs);
    return {.version = image::erofs_version(erofs),
            .size = erofs.size(),
            .digest = verity_digest(algorithm, erofs)};
}

}  // namespace

SourceName parse_source(const std::string& text) {
    const std::string kind = text.substr(0, text.find(':'));
    const bool has_kind = kind.size() < text.size();
    if (has_kind && (kind == "oci" || kind == "oci-archive" || kind == "docker"))
        return {SourceKind::Oci, text};
    if (has_kind && (kind == "dir" || kind == "dump" || kind == "image")) {
        const SourceKind known = kind == "dir"    ? SourceKind::Dir
                                 : kind == "dump" ? SourceKind::Dump
                                                  : SourceKind::Image;
        std::string rest = text.substr(kind.size() + 1);
        if (!rest.empty()) return {known, std::move(rest)};
        throw Error(
            ErrorCode::InvalidArgs, "'" + text + "' names nothing", "write " + kind + ":PATH");
    }
    throw Error(ErrorCode::InvalidArgs,
                "'" + printable(text, 300) + "' is no kind of source",
                kind_hint(text));
}

void check_options(const std::vector<std::string>& sources, const ImageOptions& options) {
    const auto any = [&sources](auto... kinds) {
        return std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
            const SourceKind kind = parse_source(source).kind;
            return ((kind == kinds) || ...);
        });
    };
    if (!any(SourceKind::Dir) && !options.scan.digest_store.empty()) {
        throw Error(ErrorCode::InvalidArgs,
                    "--digest-store needs a source whose files can be copied",
                    "give dir:DIR; for OCI images 'cfsctl install' fills a store");
    }
    const bool rules = options.bootable || options.boot_mtime || options.xattrs;
    if (rules && !any(SourceKind::Oci, SourceKind::Dir)) {
        throw Error(ErrorCode::InvalidArgs,
                    "--bootable, --boot-mtime and --xattrs do nothing to a dump or an image, which "
                    "are taken as they are",
                    "give them when the dump or the image is made, from oci: or dir:");
    }
}

LoadedImage load_image(const std::string& source,
                       const ImageOptions& options,
                       const LoadContext& context) {
    return Loader(parse_source(source), options, context).run();
}

image::ErofsImage write_image(const LoadedImage& loaded, Sink& sink) {
    if (loaded.as_it_is) return copy_image(loaded.erofs, loaded.options.algorithm, sink);
    return image::write_erofs(loaded.tree, loaded.options, sink);
}

image::ErofsImage write_image(const std::string& source,
                              const ImageOptions& options,
                              const LoadContext& context,
                              Sink& sink) {
    const SourceName name = parse_source(source);
    if (name.kind == SourceKind::Image && !options.asks_for_format()) {
        const Bytes erofs = read_composefs(name.rest);
        const HashAlgorithm hash =
            options.hash ? *options.hash
                         : algorithm_of(erofs).value_or(default_hash(options.dialect));
        return copy_image(erofs, hash, sink);
    }
    return write_image(load_image(source, options, context), sink);
}

std::optional<HashAlgorithm> told_algorithm(const std::string& source) {
    const SourceName name = parse_source(source);
    if (name.kind != SourceKind::Image || name.rest == "-") return std::nullopt;
    return algorithm_of(read_composefs(name.rest));
}

}  // namespace cfs::client
