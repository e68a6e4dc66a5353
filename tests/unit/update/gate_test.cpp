// SPDX-License-Identifier: Apache-2.0
#include "update/gate.hpp"

#include "base/error.hpp"
#include "update/offline.hpp"

#include <gtest/gtest.h>

namespace cfs::update {
namespace {

net::Descriptor layer(bool marked) {
    net::Descriptor out;
    if (marked) out.annotations[kLayerAnnotation] = kLayerAnnotationUki;
    return out;
}

image::TarEntry file(const std::string& path) {
    image::TarEntry entry;
    entry.path = path;
    entry.external = Digest();
    return entry;
}

image::TarEntry directory(const std::string& path) {
    image::TarEntry entry;
    entry.path = path;
    entry.type = image::FileType::Directory;
    return entry;
}

std::string message_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

TEST(FindUkiLayer, WantsExactlyOne) {
    net::Manifest manifest;
    manifest.layers = {layer(false), layer(true), layer(false)};
    EXPECT_EQ(find_uki_layer(manifest), 1U);
    manifest.layers.push_back(layer(true));
    EXPECT_NE(message_of([&] { (void)find_uki_layer(manifest); }).find("layers 2, 4"),
              std::string::npos);
    manifest.layers = {layer(false)};
    EXPECT_NE(message_of([&] { (void)find_uki_layer(manifest); }).find("no UKI"),
              std::string::npos);
}

TEST(FindUkiLayer, AnotherValueIsNoMark) {
    net::Manifest manifest;
    manifest.layers = {layer(false)};
    manifest.layers[0].annotations[kLayerAnnotation] = "something";
    EXPECT_THROW((void)find_uki_layer(manifest), Error);
}

TEST(UkiLayer, FindsTheOneUki) {
    UkiLayer uki;
    uki.add(directory("boot/EFI"));
    uki.add(directory("boot/EFI/Linux"));
    uki.add(file("boot/EFI/Linux/a.efi"));
    uki.add(file("boot/EFI/Linux/a.efi.extra.d/b.addon.efi"));
    EXPECT_EQ(uki.uki().path, "boot/EFI/Linux/a.efi");
}

TEST(UkiLayer, RefusesWhatBelongsToTheImage) {
    UkiLayer uki;
    EXPECT_THROW(uki.add(file("usr/bin/x")), Error);
    EXPECT_THROW(uki.add(file("bootx/y")), Error);
    // /boot's own metadata is part of the image.
    EXPECT_THROW(uki.add(directory("boot")), Error);
    EXPECT_THROW(uki.add(directory("")), Error);
}

TEST(UkiLayer, RefusesLinksInTheUkisPlace) {
    UkiLayer uki;
    image::TarEntry link = file("boot/EFI/Linux/a.efi");
    link.type = image::FileType::Symlink;
    EXPECT_THROW(uki.add(link), Error);
    link = file("boot/EFI/Linux/a.efi");
    link.hard_link = true;
    EXPECT_THROW(uki.add(link), Error);
}

TEST(UkiLayer, NoneAndSeveralAreErrors) {
    UkiLayer uki;
    EXPECT_NE(message_of([&] { (void)uki.uki(); }).find("has no"), std::string::npos);
    uki.add(file("boot/EFI/Linux/a.efi"));
    uki.add(file("boot/EFI/Linux/b.efi"));
    EXPECT_NE(message_of([&] { (void)uki.uki(); }).find("b.efi"), std::string::npos);
}

}  // namespace
}  // namespace cfs::update
