// SPDX-License-Identifier: Apache-2.0
/// \file Where an image is really fetched from: containers-registries.conf(5), version 2.
#pragma once

#include "net/image_ref.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::net {

/// For which references a mirror is asked.
enum class MirrorUse { All, DigestOnly, TagOnly };

struct Mirror {
    std::string location;  ///< "HOST[:PORT][/PATH]"
    bool insecure = false;
    MirrorUse use = MirrorUse::All;

    bool operator==(const Mirror&) const = default;
};

/// One [[registry]] table.
struct RegistryRule {
    std::string prefix;    ///< "HOST[:PORT][/PATH][:TAG|@DIGEST]" or "*.DOMAIN"
    std::string location;  ///< what replaces the prefix; empty (with "*." only): nothing does
    bool insecure = false;
    bool blocked = false;
    std::vector<Mirror> mirrors;

    bool operator==(const RegistryRule&) const = default;
};

/// One place to fetch from.
struct Endpoint {
    ImageRef ref;           ///< what to ask for there
    bool insecure = false;  ///< plain HTTP and unknown certificates are allowed
    bool mirror = false;
};

/// Rules by prefix; a value. The longest prefix that a reference starts with decides alone.
/// Unlike podman of today, "example.com" is no prefix of "example.com:5000/...": the manual page
/// means it so.
class Registries {
 public:
    /// Adds rules; one with a known prefix replaces the older rule.
    void add(std::vector<RegistryRule> rules);

    /// Places in the order in which they are asked, the origin last.
    /// \pre ref.transport == Transport::Registry
    /// \throws RegistryBlocked; InvalidArgs when a location makes no valid reference
    [[nodiscard]] std::vector<Endpoint> route(const ImageRef& ref) const;

    [[nodiscard]] const std::vector<RegistryRule>& rules() const { return rules_; }

 private:
    std::vector<RegistryRule> rules_;
};

/// The rules in one file. Takes hostile text; keys that do not concern fetching are ignored.
/// \param file its name, for messages
/// \throws BadFormat with "file:line:column"
[[nodiscard]] std::vector<RegistryRule> parse_registries(std::string_view text,
                                                         const std::string& file);

/// Reads `path` and then `path`.d/*.conf, bytewise by name. Empty path: nothing. What does not
/// exist adds nothing; what cannot be read is an error, for it may block something.
[[nodiscard]] Registries load_registries(const std::string& path);

}  // namespace cfs::net
