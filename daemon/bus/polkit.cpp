// SPDX-License-Identifier: Apache-2.0
#include "bus/polkit.hpp"

#include "base/log.hpp"

#include <string_view>
#include <utility>

namespace cfs::bus {
namespace {

constexpr const char* kPolkit = "org.freedesktop.PolicyKit1";
constexpr const char* kPath = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t kAllowUserInteraction = 1;

std::string cancellation_id(std::uint64_t id) {
    return "cfsupdated-" + std::to_string(id);
}

/// Where the action is described: "org.example.Thing1.do-it" -> "org.example.Thing1.policy".
std::string policy_file(const std::string& action) {
    return action.substr(0, action.rfind('.')) + ".policy";
}

/// There is nobody to ask, or what it said is no answer.
Error unavailable(const Polkit::Question& question, const sdbus::Error& failed) {
    const std::string name = failed.getName();
    const std::string& id = question.action;
    constexpr std::string_view kPrefix = "org.freedesktop.DBus.Error.";
    const std::string_view rest =
        std::string_view(name).substr(name.rfind(kPrefix, 0) == 0 ? kPrefix.size() : 0);
    if (rest == "ServiceUnknown" || rest == "NameHasNoOwner" || rest.rfind("Spawn.", 0) == 0) {
        return {ErrorCode::AccessDenied,
                "only root may do this (" + id + "): there is no polkit on this bus to allow it",
                "Run the command as root, e.g. with sudo, or install polkit."};
    }
    if (rest == "NoReply" || rest == "Timeout" || rest == "TimedOut") {
        return {ErrorCode::AccessDenied,
                "polkit gave no answer about " + id + " in time",
                "Try again and answer the dialog, or run the command as root."};
    }
    return {ErrorCode::AccessDenied,
            "polkit could not decide about " + id + ": " + std::string(failed.getMessage()),
            "Run the command as root. Is " + policy_file(id) +
                " installed in /usr/share/polkit-1/actions?"};
}

/// \param challenge a password would have done
sdbus::Error refusal(const Polkit::Question& question, bool challenge) {
    const std::string& id = question.action;
    if (!challenge) {
        return to_bus_error({ErrorCode::AccessDenied,
                             "polkit does not allow it: " + id,
                             "Ask the administrator of this machine, or run the command as root."});
    }
    if (!question.caller.interactive) {
        return interaction_required(
            id + " needs an administrator's password, and the call did not allow to ask for it",
            "Allow it to ask (cfsctl without --no-ask-password), or run the command as root.");
    }
    return to_bus_error(
        {ErrorCode::AccessDenied,
         id + " needs an administrator's password, and none was given",
         "Is an authentication agent running in this session? 'pkttyagent' is one for a terminal. "
         "Or run the command as root."});
}

}  // namespace

Polkit::Polkit(sdbus::IConnection& connection, BusPump& pump, Timing timing)
    : pump_(pump),
      timing_(timing),
      authority_(sdbus::createProxy(connection, ServiceName{kPolkit}, sdbus::ObjectPath{kPath})) {
    finish_registration(*authority_);
}

Polkit::~Polkit() = default;

std::uint64_t Polkit::ask(const Question& question, Answer answer) {
    const std::uint64_t id = ++last_id_;
    const bool interactive = question.caller.interactive;
    const sdbus::Struct<std::string, VariantMap> subject{
        std::string("system-bus-name"), VariantMap{{"name", sdbus::Variant{question.caller.name}}}};
    authority_->callMethodAsync("CheckAuthorization")
        .onInterface(kInterface)
        .withTimeout(interactive ? timing_.person : timing_.rules)
        .withArguments(subject,
                       question.action,
                       question.details,
                       interactive ? kAllowUserInteraction : std::uint32_t{0},
                       interactive ? cancellation_id(id) : std::string())
        .uponReplyInvoke(
            [this, id](CallError failed, const Reply& reply) { answered(id, failed, reply); });
    open_.emplace(id, Open{question, std::move(answer)});
    pump_.kick();
    return id;
}

void Polkit::answered(std::uint64_t id, const CallError& failed, const Reply& reply) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    const Open open = std::move(found->second);
    open_.erase(found);
    // Nothing may leave a callback of the bus library.
    try {
        if (failed) {
            if (open.question.caller.interactive) close_dialog(id);
            open.answer(to_bus_error(unavailable(open.question, *failed)));
            return;
        }
        const bool authorised = reply.get<0>();
        if (authorised) return open.answer(std::nullopt);
        open.answer(refusal(open.question, reply.get<1>()));
    } catch (const std::exception& e) {
        log::error(std::string("handling polkit's answer failed: ") + e.what());
    }
}

void Polkit::withdraw(std::uint64_t id) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    const bool dialog = found->second.question.caller.interactive;
    open_.erase(found);
    if (dialog) close_dialog(id);
}

void Polkit::close_dialog(std::uint64_t id) {
    try {
        authority_->callMethodAsync("CancelCheckAuthorization")
            .onInterface(kInterface)
            .withArguments(cancellation_id(id))
            .uponReplyInvoke([](CallError) {});  // answered meanwhile, or polkitd is gone
        pump_.kick();
    } catch (const sdbus::Error& e) {
        log::debug("a polkit dialog could not be closed: " + std::string(e.getMessage()));
    }
}

}  // namespace cfs::bus
