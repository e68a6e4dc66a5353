// SPDX-License-Identifier: Apache-2.0
// Repair: look at everything, mend the first thing that can be mended, look again. Each round is
// durable before the next, so that a crash leaves a store that is no worse than before; the next
// repair begins with what is left.
#include "base/error.hpp"
#include "base/log.hpp"
#include "store/splitstream.hpp"
#include "update/layer_choice.hpp"
#include "update/mend.hpp"
#include "update/selection.hpp"
#include "update/source.hpp"
#include "update/verbs.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace cfs::update {
namespace {

constexpr const char* kGoneHint =
    "the registry no longer has what is needed: push that image there again, or move to one that "
    "it "
    "has with 'cfsctl update'";

/// May another source, or another step, still succeed?
bool ends_everything(const Error& e) {
    switch (e.code()) {
        case ErrorCode::Cancelled:
        case ErrorCode::NoSpace:
        case ErrorCode::Io:
        case ErrorCode::AccessDenied:
        case ErrorCode::Internal:
            return true;
        default:
            return false;
    }
}

class Repair {
 public:
    Repair(Machine& machine,
           const RepairOptions& options,
           ProgressSink& progress,
           const std::stop_token& stop)
        : machine_(machine),
          progress_(progress),
          stop_(stop),
          inspector_(machine.store(),
                     store::Look::Read,
                     options.rate.value_or(machine.settings.store.verify_rate),
                     progress,
                     stop) {
        take_overview(machine_, all_);
        records_ = select_deployments(all_, options.deployment);
    }

    RepairResult run() {
        const auto lock = machine_.store().lock_shared(machine_.settings.store.lock_timeout, stop_);
        for (;;) {
            progress_.stage("verify");
            const Survey survey(machine_, records_, inspector_, fetched_documents_, stop_);
            note(survey);
            if (survey.damage().empty()) return finish(survey);
            if (!mend(survey)) fail(survey);
            machine_.store().sync();
            inspector_.look_again_at_damage();
        }
    }

 private:
    using FromSource = std::function<void(net::ImageSource&, const net::Descriptor&)>;

    bool mend(const Survey& survey);
    bool copy_uki(const Survey& survey, const Contents& contents);
    bool fetch_documents(const Contents& contents);
    bool fetch_layer(const Survey& survey);
    bool mend_image(const Survey& survey, const Contents& contents);
    bool mend_streams(const Contents& contents);
    bool mend_pins(const Contents& contents);
    bool mend_entry(const Survey& survey, const Contents& contents);
    [[nodiscard]] boot::EntryName entry_name(const Contents& contents) const;
    void import(const Survey& survey, const StoredLayer& layer);
    void from_holder(const Survey& survey, const Digest& diff_id, const FromSource& fetch);
    net::ImageSource& source_of(const DeploymentRecord& record);

    /// Runs a step that was not tried yet; false: it was. A failure is kept for the end.
    template <typename F>
    bool attempt(const std::string& key, F&& step) {
        if (!tried_.insert(key).second) return false;
        try {
            std::forward<F>(step)();
        } catch (const Error& e) {
            if (ends_everything(e)) throw;
            log::warn(std::string("repair: ") + e.what());
            progress_.message(e.what());
            if (!failure_) failure_ = e;
        }
        return true;
    }

    void note(const Survey& survey);
    RepairResult finish(const Survey& survey);
    [[noreturn]] void fail(const Survey& survey);

    Machine& machine_;
    ProgressSink& progress_;
    std::stop_token stop_;
    Inspector inspector_;
    Overview all_;
    std::vector<const DeploymentRecord*> records_;
    FetchedDocuments fetched_documents_;
    std::map<std::string, std::unique_ptr<OpenedSource>> sources_;  ///< by reference
    std::set<std::string> tried_;
    std::optional<Error> failure_;  ///< the first
    std::map<std::pair<DamageKind, std::string>, Damage> found_;
    std::uint64_t fetched_ = 0;  ///< bytes, and those that were left
    std::uint64_t resumed_ = 0;  ///< of them what an interrupted job left
    std::uint64_t layers_ = 0;
};

bool Repair::mend(const Survey& survey) {
    for (const Contents& contents : survey.contents()) {
        if (copy_uki(survey, contents) || fetch_documents(contents)) return true;
    }
    if (fetch_layer(survey)) return true;
    for (const Contents& contents : survey.contents()) {
        if (mend_image(survey, contents) || mend_streams(contents) || mend_pins(contents))
            return true;
    }
    // Last: nothing becomes bootable whose image is not.
    for (const Contents& contents : survey.contents()) {
        if (mend_entry(survey, contents)) return true;
    }
    return false;
}

/// The ESP has a copy that firmware boots from: no network is needed.
bool Repair::copy_uki(const Survey& survey, const Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (!survey.is_bad(record.uki_object)) return false;
    return attempt("uki " + record.stem, [&] {
        if (copy_uki_from_esp(machine_, record, stop_)) {
            progress_.message("copied the UKI of version " + record.version + " from the ESP");
        }
    });
}

net::ImageSource& Repair::source_of(const DeploymentRecord& record) {
    const std::string reference = pinned_reference(record);
    auto& source = sources_[reference];
    if (!source) {
        const settings::Settings& settings = machine_.settings;
        source = std::make_unique<OpenedSource>(
            reference, settings, scratch_dir(settings), stop_, keep_options(settings));
    }
    return **source;
}

bool Repair::fetch_documents(const Contents& contents) {
    if (contents.documents) return false;
    const DeploymentRecord& record = *contents.record;
    return attempt("documents " + record.stem, [&] {
        progress_.stage("fetch");
        progress_.message("fetching the manifest of version " + record.version);
        net::ImageSource& source = source_of(record);
        const std::uint64_t before = source.bytes_fetched();
        net::Resolved documents = source.resolve(net::host_platform(), stop_);
        fetched_ += source.bytes_fetched() - before;
        if (documents.manifest_digest != record.manifest) {
            throw Error(ErrorCode::NotFound,
                        "'" + record.reference + "' is " + to_oci(documents.manifest_digest) +
                            " by now, and version " + printable(record.version) + " was " +
                            to_oci(record.manifest));
        }
        fetched_documents_.insert_or_assign(record.manifest, std::move(documents));
    });
}

/// Asks the deployments that have the layer, one after the other, where they came from.
void Repair::from_holder(const Survey& survey, const Digest& diff_id, const FromSource& fetch) {
    std::optional<Error> first;
    std::set<std::string> asked;
    for (const Contents& contents : survey.contents()) {
        const auto layer = std::find_if(contents.layers.begin(),
                                        contents.layers.end(),
                                        [&](const auto& one) { return one.diff_id == diff_id; });
        if (layer == contents.layers.end()) continue;
        if (!asked.insert(contents.record->reference + to_oci(layer->blob.digest)).second) continue;
        try {
            return fetch(source_of(*contents.record), layer->blob);
        } catch (const Error& e) {
            if (ends_everything(e)) throw;
            if (!first) first = e;
        }
    }
    if (first) throw Error(*first);
}

/// A layer whose splitstream is lost is imported anew; else only its bad objects are written.
void Repair::import(const Survey& survey, const StoredLayer& layer) {
    from_holder(survey, layer.diff_id, [&](net::ImageSource& source, const net::Descriptor& blob) {
        progress_.message("fetching the layer " + to_oci(blob.digest) + ", " +
                          std::to_string(blob.size) + " bytes");
        resumed_ += source.kept_bytes(blob);
        const std::uint64_t total = fetched_ + blob.size;
        const auto on_bytes = [&](std::uint64_t more) {
            fetched_ += more;
            progress_.bytes(fetched_, std::max(total, fetched_), 0);
        };
        // Room that an update leaves free is there for this.
        const LayerLimits limits = layer_limits(machine_.settings);
        if (layer.sound) {
            const auto wanted = [&](const Digest& object) { return survey.is_bad(object); };
            (void)refetch_objects(
                machine_.store(), source, blob, layer.diff_id, limits, wanted, on_bytes, stop_);
        } else {
            (void)import_layer(machine_.store(),
                               source,
                               blob,
                               layer.diff_id,
                               limits,
                               {.bytes = on_bytes, .streamed = {}},
                               stop_);
        }
        ++layers_;
    });
}

bool Repair::fetch_layer(const Survey& survey) {
    const auto is_tried = [&](const StoredLayer& layer) {
        return tried_.count(layer_key(layer)) != 0;
    };
    const StoredLayer* layer = choose_layer(survey, is_tried);
    if (layer == nullptr) return false;
    return attempt(layer_key(*layer), [&] {
        progress_.stage("fetch");
        import(survey, *layer);
    });
}

bool Repair::mend_image(const Survey& survey, const Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (contents.image_sound || !layers_are_sound(contents)) return false;
    if (survey.is_bad(record.uki_object)) return false;
    return attempt("image " + record.image.hex(), [&] {
        progress_.stage("compose");
        progress_.message("composing the image of version " + record.version);
        rebuild_image(machine_, contents, stop_);
    });
}

bool Repair::mend_streams(const Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (contents.streams_sound || !contents.image_sound) return false;
    if (!layers_are_sound(contents)) return false;
    return attempt("streams " + record.stem, [&] { rebuild_documents(machine_, contents, stop_); });
}

bool Repair::mend_pins(const Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (contents.pins_sound || !contents.streams_sound || !contents.image_sound) return false;
    return attempt("pins " + record.stem,
                   [&] { pin_deployment(machine_.store(), record.manifest, record.image); });
}

/// As the ESP has it; of one that is lost, so that no repair changes what is booted next: last in
/// the loader's order if it was left or failed, with tries if it never ran well.
boot::EntryName Repair::entry_name(const Contents& contents) const {
    const DeploymentRecord& record = *contents.record;
    if (const auto found = boot::parse_entry_name(contents.entry))
        return {record.stem, found->counter};
    const bool was_left = record.phase == Phase::Booted && all_.booted != nullptr &&
                          record.serial > all_.booted->serial;
    if (was_left || find_hold(all_.held, record) != nullptr)
        return {record.stem, boot::Counter{0, 1}};
    if (record.proven) return {record.stem, std::nullopt};
    return {record.stem, boot::Counter{machine_.settings.boot.tries, 0}};
}

/// From the store, which holds the bytes that were judged before they were installed.
bool Repair::mend_entry(const Survey& survey, const Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (contents.entry_sound || !contents.image_sound || survey.is_bad(record.uki_object))
        return false;
    return attempt("entry " + record.stem, [&] {
        restore_entry(machine_, record, entry_name(contents));
        progress_.message("put the UKI of version " + record.version + " back on the ESP");
    });
}

void Repair::note(const Survey& survey) {
    for (const Damage& damage : survey.damage())
        found_.try_emplace({damage.kind, damage.name}, damage);
}

RepairResult Repair::finish(const Survey& survey) {
    RepairResult result;
    std::vector<Damage> found;
    for (auto& [key, damage] : found_)
        found.push_back(std::move(damage));
    result.found.full = true;
    result.found.warnings = all_.problems;
    add_damage(found, result.found);
    add_scope(records_, survey, inspector_, result.found);
    result.repaired = found.size();
    result.layers = layers_;
    result.fetched_bytes = fetched_ - std::min(fetched_, resumed_);
    return result;
}

void Repair::fail(const Survey& survey) {
    std::string left = "still missing or damaged:\n";
    for (const Damage& damage : survey.damage())
        left += "  " + describe_damage(damage) + "\n";
    const std::uint64_t repaired = found_.size() - std::min(found_.size(), survey.damage().size());
    const std::string what =
        "repaired " + std::to_string(repaired) + " of " + std::to_string(found_.size());
    if (!failure_) {
        throw Error(ErrorCode::StateCorrupt,
                    what + "; nothing that is known here holds the rest",
                    "install the image again with 'cfsctl update --image'")
            .set_details(left);
    }
    Error error(*failure_);
    error.add_context(what);
    if (error.code() == ErrorCode::NotFound) error.set_hint(kGoneHint);
    throw error.set_details(left);
}

}  // namespace

RepairResult run_repair(Machine& machine,
                        const RepairOptions& options,
                        ProgressSink& progress,
                        const std::stop_token& stop) {
    machine.attempt.kind = "repair";
    const RepairResult result = Repair(machine, options, progress, stop).run();
    machine.attempt.fetched = result.fetched_bytes;
    machine.attempt.message = "repaired " + std::to_string(result.repaired);
    if (result.found.sound()) machine.attempt.kind.clear();
    return result;
}

}  // namespace cfs::update
