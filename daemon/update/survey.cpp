// SPDX-License-Identifier: Apache-2.0
#include "update/survey.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "crypto/hasher.hpp"
#include "store/splitstream.hpp"
#include "update/compose.hpp"
#include "update/mend.hpp"

#include <algorithm>
#include <array>

namespace cfs::update {
namespace {

using store::ObjectState;

constexpr std::array<std::string_view, 5> kKinds = {"image", "stream", "object", "ref", "entry"};
static_assert(kKinds.size() == static_cast<std::size_t>(DamageKind::Entry) + 1);

/// Runs `read`, whose Error is what is wrong with the thing that it reads.
template <typename F>
std::string problem_of(F&& read) {
    try {
        std::forward<F>(read)();
        return {};
    } catch (const Error& e) {
        if (e.code() == ErrorCode::Cancelled) throw;
        return e.what();
    }
}

std::uint64_t entry_size(Machine& machine, const std::string& file) {
    const auto fd = machine.boot().open(file);
    return fd ? file_size(fd->get()) : 0;
}

/// Is there a ref of that name to that entry?
bool has_ref(const std::vector<store::Ref>& refs, const store::Ref& wanted) {
    return std::find(refs.begin(), refs.end(), wanted) != refs.end();
}

}  // namespace

std::string_view to_string(DamageKind kind) {
    return kKinds.at(static_cast<std::size_t>(kind));
}

Survey::Survey(Machine& machine,
               const std::vector<const DeploymentRecord*>& records,
               Inspector& inspector,
               const FetchedDocuments& fetched,
               const std::stop_token& stop)
    : machine_(machine), inspector_(inspector), fetched_(fetched), stop_(stop) {
    for (const auto* record : records) {
        contents_.emplace_back().record = record;
        survey_deployment(contents_.back());
    }
    look_at_objects();
    if (inspector_.depth() == store::Look::Read) look_into_layers();
}

void Survey::add(DamageKind kind,
                 const std::string& name,
                 const std::string& problem,
                 bool missing) {
    const auto same = std::find_if(damage_.begin(), damage_.end(), [&](const Damage& damage) {
        return damage.kind == kind && damage.name == name;
    });
    if (same == damage_.end()) {
        damage_.push_back({kind, name, problem, "", {current_}, missing});
    } else if (same->who.back() != current_) {
        same->who.push_back(current_);
    }
}

void Survey::survey_deployment(Contents& contents) {
    check(stop_);
    current_ = contents.record;
    survey_image(contents);
    survey_documents(contents);
    survey_pins(contents);
    need(contents.record->uki_object, "the UKI", contents.record->uki_size);
    for (StoredLayer& layer : contents.layers)
        survey_layer(layer);
    survey_entry(contents);
    for (const DanglingRef& ref : dangling_) {
        if (reported_.count(ref.target) != 0) continue;
        add(DamageKind::Stream,
            "streams/" + ref.stream,
            "names " + ref.target.hex() + " (" + printable(ref.key) +
                "), which is missing or damaged",
            false);
    }
    dangling_.clear();
}

/// An ESP that cannot be read is a warning of every verb, and nothing that a repair could mend.
void Survey::survey_entry(Contents& contents) {
    const DeploymentRecord& record = *contents.record;
    if (record.phase != Phase::Armed && record.phase != Phase::Booted) return;
    try {
        contents.entry = find_entry(machine_.boot().list(), record.stem);
    } catch (const Error& e) {
        log::debug(std::string("the entries are not looked at: ") + e.what());
        return;
    }
    if (contents.entry.empty()) {
        contents.entry_sound = false;
        return add(DamageKind::Entry, record.stem, "is not on the ESP", true);
    }
    const bool full = inspector_.depth() == store::Look::Read;
    const std::string problem = problem_of([&] {
        const bool sound = full ? holds_its_uki(machine_, record, contents.entry)
                                : entry_size(machine_, contents.entry) == record.uki_size;
        if (!sound) throw Error(ErrorCode::DigestMismatch, "is not the UKI that was installed");
    });
    if (problem.empty()) return;
    contents.entry_sound = false;
    add(DamageKind::Entry, record.stem, problem, false);
}

void Survey::survey_image(Contents& contents) {
    const Digest& image = contents.record->image;
    const auto& found = inspector_.look_closely(image);
    if (found.state != ObjectState::Sound) {
        reported_.insert(image);
        const bool missing = found.state == ObjectState::Missing;
        return add(DamageKind::Image, image.hex(), missing ? "is missing" : found.problem, missing);
    }
    if (!machine_.store().has_image(image)) {
        return add(DamageKind::Image, image.hex(), "has no link in images/", true);
    }
    const std::string problem = problem_of([&] {
        load_tree(machine_.store(), image).walk([&](const std::string& path, const auto& node) {
            if (node.is_directory() || !node.leaf()->external) return;
            need(*node.leaf()->external, path, node.leaf()->size);
        });
    });
    if (!problem.empty()) {
        inspector_.condemn(image, problem);
        return add(DamageKind::Image, image.hex(), problem, false);
    }
    contents.image_sound = true;
}

void Survey::survey_pins(Contents& contents) {
    const store::Ref stream{manifest_pin(contents.record->manifest),
                            manifest_stream_name(contents.record->manifest)};
    const store::Ref image{image_pin(contents.record->image), contents.record->image.hex()};
    const bool has_stream = has_ref(machine_.store().list_stream_refs(), stream);
    const bool has_image = has_ref(machine_.store().list_image_refs(), image);
    if (!has_stream) add(DamageKind::Ref, "streams/refs/" + stream.name, "is missing", true);
    if (!has_image) add(DamageKind::Ref, "images/refs/" + image.name, "is missing", true);
    contents.pins_sound = has_stream && has_image;
}

/// The object behind streams/<name>; nullopt, with the damage noted, unless it is sound.
std::optional<Digest> Survey::find_sound_stream(const std::string& name) {
    const std::string path = "streams/" + name;
    streams_.insert(path);
    std::optional<Digest> object;
    std::string problem = problem_of([&] { object = machine_.store().find_stream(name); });
    bool missing = problem.empty() && !object;
    if (object) {
        const auto& found = inspector_.look_closely(*object);
        if (found.state == ObjectState::Sound) return object;
        reported_.insert(*object);
        missing = found.state == ObjectState::Missing;
        problem = missing ? "" : "its object " + object->hex() + " " + found.problem;
    }
    add(DamageKind::Stream, path, missing ? "is missing" : problem, missing);
    return std::nullopt;
}

/// A manifest or config keeps alive what it names: each must be there.
bool Survey::refs_are_sound(const std::string& name, const Digest& stream) {
    bool sound = true;
    const std::string problem = problem_of([&] {
        const auto reader = store::open_splitstream(machine_.store(), stream);
        for (const Digest& object : reader.object_refs())
            need(object, "", std::nullopt);
        for (const auto& [key, target] : reader.named_refs()) {
            if (inspector_.look_closely(target).state == ObjectState::Sound) continue;
            sound = false;
            dangling_.push_back({name, key, target});
        }
    });
    if (problem.empty()) return sound;
    inspector_.condemn(stream, problem);
    add(DamageKind::Stream, "streams/" + name, problem, false);
    return false;
}

Survey::StoredDocument Survey::read_document(const std::string& name, const Digest& digest) {
    StoredDocument out;
    const auto stream = find_sound_stream(name);
    if (!stream) return out;
    out.sound = refs_are_sound(name, *stream);
    MemorySink bytes(net::kMaxDocumentBytes);
    const std::string problem = problem_of([&] {
        const auto reader = store::open_splitstream(machine_.store(), *stream);
        for (const Digest& object : reader.object_refs())
            (void)inspector_.look_closely(object);
        store::cat_stream(machine_.store(), name, bytes);
        const Digest found = hash(digest.algorithm(), bytes.bytes());
        if (found != digest) {
            throw Error(ErrorCode::StateCorrupt, "holds " + to_oci(found));
        }
    });
    if (problem.empty()) {
        out.bytes = bytes.take();
    } else {
        out.sound = false;
        add(DamageKind::Stream, "streams/" + name, problem, false);
    }
    return out;
}

void Survey::survey_documents(Contents& contents) {
    const Digest& digest = contents.record->manifest;
    StoredDocument manifest = read_document(manifest_stream_name(digest), digest);
    const auto fetched = fetched_.find(digest);
    if (fetched != fetched_.end()) {
        contents.documents = fetched->second;
    } else if (manifest.bytes) {
        net::Resolved documents;
        documents.manifest_digest = digest;
        documents.manifest = net::parse_manifest(*manifest.bytes);
        documents.manifest_bytes = std::move(*manifest.bytes);
        contents.documents = std::move(documents);
    }
    if (!contents.documents) return;
    const Digest config_digest = contents.documents->manifest.config.digest;
    StoredDocument config = read_document(config_stream_name(config_digest), config_digest);
    contents.streams_sound = manifest.sound && config.sound;
    if (fetched == fetched_.end()) {
        if (!config.bytes) return contents.documents.reset();
        contents.documents->config = net::parse_config(*config.bytes);
        contents.documents->config_bytes = std::move(*config.bytes);
    }
    const auto& diff_ids = contents.documents->config.diff_ids;
    const auto& blobs = contents.documents->manifest.layers;
    for (std::size_t i = 0; i < std::min(diff_ids.size(), blobs.size()); ++i)
        contents.layers.push_back({diff_ids[i], blobs[i], std::nullopt, {}, 0});
}

void Survey::survey_layer(StoredLayer& layer) {
    const std::string name = layer_stream_name(layer.diff_id);
    const auto stream = find_sound_stream(name);
    if (!stream) return;
    const std::string problem = problem_of([&] {
        const auto reader = store::open_splitstream(machine_.store(), *stream);
        layer.objects = reader.object_refs();
        layer.bytes = reader.total_size();
    });
    if (!problem.empty()) {
        inspector_.condemn(*stream, problem);
        return add(DamageKind::Stream, "streams/" + name, problem, false);
    }
    layer.sound = stream;
    for (const Digest& object : layer.objects)
        need(object, "", std::nullopt);
}

/// Those with damaged objects are looked into when they have them again.
void Survey::look_into_layers() {
    for (Contents& contents : contents_) {
        current_ = contents.record;
        for (StoredLayer& layer : contents.layers) {
            const bool whole =
                layer.sound && std::none_of(layer.objects.begin(),
                                            layer.objects.end(),
                                            [&](const auto& o) { return is_bad(o); });
            if (!whole) continue;
            const std::string name = layer_stream_name(layer.diff_id);
            const std::string problem =
                inspector_.content_problem(name, *layer.sound, layer.diff_id);
            if (problem.empty()) continue;
            layer.sound.reset();
            add(DamageKind::Stream, "streams/" + name, problem, false);
        }
    }
}

void Survey::need(const Digest& object,
                  const std::string& path,
                  std::optional<std::uint64_t> size) {
    Need& entry = needs_[object];
    if (entry.path.empty()) entry.path = path;
    if (!entry.size) entry.size = size;
    if (entry.who.empty() || entry.who.back() != current_) entry.who.push_back(current_);
}

void Survey::look_at_objects() {
    std::uint64_t bytes = 0;
    for (const auto& [object, entry] : needs_) {
        const bool read = inspector_.depth() == store::Look::Read && !inspector_.knows(object);
        if (read) bytes += machine_.store().object_size(object).value_or(0);
    }
    for (const Contents& contents : contents_) {
        for (const StoredLayer& layer : contents.layers)
            bytes += inspector_.depth() == store::Look::Read ? layer.bytes : 0;
    }
    inspector_.expect(bytes);
    for (const auto& [object, entry] : needs_) {
        const auto& found = inspector_.look(object, entry.size);
        if (found.state == ObjectState::Sound) continue;
        const bool missing = found.state == ObjectState::Missing;
        bad_.insert(object);
        damage_.push_back({DamageKind::Object,
                           object.hex(),
                           missing ? "is missing" : found.problem,
                           entry.path,
                           entry.who,
                           missing});
    }
}

}  // namespace cfs::update
