// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "net/oci_types.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace cfs::net {

// Private to this component: the only header here that shows Boost.JSON. Every function throws
// BadFormat with the field's path ("layers[3].size").

/// May a message show how the document starts? Never: it holds secrets.
enum class Quoting { Allowed, Never };

/// At most kMaxDocumentBytes and 32 levels; the top must be an object. HTML is named as such.
[[nodiscard]] boost::json::object parse_object(ByteView document,
                                               std::string_view what,
                                               Quoting quoting = Quoting::Allowed);

[[noreturn]] void bad_field(std::string_view field, std::string_view problem);

[[nodiscard]] const boost::json::value& required(const boost::json::object& object,
                                                 std::string_view key,
                                                 std::string_view path);

/// Absent and null are the same.
[[nodiscard]] const boost::json::value* optional_field(const boost::json::object& object,
                                                       std::string_view key);

[[nodiscard]] std::string as_string(const boost::json::value& value, std::string_view path);
[[nodiscard]] std::string string_or_empty(const boost::json::object& object,
                                          std::string_view key,
                                          std::string_view path);
[[nodiscard]] const boost::json::object& as_object(const boost::json::value& value,
                                                   std::string_view path);
[[nodiscard]] const boost::json::array& as_array(const boost::json::value& value,
                                                 std::string_view path,
                                                 std::size_t limit);
[[nodiscard]] Digest as_digest(const boost::json::value& value, std::string_view path);
[[nodiscard]] std::uint64_t as_size(const boost::json::value& value, std::string_view path);

/// An absent member gives an empty map.
[[nodiscard]] Annotations string_map(const boost::json::object& object,
                                     std::string_view key,
                                     std::string_view path);

}  // namespace cfs::net
