// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/versions.hpp"

#include "bus/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace cfs::sysupdate {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr std::size_t kShortDigest = 8;
constexpr std::uint64_t kMicroseconds = 1'000'000;

/// "sha256:01234567..." -> "01234567"
std::string short_digest(const std::string& manifest, const std::string& image) {
    const std::string& digest = manifest.empty() ? image : manifest;
    const std::size_t colon = digest.find(':');
    return digest.substr(colon == std::string::npos ? 0 : colon + 1, kShortDigest);
}

std::string name_of(const std::string& version,
                    const std::string& digits,
                    const std::set<std::string>& taken) {
    if (version.empty()) return bus::bus_line(digits.empty() ? "unknown" : digits, kMaxName);
    std::string name = bus::bus_line(version, kMaxName);
    return taken.contains(name) ? name + "+" + digits : name;
}

bool is_shown(const client::Deployment& deployment) {
    return deployment.state != "foreign" && deployment.state != "broken";
}

bool is_locked(const client::Deployment& deployment) {
    return deployment.state == "staged" && deployment.locked;
}

/// What was left by a rollback, did not come up, or is kept from booting, is there; but nobody has
/// it.
bool counts_as_installed(const client::Deployment& deployment) {
    return !is_locked(deployment) && deployment.state != "rolled-back" &&
           deployment.state != "failed";
}

Version version_of(const client::Deployment& deployment, std::string name, bool acquired) {
    Version out;
    out.name = std::move(name);
    out.acquired = acquired;
    out.available = out.acquired;
    out.installed = !out.acquired;
    out.is_protected = deployment.state == "booted" || deployment.pinned;
    out.manifest_digest = deployment.manifest_digest;
    out.time = deployment.installed;
    return out;
}

void add_deployments(const client::Status& status,
                     const std::string& acquired,
                     Known& known,
                     std::set<std::string>& taken) {
    // The oldest keeps the plain name, so that names stay what they are when something newer comes.
    for (auto it = status.deployments.rbegin(); it != status.deployments.rend(); ++it) {
        if (!is_shown(*it)) continue;
        std::string name =
            name_of(it->version, short_digest(it->manifest_digest, it->digest), taken);
        if (!taken.insert(name).second) continue;
        const bool was_acquired = !acquired.empty() && it->digest == acquired;
        const bool is_ours = is_locked(*it) && (was_acquired || it->for_anyone);
        if (is_locked(*it))
            (is_ours ? known.acquired : known.locked) = Offer{name, it->manifest_digest};
        if (counts_as_installed(*it)) known.installed = name;
        known.versions.push_back(version_of(*it, std::move(name), is_ours));
    }
}

void add_available(const client::Available& available,
                   Known& known,
                   const std::set<std::string>& taken) {
    std::string name = name_of(
        available.version, short_digest(available.manifest_digest, available.digest), taken);
    if (taken.contains(name)) return;
    Version out;
    out.name = name;
    out.available = true;
    out.changelog_url = available.changelog_url;
    out.manifest_digest = available.manifest_digest;
    out.time = available.checked;
    known.versions.push_back(std::move(out));
    known.offer = Offer{std::move(name), available.manifest_digest};
}

/// The daemon would finalize it, by whatever it is asked for.
bool is_kept(const Known& known, const client::Available& available) {
    return known.locked && !available.manifest_digest.empty() &&
           known.locked->manifest_digest == available.manifest_digest;
}

}  // namespace

std::string Known::candidate() const {
    if (offer) return offer->name;
    return acquired ? acquired->name : "";
}

const Version* Known::find(const std::string& name) const {
    const auto found = std::find_if(versions.begin(), versions.end(), [&](const Version& version) {
        return version.name == name;
    });
    return found == versions.end() ? nullptr : &*found;
}

Known know(const client::Status& status, const std::string& acquired) {
    Known known;
    std::set<std::string> taken;
    add_deployments(status, acquired, known, taken);
    if (status.available && !is_kept(known, *status.available))
        add_available(*status.available, known, taken);
    std::reverse(known.versions.begin(), known.versions.end());
    if (known.versions.empty()) return known;
    const auto offered = std::find_if(
        known.versions.begin(), known.versions.end(), [](const Version& v) { return v.available; });
    if (offered != known.versions.end()) offered->newest = true;
    bool older = false;
    for (Version& version : known.versions) {
        version.newest = version.newest || version.name == known.installed;
        version.obsolete = older;
        older = older || version.name == known.installed;
    }
    return known;
}

namespace {

/// What a transfer's file or partition is there.
boost::json::object content(const Version& version) {
    boost::json::object out;
    out["type"] = "oci";
    out["path"] = version.manifest_digest;
    if (version.time > 0)
        out["mtime"] = static_cast<std::uint64_t>(version.time) * kMicroseconds;
    else
        out["mtime"] = nullptr;
    return out;
}

}  // namespace

std::string describe(const Version& version) {
    boost::json::object object;
    object["version"] = version.name;
    object["newest"] = version.newest;
    object["available"] = version.available;
    object["installed"] = version.installed;
    object["obsolete"] = version.obsolete;
    object["protected"] = version.is_protected;
    object["incomplete"] = false;
    object["acquired"] = version.acquired;
    boost::json::array& urls = object["changelogUrls"].emplace_array();
    if (!version.changelog_url.empty()) urls.emplace_back(version.changelog_url);
    object["contents"].emplace_array().push_back(content(version));
    return boost::json::serialize(object);
}

}  // namespace cfs::sysupdate
