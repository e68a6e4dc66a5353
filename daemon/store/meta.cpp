// SPDX-License-Identifier: Apache-2.0
#include "store/meta.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace cfs::store {
namespace {

namespace json = boost::json;

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kV1Feature = "v1_erofs";

[[noreturn]] void corrupt(const std::string& what) {
    throw Error(ErrorCode::StateCorrupt,
                std::string(kMetaName) + ": " + what,
                "restore the file from a backup, or make a new store and fetch the image again");
}

[[noreturn]] void unsupported(const std::string& what) {
    throw Error(ErrorCode::Unsupported,
                std::string(kMetaName) + ": " + what,
                "a newer tool made this store: update cfsupdated");
}

const json::value* member(const json::object& object, std::string_view key) {
    return object.if_contains(key);
}

std::vector<std::string> strings(const json::object& features, std::string_view key) {
    std::vector<std::string> out;
    const json::value* list = member(features, key);
    if (list == nullptr) return out;
    if (!list->is_array()) corrupt("features." + std::string(key) + " is not a list");
    for (const auto& item : list->get_array()) {
        if (!item.is_string()) corrupt("features." + std::string(key) + " holds a non-string");
        out.emplace_back(item.get_string());
    }
    return out;
}

void check_version(const json::object& root) {
    const json::value* version = member(root, "version");
    if (version == nullptr || !version->is_int64() || version->get_int64() < 1) {
        corrupt("'version' is missing or not a positive number");
    }
    if (version->get_int64() > kVersion) {
        unsupported("version " + std::to_string(version->get_int64()) +
                    ", this program knows versions up to " + std::to_string(kVersion));
    }
}

HashAlgorithm algorithm_of(const json::object& root) {
    const json::value* name = member(root, "algorithm");
    if (name == nullptr || !name->is_string()) corrupt("'algorithm' is missing or not a string");
    const std::string_view text = name->get_string();
    for (const auto algorithm : {HashAlgorithm::Sha256, HashAlgorithm::Sha512}) {
        if (text == meta_algorithm_name(algorithm)) return algorithm;
    }
    unsupported("algorithm '" + printable(text) +
                "', this program knows fsverity-sha256-12 and fsverity-sha512-12");
}

/// The default format where `erofs_formats` says one that counts; {"default": 2} alone is what
/// old tools wrote without meaning it.
const json::object* meant_formats(const json::object& root) {
    const json::value* formats = member(root, "erofs_formats");
    if (formats == nullptr) return nullptr;
    if (!formats->is_object()) corrupt("'erofs_formats' is not an object");
    const auto& object = formats->get_object();
    const json::value* number = member(object, "default");
    if (number == nullptr || !number->is_int64()) corrupt("'erofs_formats.default' is no number");
    const json::value* extra = member(object, "extra");
    const bool has_extra = extra != nullptr && extra->is_array() && !extra->get_array().empty();
    return number->get_int64() == 2 && !has_extra ? nullptr : &object;
}

int default_format(const json::object& root, const std::vector<std::string>& read_only) {
    if (const auto* formats = meant_formats(root)) {
        const std::int64_t value = member(*formats, "default")->get_int64();
        if (value < 0 || value > 2) unsupported("EROFS format " + std::to_string(value));
        return static_cast<int>(value);
    }
    return std::find(read_only.begin(), read_only.end(), kV1Feature) != read_only.end() ? 1 : 2;
}

}  // namespace

std::string meta_algorithm_name(HashAlgorithm algorithm) {
    return "fsverity-" + std::string(to_string(algorithm)) + "-12";
}

Meta parse_meta(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(text, error);
    if (error) corrupt("not JSON: " + error.message());
    if (!value.is_object()) corrupt("not a JSON object");
    const auto& root = value.get_object();
    check_version(root);
    Meta meta;
    meta.algorithm = algorithm_of(root);
    std::vector<std::string> read_only;
    if (const json::value* features = member(root, "features")) {
        if (!features->is_object()) corrupt("'features' is not an object");
        const auto incompatible = strings(features->get_object(), "incompatible");
        if (!incompatible.empty()) {
            unsupported("unknown incompatible feature '" + printable(incompatible.front()) + "'");
        }
        read_only = strings(features->get_object(), "read-only-compatible");
    }
    meta.default_erofs_format = default_format(root, read_only);
    std::copy_if(read_only.begin(),
                 read_only.end(),
                 std::back_inserter(meta.unknown_read_only),
                 [](const std::string& name) { return name != kV1Feature; });
    return meta;
}

std::string make_meta(HashAlgorithm algorithm) {
    return "{\n"
           "  \"version\": 1,\n"
           "  \"algorithm\": \"" +
           meta_algorithm_name(algorithm) +
           "\",\n"
           "  \"features\": {\n"
           "    \"compatible\": [],\n"
           "    \"read-only-compatible\": [\n"
           "      \"v1_erofs\"\n"
           "    ],\n"
           "    \"incompatible\": []\n"
           "  },\n"
           "  \"erofs_formats\": {\n"
           "    \"default\": 1\n"
           "  }\n"
           "}\n";
}

}  // namespace cfs::store
