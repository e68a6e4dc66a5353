// SPDX-License-Identifier: Apache-2.0
#include "net/json_reader.hpp"

#include "base/error.hpp"

#include <boost/json/parse.hpp>

namespace cfs::net {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 32;
constexpr std::string_view kHint =
    "check the image reference and what is published there; try: skopeo inspect --raw REFERENCE";

std::string_view kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return "a number";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
    }
    return "something else";
}

[[noreturn]] void wrong_kind(std::string_view path,
                             std::string_view expected,
                             const json::value& value) {
    bad_field(path, "expected " + std::string(expected) + ", found " + std::string(kind_of(value)));
}

bool looks_like_html(ByteView document) {
    const std::string_view text = as_text(document);
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '<';
}

std::string join(std::string_view path, std::string_view key) {
    return path.empty() ? std::string(key) : std::string(path) + "." + std::string(key);
}

std::string_view view(const json::string& text) {
    return {text.data(), text.size()};
}

}  // namespace

void bad_field(std::string_view field, std::string_view problem) {
    throw Error(ErrorCode::BadFormat,
                "'" + std::string(field) + "': " + std::string(problem),
                std::string(kHint));
}

json::object parse_object(ByteView document, std::string_view what, Quoting quoting) {
    const auto fail = [&](const std::string& problem) {
        throw Error(
            ErrorCode::BadFormat, "the " + std::string(what) + " " + problem, std::string(kHint));
    };
    if (document.size() > kMaxDocumentBytes) {
        fail("has " + std::to_string(document.size()) + " bytes; at most " +
             std::to_string(kMaxDocumentBytes) + " are allowed");
    }
    const std::string start =
        quoting == Quoting::Never ? std::string() : ": '" + printable(as_text(document), 60) + "'";
    if (looks_like_html(document)) fail("is not JSON but HTML or XML" + start);
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::error_code problem;
    json::value value = json::parse(as_text(document), problem, {}, options);
    if (problem) fail("is not valid JSON (" + problem.message() + ")" + start);
    if (!value.is_object()) fail("is not a JSON object" + start);
    return std::move(value.get_object());
}

const json::value* optional_field(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value& required(const json::object& object,
                            std::string_view key,
                            std::string_view path) {
    const json::value* value = optional_field(object, key);
    if (value == nullptr) bad_field(join(path, key), "missing");
    return *value;
}

std::string as_string(const json::value& value, std::string_view path) {
    if (!value.is_string()) wrong_kind(path, "a string", value);
    return std::string(view(value.get_string()));
}

std::string string_or_empty(const json::object& object,
                            std::string_view key,
                            std::string_view path) {
    const json::value* value = optional_field(object, key);
    return value == nullptr ? std::string() : as_string(*value, join(path, key));
}

const json::object& as_object(const json::value& value, std::string_view path) {
    if (!value.is_object()) wrong_kind(path, "an object", value);
    return value.get_object();
}

const json::array& as_array(const json::value& value, std::string_view path, std::size_t limit) {
    if (!value.is_array()) wrong_kind(path, "an array", value);
    const json::array& array = value.get_array();
    if (array.size() > limit) {
        bad_field(path,
                  std::to_string(array.size()) + " entries; at most " + std::to_string(limit) +
                      " are allowed");
    }
    return array;
}

Digest as_digest(const json::value& value, std::string_view path) {
    const std::string text = as_string(value, path);
    const auto digest = digest_from_oci(text);
    if (!digest) {
        bad_field(path,
                  "'" + printable(text) +
                      "' is no digest; expected sha256:<64 lower-case hex digits> or "
                      "sha512:<128>");
    }
    return *digest;
}

std::uint64_t as_size(const json::value& value, std::string_view path) {
    if (value.is_int64() && value.get_int64() < 0) {
        bad_field(path, "the size is negative: " + std::to_string(value.get_int64()));
    }
    if (!value.is_int64() && !value.is_uint64()) wrong_kind(path, "a whole number", value);
    const std::uint64_t size =
        value.is_uint64() ? value.get_uint64() : static_cast<std::uint64_t>(value.get_int64());
    if (size > kMaxBlobBytes) bad_field(path, std::to_string(size) + " is more than 2^53 bytes");
    return size;
}

Annotations string_map(const json::object& object, std::string_view key, std::string_view path) {
    Annotations out;
    const json::value* value = optional_field(object, key);
    if (value == nullptr) return out;
    const std::string here = join(path, key);
    for (const auto& member : as_object(*value, here)) {
        const std::string name(member.key().data(), member.key().size());
        out[name] = as_string(member.value(), here + "." + printable(name));
    }
    return out;
}

}  // namespace cfs::net
