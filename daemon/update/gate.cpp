// SPDX-License-Identifier: Apache-2.0
#include "update/gate.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "boot/version_compare.hpp"
#include "crypto/hasher.hpp"
#include "uki/authenticode.hpp"
#include "update/mapped_file.hpp"
#include "update/offline.hpp"

namespace cfs::update {
namespace {

constexpr std::string_view kBoot = "boot/";
constexpr std::string_view kUkiFolder = "boot/EFI/Linux/";

std::string numbers(const std::vector<std::size_t>& list) {
    std::string out;
    for (const std::size_t n : list)
        out += (out.empty() ? "" : ", ") + std::to_string(n + 1);
    return out;
}

bool is_uki_path(std::string_view path) {
    if (!path.starts_with(kUkiFolder) || !path.ends_with(".efi")) return false;
    return path.find('/', kUkiFolder.size()) == std::string_view::npos;
}

std::string check_signature(const uki::PeImage& pe, const settings::TrustSettings& trust) {
    SignaturePolicy policy;
    policy.allow_ec = trust.allow_ec;
    const auto anchors = load_anchors(trust);
    if (!anchors.empty()) return uki::verify_authenticode(pe, anchors, policy).subject;
    if (trust.mode == settings::TrustMode::Unsealed) {
        const auto signer = uki::verify_intact(pe, policy);
        return signer ? signer->subject : "";
    }
    throw Error(
        ErrorCode::SignatureInvalid,
        "no trusted certificate is installed, so no image can be trusted",
        "put the vendor's certificate into /usr/lib/cfsupdated/trust.d of the image, or name it in "
        "trust.certificates");
}

void check_architecture(const uki::Uki& uki, const DeploymentRecord* booted) {
    const std::string expected =
        booted != nullptr ? booted->architecture : net::host_platform().architecture;
    if (uki.architecture == expected) return;
    throw Error(ErrorCode::NotOurs,
                "the image is for " + uki.architecture + ", this machine is " + expected,
                "use the image reference for this architecture");
}

void check_identity(const uki::Uki& uki, const DeploymentRecord& booted) {
    if (uki.osrel.id() == booted.id && uki.osrel.image_id() == booted.image_id) return;
    throw Error(ErrorCode::NotOurs,
                "the image is '" + printable(uki.osrel.id()) + "/" +
                    printable(uki.osrel.image_id()) + "' (ID/IMAGE_ID), this machine runs '" +
                    booted.id + "/" + booted.image_id + "'",
                "check the image reference; 'cfsctl switch' changes to another product");
}

void check_version(const uki::Uki& uki, const DeploymentRecord& booted) {
    if (boot::compare_versions(uki.osrel.version(), booted.version) >= 0) return;
    throw Error(
        ErrorCode::DowngradeRejected,
        "the image has version " + printable(uki.osrel.version()) + ", older than the running " +
            booted.version,
        "use 'cfsctl rollback' to go back to what is kept, or 'cfsctl update --downgrade' to "
        "install this one on purpose");
}

void check_floor(const uki::Uki& uki, std::uint64_t floor) {
    const std::uint64_t found = uki.osrel.security_version().value_or(0);
    if (found >= floor) return;
    throw Error(ErrorCode::DowngradeRejected,
                "the image's CFS_SECURITY_VERSION is " + std::to_string(found) +
                    ", this machine requires " + std::to_string(floor) + " or more",
                "install an image with the current security fixes");
}

}  // namespace

std::size_t find_uki_layer(const net::Manifest& manifest) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        const auto& notes = manifest.layers[i].annotations;
        const auto note = notes.find(kLayerAnnotation);
        if (note != notes.end() && note->second == kLayerAnnotationUki) found.push_back(i);
    }
    if (found.size() == 1) return found.front();
    const std::string mark = std::string(kLayerAnnotation) + "=" + kLayerAnnotationUki;
    if (found.empty()) {
        throw Error(ErrorCode::BadFormat,
                    "the image has no UKI: none of its " + std::to_string(manifest.layers.size()) +
                        " layers is annotated '" + mark + "'",
                    "seal the image with 'cfsctl image seal'");
    }
    throw Error(ErrorCode::BadFormat,
                "the image has " + std::to_string(found.size()) + " layers annotated '" + mark +
                    "' (layers " + numbers(found) + "), expected one",
                "seal an image that is not sealed yet");
}

void UkiLayer::add(const image::TarEntry& entry) {
    if (!entry.path.starts_with(kBoot)) {
        throw Error(
            ErrorCode::BadFormat,
            "the UKI layer holds '/" + printable(entry.path) + "', which is not below /boot",
            "seal the image with 'cfsctl image seal'");
    }
    if (!is_uki_path(entry.path)) return;
    if (entry.hard_link || entry.type != image::FileType::Regular || !entry.external) {
        throw Error(ErrorCode::BadFormat,
                    "'/" + printable(entry.path) + "' in the UKI layer is no UKI file");
    }
    ukis_.push_back(entry);
}

const image::TarEntry& UkiLayer::uki() const {
    if (ukis_.size() == 1) return ukis_.front();
    if (ukis_.empty()) {
        throw Error(ErrorCode::BadFormat,
                    "the UKI layer has no /boot/EFI/Linux/*.efi",
                    "seal the image with 'cfsctl image seal'");
    }
    throw Error(ErrorCode::BadFormat,
                "the UKI layer holds several UKIs: '/" + printable(ukis_[0].path) + "' and '/" +
                    printable(ukis_[1].path) + "', expected one",
                "seal an image that is not sealed yet");
}

void check_argument(const uki::ComposefsArg& argument,
                    const store::Repository& store,
                    settings::TrustMode mode) {
    store.require_algorithm(argument.algorithm());
    if (argument.insecure && mode == settings::TrustMode::Sealed) {
        throw Error(ErrorCode::NotOurs,
                    "the UKI makes fs-verity optional ('" + printable(argument.token) +
                        "'), and this machine is sealed",
                    "use the sealed variant of the image");
    }
    if (!argument.insecure && !store.secure()) {
        throw Error(ErrorCode::Unsupported,
                    "the UKI requires fs-verity ('" + printable(argument.token, 60) +
                        "'), which the store at '" + store.path() +
                        "' does not have: it would not boot",
                    "install onto a file system with fs-verity (ext4 with the verity feature, "
                    "btrfs), or use an "
                    "image whose argument has a '?'");
    }
}

JudgedUki judge_uki(Machine& machine,
                    const Digest& object,
                    const DeploymentRecord* booted,
                    Allowed allowed) {
    return with_context("the image's UKI", [&] {
        const UniqueFd fd = machine.store().open_object(object);
        const MappedFile file(fd.get());
        const uki::PeImage pe = uki::parse_pe(file.bytes(), file.release_behind());
        JudgedUki judged;
        judged.signer = check_signature(pe, machine.settings.trust);
        judged.uki = uki::parse_uki(pe);
        check_architecture(judged.uki, booted);
        if (booted != nullptr && !allowed.other_product) check_identity(judged.uki, *booted);
        if (booted != nullptr && !allowed.lower_version) check_version(judged.uki, *booted);
        check_floor(judged.uki, machine.state.floor());
        judged.argument = judged.uki.composefs();
        check_argument(judged.argument, machine.store(), machine.settings.trust.mode);
        judged.object = object;
        judged.sha256 = hash(HashAlgorithm::Sha256, file.bytes(), file.release_behind());
        return judged;
    });
}

}  // namespace cfs::update
