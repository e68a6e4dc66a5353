// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/output/json.hpp"
#include "client/seal/documents.hpp"
#include "client/seal/input_file.hpp"
#include "client/seal/layout_writer.hpp"
#include "client/seal/names_image.hpp"
#include "client/seal/uki_builder.hpp"
#include "net/image_ref.hpp"
#include "net/image_source.hpp"
#include "uki/uki.hpp"
#include "update/source.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>

namespace cfs::client {
namespace {

constexpr const char* kOsRelease = "/usr/lib/os-release";

/// A private directory below $TMPDIR that disappears with its content: the unsigned UKI lies there.
class WorkDir {
 public:
    WorkDir() : path_((std::filesystem::temp_directory_path() / "cfsctl-XXXXXX").native()) {
        if (::mkdtemp(path_.data()) == nullptr) throw_errno("making a temporary directory");
    }

    WorkDir(const WorkDir&) = delete;
    WorkDir& operator=(const WorkDir&) = delete;

    ~WorkDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
};

/// OUT of the command line with its tag settled.
net::ImageRef parse_out(const ImageSeal& options) {
    net::ImageRef out = net::parse_image_ref(options.out);
    if (out.transport != net::Transport::OciLayout) {
        throw Error(ErrorCode::InvalidArgs,
                    "OUT is '" + options.out + "', expected oci:DIR[:TAG]",
                    "write a directory, then copy it: 'skopeo copy oci:DIR:TAG docker://...'");
    }
    if (!out.tag.empty() && !options.tag.empty() && out.tag != options.tag) {
        throw Error(ErrorCode::InvalidArgs,
                    "OUT has the tag '" + out.tag + "' but --tag says '" + options.tag + "'",
                    "give one of them");
    }
    if (!options.tag.empty()) out.tag = options.tag;
    if (out.tag.empty()) out.tag = "latest";
    return out;
}

class Sealer {
 public:
    explicit Sealer(const ImageSeal& options)
        : options_(options), settings_(offline_settings(options.reach)), out_(parse_out(options)) {
        source_ =
            net::open_source(net::parse_image_ref(options.source), update::net_options(settings_));
    }

    void run();

    [[nodiscard]] std::string summary(bool json);

 private:
    [[nodiscard]] Digest compute(const update::DigestOptions& digest);
    [[nodiscard]] std::string command_line();
    [[nodiscard]] Bytes make_uki();
    [[nodiscard]] Bytes ready_uki();
    [[nodiscard]] uki::Uki check_uki(const Bytes& file, const std::string& architecture);
    void write(const net::Resolved& image, const std::string& name, const Bytes& uki);

    const ImageSeal& options_;
    OfflineJob job_;
    settings::Settings settings_;
    net::ImageRef out_;
    std::unique_ptr<net::ImageSource> source_;
    std::optional<Digest> digest_;
    std::optional<Digest> manifest_;
    std::vector<std::uint64_t> unpacked_;
    std::string uki_name_;
};

Digest Sealer::compute(const update::DigestOptions& digest) {
    auto found =
        update::measure_image(options_.source, digest, settings_, job_.progress(), job_.stop());
    unpacked_ = std::move(found.unpacked);
    return found.digest;
}

std::string Sealer::command_line() {
    if (!uki::composefs_args(options_.cmdline).empty()) {
        digest_ = check_names_image(options_.cmdline,
                                    [this](const auto& rules) { return compute(rules); });
        return options_.cmdline;
    }
    digest_ = compute(options_.digest);
    const bool v1 = options_.digest.version == image::ErofsVersion::V1;
    const auto version = v1 ? uki::ErofsFormat::V1 : uki::ErofsFormat::V2;
    const bool plain_key = options_.karg == Karg::Composefs || (options_.karg == Karg::Auto && !v1);
    const auto key = plain_key ? uki::ComposefsKey::Composefs : uki::ComposefsKey::ComposefsDigest;
    const std::string arg = uki::make_composefs_arg(version, *digest_, options_.insecure, key);
    return options_.cmdline.empty() ? arg : options_.cmdline + " " + arg;
}

Bytes Sealer::make_uki() {
    UkiParts parts;
    parts.stub = read_input(options_.stub, uki::kMaxPeSize);
    parts.kernel = read_input(options_.kernel, uki::kMaxPeSize);
    parts.initrd = read_input(options_.initrd, uki::kMaxPeSize);
    parts.cmdline = command_line();
    parts.os_release =
        options_.os_release.empty()
            ? update::image_file(options_.source, kOsRelease, settings_, job_.stop())
            : std::string(as_text(read_input(options_.os_release, uki::kMaxOsReleaseSize)));
    const WorkDir work;
    const Bytes unsigned_uki = build_uki(parts, work.path());
    return sign_uki(unsigned_uki, options_.key, options_.cert, work.path());
}

Bytes Sealer::ready_uki() {
    Bytes file = read_input(options_.uki, uki::kMaxPeSize);
    const uki::Uki parsed =
        with_context("'" + options_.uki + "'", [&] { return uki::parse_uki(file); });
    digest_ = with_context("'" + options_.uki + "'", [&] {
        return check_names_image(parsed.cmdline(),
                                 [this](const auto& rules) { return compute(rules); });
    });
    return file;
}

uki::Uki Sealer::check_uki(const Bytes& file, const std::string& architecture) {
    uki::Uki parsed = with_context("the UKI", [&] { return uki::parse_uki(file); });
    if (parsed.architecture == architecture) return parsed;
    throw Error(ErrorCode::NotOurs,
                "the UKI is for " + parsed.architecture + ", but the image is for " + architecture,
                "take the stub and the kernel of the image's architecture");
}

void Sealer::write(const net::Resolved& image, const std::string& name, const Bytes& uki) {
    const Bytes layer = uki_layer(name, uki);
    const net::Descriptor layer_blob = describe_blob(kPlainLayer, layer);
    const Bytes config = config_with_layer(image.config_bytes, layer_blob.digest);
    const net::Descriptor config_blob = describe_blob(net::kOciConfig, config);
    const Bytes manifest =
        manifest_with_layer(image.manifest_bytes, config_blob, layer_blob, unpacked_);
    net::Descriptor manifest_blob = describe_blob(net::kOciManifest, manifest);
    LayoutWriter writer(out_.path);
    for (const net::Descriptor& blob : image.manifest.layers) {
        writer.copy_blob(*source_, blob, job_.stop());
    }
    writer.put_blob(layer_blob, layer);
    writer.put_blob(config_blob, config);
    writer.put_blob(manifest_blob, manifest);
    manifest_blob.platform =
        net::Platform{image.config.os, image.config.architecture, image.config.variant};
    writer.set_tag(out_.tag, manifest_blob);
    manifest_ = manifest_blob.digest;
}

void Sealer::run() {
    const net::Resolved image = source_->resolve(net::host_platform(), job_.stop());
    // A layer more than the image has, so that an image that cannot be sealed is refused early.
    static_cast<void>(manifest_with_layer(image.manifest_bytes, {}, {}, {}));
    const Bytes file = options_.uki.empty() ? make_uki() : ready_uki();
    const uki::Uki parsed = check_uki(file, image.config.architecture);
    uki_name_ = options_.name.empty() ? uki_file_name(parsed.osrel) : options_.name;
    write(image, uki_name_, file);
    job_.finish();
}

std::string Sealer::summary(bool json) {
    const std::string image = net::to_string(out_);
    if (json) {
        return text_json({{"image", image},
                          {"digest", digest_->hex()},
                          {"manifest_digest", to_oci(*manifest_)},
                          {"uki", uki_name_}});
    }
    return "sealed " + image + "\n  image    " + digest_->hex() + "\n  manifest " +
           to_oci(*manifest_) + "\n  UKI      boot/EFI/Linux/" + uki_name_;
}

}  // namespace

ExitCode run(const ImageSeal& options, const Global& global) {
    Sealer sealer(options);
    sealer.run();
    std::cout << sealer.summary(global.json) << '\n';
    return ExitCode::Done;
}

}  // namespace cfs::client
