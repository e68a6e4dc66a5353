// SPDX-License-Identifier: Apache-2.0
#include "net/authenticator.hpp"

#include "net/base64.hpp"
#include "net/json_reader.hpp"
#include "net/url.hpp"

#include <algorithm>
#include <utility>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{256} << 10;
constexpr std::size_t kMaxToken = std::size_t{64} << 10;
constexpr std::size_t kMaxEntries = 64;  // a registry that asks for another scope each time
constexpr std::chrono::seconds kForever{std::chrono::hours{24 * 365}};
constexpr std::chrono::seconds kLongest{std::chrono::hours{24}};

Authorization basic(const Credential& credential) {
    const std::string coded = to_base64(credential.user + ":" + credential.password);
    return {"Authorization: Basic " + coded, {coded, credential.password}};
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
    const auto found = std::find_if(challenges.begin(), challenges.end(), [&](const auto& one) {
        return one.scheme == scheme;
    });
    return found == challenges.end() ? nullptr : &*found;
}

std::string parameter(const Challenge& challenge, const std::string& name) {
    const auto found = challenge.parameters.find(name);
    return found == challenge.parameters.end() ? std::string() : found->second;
}

}  // namespace

IssuedToken parse_token(ByteView document) {
    const auto object = parse_object(document, "token service's answer", Quoting::Never);
    IssuedToken out;
    out.token = string_or_empty(object, "token", "");
    if (out.token.empty()) out.token = string_or_empty(object, "access_token", "");
    const bool sendable =
        std::all_of(out.token.begin(), out.token.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (out.token.empty() || out.token.size() > kMaxToken || !sendable) {
        bad_field("token", "missing, too long or no word that a header can carry");
    }
    const auto* lifetime = optional_field(object, "expires_in");
    if (lifetime != nullptr && lifetime->is_int64() && lifetime->get_int64() > 0) {
        out.lifetime =
            std::chrono::seconds(std::min<std::int64_t>(lifetime->get_int64(), kLongest.count()));
    }
    return out;
}

Authenticator::Authenticator(std::string host,
                             std::string name,
                             const NetOptions& options,
                             HttpClient& http)
    : host_(std::move(host)), name_(std::move(name)), options_(options), http_(http) {}

Authorization Authenticator::current() const {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(in_use_);
    if (found == entries_.end() || found->second.expires <= options_.clock->steady()) return {};
    return found->second.authorization;
}

std::string Authenticator::account() const {
    const std::scoped_lock lock(mutex_);
    return account_;
}

void Authenticator::keep(const std::string& key,
                         Authorization authorization,
                         std::chrono::seconds lifetime) {
    // Not used in its last tenth: a request under way must not outlive its token.
    const auto expires = options_.clock->steady() + lifetime - lifetime / 10;
    const std::scoped_lock lock(mutex_);
    if (entries_.size() >= kMaxEntries) entries_.clear();
    entries_[key] = {std::move(authorization), expires};
    in_use_ = key;
}

/// Another thread may have answered the same challenge meanwhile; what was refused is forgotten.
bool Authenticator::renewed_since(const Authorization& sent) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(in_use_);
    if (found == entries_.end()) return false;
    const bool usable = found->second.expires > options_.clock->steady();
    if (usable && found->second.authorization.header != sent.header) return true;
    entries_.erase(found);
    return false;
}

std::optional<Credential> Authenticator::look_up() {
    std::vector<std::string> tried;
    auto found = find_credential(options_.auth_files, host_, name_, &tried);
    std::string account = "with the credentials in ";
    if (found) {
        account += found->origin;
    } else {
        account = "without credentials";
        for (std::size_t i = 0; i < tried.size(); ++i)
            account += (i == 0 ? " (" : ", ") + tried[i];
        if (!tried.empty()) account += ")";
    }
    const std::scoped_lock lock(mutex_);
    account_ = std::move(account);
    return found;
}

std::optional<Failure> Authenticator::answer(const std::string& url,
                                             const HttpResponse& refusal,
                                             const Authorization& sent,
                                             const std::stop_token& stop) {
    if (renewed_since(sent)) return std::nullopt;
    std::vector<Challenge> challenges;
    for (const std::string& field : refusal.challenges) {
        const auto more = parse_challenges(field);
        challenges.insert(challenges.end(), more.begin(), more.end());
    }
    // A token is shown to the registry in the password's place.
    if (const Challenge* bearer = find_scheme(challenges, "bearer")) {
        return answer_bearer(url, *bearer, stop);
    }
    if (find_scheme(challenges, "basic") != nullptr) return answer_basic(url, refusal, sent);
    Failure failure = status_failure(url, refusal, {}, {});
    if (!challenges.empty()) {
        failure.error.add_context("the scheme '" + printable(challenges.front().scheme, 60) +
                                  "' is wanted, and only Basic and Bearer are known");
    }
    return failure;
}

std::optional<Failure> Authenticator::answer_basic(const std::string& url,
                                                   const HttpResponse& refusal,
                                                   const Authorization& sent) {
    const auto credential = look_up();
    const Authorization found = credential ? basic(*credential) : Authorization{};
    if (found.header == sent.header) {
        Failure failure = status_failure(url, refusal, {}, {});
        failure.error.add_context(account());
        return failure;
    }
    keep("basic", found, kForever);
    return std::nullopt;
}

std::string Authenticator::token_url(const std::string& url, const Challenge& challenge) const {
    const std::string realm = parameter(challenge, "realm");
    constexpr const char* kNames = "names as its token service";
    Url target;
    try {
        target = parse_url(realm);
    } catch (const Error&) {
        throw bad_target(url, kNames, realm, "no http or https URL");
    }
    if (target.has_user) throw bad_target(url, kNames, realm, "a user name in the target");
    if (target.scheme != "https") {
        if (parse_url(url).scheme == "https") {
            throw bad_target(url, kNames, realm, "from HTTPS to plain HTTP");
        }
        if (!may_use_http(target.host, target.port, options_)) {
            throw bad_target(
                url, kNames, realm, "plain HTTP to a host that is neither local nor allowed");
        }
    }
    std::string scope = parameter(challenge, "scope");
    if (scope.empty()) scope = "repository:" + name_ + ":pull";
    return with_query(realm, {{"service", parameter(challenge, "service")}, {"scope", scope}});
}

std::optional<Failure> Authenticator::answer_bearer(const std::string& url,
                                                    const Challenge& challenge,
                                                    const std::stop_token& stop) {
    const std::string target = token_url(url, challenge);
    const auto credential = look_up();
    const Authorization with = credential ? basic(*credential) : Authorization{};
    HttpRequest request{target, {}, is_loopback(parse_url(target).host)};
    if (!with.header.empty()) request.headers.push_back(with.header);
    MemorySink body(kMaxAnswer);
    const HttpOutcome outcome = http_.get(
        request, [&](const HttpResponse&) { return &body; }, stop);
    if (outcome.end.failure != FailureKind::None) return transfer_failure(target, outcome.end);
    if (outcome.response.status != 200) {
        Failure failure = status_failure(target, outcome.response, body.bytes(), with.secrets);
        failure.error.add_context("asking for a token " + account());
        return failure;
    }
    const IssuedToken issued =
        with_context("a token of " + shown_url(target), [&] { return parse_token(body.bytes()); });
    keep(target, {"Authorization: Bearer " + issued.token, {issued.token}}, issued.lifetime);
    return std::nullopt;
}

}  // namespace cfs::net
