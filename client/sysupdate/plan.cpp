// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/plan.hpp"

#include "bus/text.hpp"
#include "client/sysupdate/names.hpp"

namespace cfs::sysupdate {
namespace {

constexpr std::size_t kMaxShown = 100;

bool means(const Wish& wish, const std::optional<Offer>& offer) {
    return offer && (wish.version.empty() || wish.version == offer->name);
}

/// There is nothing to do, and why. For systemd's clients NoCandidate is as good as done.
sdbus::Error refusal(const Wish& wish, const Known& known) {
    const std::string version = bus::bus_line(wish.version, kMaxShown);
    std::string text;
    const char* name = kNoCandidate;
    if (means(wish, known.locked)) {
        text = "version '" + known.locked->name +
               "' is staged, but an administrator locked it: 'cfsctl finalize' arms it";
    } else if (!version.empty() && known.find(wish.version) == nullptr) {
        name = kNoSuchVersion;
        text = "there is no version '" + version + "'";
    } else if (wish.verb == Verb::Install) {
        text = version.empty() ? "nothing was acquired that could be installed"
                               : "version '" + version + "' was not acquired";
    } else if (version.empty()) {
        text = "nothing newer is there";
    } else if (known.find(wish.version) != nullptr && known.find(wish.version)->installed) {
        text = "version '" + version + "' is installed already";
    } else if (known.acquired && known.acquired->name == wish.version) {
        text = "version '" + version + "' was acquired already";
    } else {
        text = "version '" + version + "' is not what the image offers";
    }
    const std::string candidate = known.candidate();
    if (!candidate.empty() && !version.empty()) text += "; it offers '" + candidate + "'";
    return bus::make_error(name, text);
}

/// What the image offers is no candidate, and no failure either.
bool is_older(const sdbus::Error& checked) {
    return checked.getName() == std::string(bus::kErrorPrefix) + "DowngradeRejected";
}

bus::VariantMap options_of(const Offer& offer) {
    if (offer.manifest_digest.empty()) return {};
    return {{"expected-digest", sdbus::Variant{offer.manifest_digest}}};
}

}  // namespace

const char* to_string(Verb verb) {
    switch (verb) {
        case Verb::Update:
            return "update";
        case Verb::Acquire:
            return "acquire";
        case Verb::Install:
            return "install";
    }
    return "";
}

std::variant<sdbus::Error, Plan> make_plan(const Wish& wish,
                                           const Known& known,
                                           const std::optional<sdbus::Error>& checked) {
    const bool offered = wish.verb != Verb::Install && !checked && means(wish, known.offer);
    if (offered && wish.verb == Verb::Update)
        return Plan{"Update", options_of(*known.offer), known.offer->name, false};
    if (offered) {
        bus::VariantMap options = options_of(*known.offer);
        options["lock"] = sdbus::Variant{true};
        return Plan{"Stage", std::move(options), known.offer->name, false};
    }
    const bool is_here = means(wish, known.acquired);
    if (is_here && wish.verb != Verb::Acquire)
        return Plan{"Finalize", {}, known.acquired->name, true};
    if (checked && !is_here && !is_older(*checked)) return *checked;
    return refusal(wish, known);
}

const char* action_of(const Wish& wish, const Known& known) {
    const bool is_newest = !known.versions.empty() && known.versions.front().name == wish.version;
    const bool plain = wish.version.empty() || is_newest || means(wish, known.offer) ||
                       means(wish, known.acquired);
    return plain ? kUpdate : kUpdateToVersion;
}

}  // namespace cfs::sysupdate
