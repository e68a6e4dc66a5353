// SPDX-License-Identifier: Apache-2.0
/// \file What deployments need of the store and the ESP, and what of it is missing or damaged.
#pragma once

#include "net/image_source.hpp"
#include "update/inspector.hpp"
#include "update/machine.hpp"

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

/// A layer as the store keeps it.
struct StoredLayer {
    Digest diff_id;
    net::Descriptor blob;         ///< in the registry
    std::optional<Digest> sound;  ///< its splitstream; nullopt: missing or damaged
    std::vector<Digest> objects;  ///< of a sound one
    std::uint64_t bytes = 0;      ///< of a sound one, unpacked
};

/// One deployment's things in the store.
struct Contents {
    const DeploymentRecord* record = nullptr;
    std::optional<net::Resolved> documents;  ///< manifest and config; nullopt: cannot be read
    std::vector<StoredLayer> layers;         ///< empty while the documents are not known
    bool image_sound = false;                ///< and its link
    bool streams_sound = false;              ///< those of manifest and config, and what they name
    bool pins_sound = false;
    bool entry_sound = true;  ///< its UKI on the ESP; also where it has none yet
    std::string entry;        ///< file name of that; empty: missing
};

enum class DamageKind { Image, Stream, Object, Ref, Entry };

/// "image", "stream", "object", "ref", "entry": the UKI on the ESP.
[[nodiscard]] std::string_view to_string(DamageKind kind);

struct Damage {
    DamageKind kind = DamageKind::Object;
    std::string name;  ///< digest of an image or object, path of a stream or ref, an entry's stem
    std::string problem;                       ///< "is missing", or what is wrong
    std::string path;                          ///< in the image; empty if it is no file there
    std::vector<const DeploymentRecord*> who;  ///< need it
    bool missing = false;
};

/// Manifest and config by manifest digest, of those that had to be fetched again.
using FetchedDocuments = std::map<Digest, net::Resolved>;

/// One look at everything that some deployments need: their images, pins, manifests, configs,
/// layers and UKIs, each object that these name, and their entries on an ESP that can be read.
/// A look that reads puts the layers together, too: a sound splitstream may be another layer's.
/// Changes nothing. The caller holds the store's
/// shared lock. What could not be read is damage; only Cancelled is thrown.
class Survey {
 public:
    /// \param records of the deployments; outlive this
    Survey(Machine& machine,
           const std::vector<const DeploymentRecord*>& records,
           Inspector& inspector,
           const FetchedDocuments& fetched,
           const std::stop_token& stop);

    [[nodiscard]] const std::vector<Contents>& contents() const { return contents_; }

    [[nodiscard]] const std::vector<Damage>& damage() const { return damage_; }

    [[nodiscard]] std::uint64_t streams() const { return streams_.size(); }

    /// Is the object one of those that were found missing or damaged?
    [[nodiscard]] bool is_bad(const Digest& object) const { return bad_.count(object) != 0; }

    [[nodiscard]] bool has_bad_objects() const { return !bad_.empty(); }

 private:
    /// Who needs an object, and as what.
    struct Need {
        std::optional<std::uint64_t> size;
        std::string path;
        std::vector<const DeploymentRecord*> who;
    };

    /// A manifest or config names what is not there, or not sound.
    struct DanglingRef {
        std::string stream, key;
        Digest target;
    };

    struct StoredDocument {
        std::optional<Bytes> bytes;
        bool sound = false;
    };

    void survey_deployment(Contents& contents);
    void survey_image(Contents& contents);
    void survey_pins(Contents& contents);
    void survey_documents(Contents& contents);
    void survey_layer(StoredLayer& layer);
    void survey_entry(Contents& contents);
    StoredDocument read_document(const std::string& name, const Digest& digest);
    bool refs_are_sound(const std::string& name, const Digest& stream);
    std::optional<Digest> find_sound_stream(const std::string& name);
    void need(const Digest& object, const std::string& path, std::optional<std::uint64_t> size);
    void look_at_objects();
    void look_into_layers();
    void add(DamageKind kind, const std::string& name, const std::string& problem, bool missing);

    Machine& machine_;
    Inspector& inspector_;
    const FetchedDocuments& fetched_;
    std::stop_token stop_;
    const DeploymentRecord* current_ = nullptr;
    std::vector<Contents> contents_;
    std::map<Digest, Need> needs_;
    std::vector<Damage> damage_;
    std::set<std::string> streams_;  ///< looked at
    std::set<Digest> bad_;
    std::vector<DanglingRef> dangling_;  ///< of the current deployment
    std::set<Digest> reported_;          ///< images and splitstreams that are damage themselves
};

/// "object 01ab...: is missing (version 2, /usr/bin/true)"
[[nodiscard]] std::string describe_damage(const Damage& damage);

/// Counts and lines of a result.
void add_damage(const std::vector<Damage>& damage, VerifyResult& result);
void add_scope(const std::vector<const DeploymentRecord*>& records,
               const Survey& survey,
               const Inspector& inspector,
               VerifyResult& result);

}  // namespace cfs::update
