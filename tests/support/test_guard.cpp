// SPDX-License-Identifier: Apache-2.0
#include "support/test_guard.hpp"

namespace cfs::test {
namespace {

/// "/v2/team/os/blobs/..." -> "team/os".
std::string repository_of(const std::string& target) {
    for (const char* kind : {"/blobs/", "/manifests/", "/referrers/"}) {
        const auto end = target.find(kind);
        if (end != std::string::npos && end > 4) return target.substr(4, end - 4);
    }
    return "unknown";
}

}  // namespace

std::optional<Door::Reply> Door::check(const std::string& target,
                                       const std::string& authorization,
                                       const std::string& origin) {
    const std::scoped_lock lock(mutex_);
    if (guard_.tokens && target.starts_with("/token")) return issue(target, authorization);
    if (!guard_.tokens) {
        if (authorization == "Basic " + guard_.basic) return std::nullopt;
        return refuse(target, origin);
    }
    const std::string start = "Bearer " + guard_.secret + "-";
    if (authorization.starts_with(start) &&
        std::stoul(authorization.substr(start.size())) > revoked_) {
        return std::nullopt;
    }
    return refuse(target, origin);
}

Door::Reply Door::issue(const std::string& target, const std::string& authorization) {
    if (!guard_.basic.empty() && authorization != "Basic " + guard_.basic) {
        return {401, "", R"({"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]})"};
    }
    if (target.find("service=" + guard_.service) == std::string::npos) return {400, "", ""};
    if (!guard_.issued.empty()) return {200, "", guard_.issued};
    return {200,
            "",
            R"({"token":")" + guard_.secret + "-" + std::to_string(++issued_) +
                R"(","expires_in":)" + std::to_string(guard_.expires_in) + "}"};
}

Door::Reply Door::refuse(const std::string& target, const std::string& origin) const {
    std::string challenge = guard_.challenge;
    if (challenge.empty() && !guard_.tokens) challenge = "Basic realm=\"test\"";
    if (challenge.empty()) {
        challenge = "Bearer realm=\"" + (guard_.realm.empty() ? origin + "/token" : guard_.realm) +
                    "\",service=\"" + guard_.service +
                    "\",scope=\"repository:" + repository_of(target) + ":pull\"";
    }
    return {401,
            challenge,
            R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})"};
}

void Door::revoke() {
    const std::scoped_lock lock(mutex_);
    revoked_ = issued_;
}

unsigned Door::issued() const {
    const std::scoped_lock lock(mutex_);
    return issued_;
}

}  // namespace cfs::test
