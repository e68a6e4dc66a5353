// SPDX-License-Identifier: Apache-2.0
/// \file The object store: a composefs-rs repository (its own tools and bootc read and write it
/// too).
///
///     meta.json            version, hash algorithm, features; fs-verity on it makes the
///                          repository "secure": then every object must have it
///     objects/XX/<rest>    immutable content, named by its fs-verity digest
///     images/<hex>         -> ../objects/XX/<rest>, one per EROFS image
///     streams/<name>       -> ../objects/XX/<rest>, one per splitstream
///     {images,streams}/refs/<any/name>   -> ../../<entry>: what collect_garbage() keeps
///
/// Nothing else says what is alive: an object lives while a ref reaches it, or while somebody holds
/// the shared lock.
///
/// Order of writing, which is the crash-safety argument (each step is durable before the next
/// names it): lock_shared() -> objects -> sync() -> link_stream() -> image object -> sync() ->
/// link_image() -> set_*_ref() -> sync() -> release the lock. commit_stream() and commit_image()
/// are those pairs. After a crash without the sync an object may be there with missing bytes: it is
/// measured before it is believed (has_object()), and replaced by the next put.
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"
#include "crypto/digest.hpp"
#include "store/lock.hpp"
#include "store/object_writer.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::store {

/// Setting `store.verity`.
enum class VerityPolicy {
    Require,  ///< a repository or file system without fs-verity is an Unsupported error
    Try,      ///< used where it works; a secure repository stays one
    Off,      ///< never enabled, except in a repository that is secure already
};

/// A name in images/ or streams/ and the object behind it.
struct Entry {
    std::string name;
    Digest object;

    auto operator<=>(const Entry&) const = default;
};

/// A link below images/refs/ or streams/refs/.
struct Ref {
    std::string name;   ///< path below refs/, e.g. "oci/localhost%2Ftest:latest"
    std::string entry;  ///< the name in images/ or streams/; whether it exists is not said

    auto operator<=>(const Ref&) const = default;
};

/// How an object stands.
enum class ObjectState { Missing, Sound, Damaged };

/// OCI tag as one file name below streams/refs/oci/: '%' becomes "%25", '/' "%2F". InvalidArgs for
/// an empty name, one starting with '@' (that spells a digest), one with NUL, or one over 255
/// bytes.
[[nodiscard]] std::string encode_ref(std::string_view tag);

/// Inverse; nullopt unless `name` is what encode_ref gives for some tag.
[[nodiscard]] std::optional<std::string> decode_ref(std::string_view name);

/// "../objects/XX/<rest>" and "objects/XX/<rest>" style paths are made of this: "XX/<rest>".
[[nodiscard]] std::string object_path(const Digest& digest);

struct RepositoryParts;

/// An open repository. Thread-safe, except that one ObjectWriter belongs to one thread at a time.
/// Must outlive its ObjectWriters; locks may outlive it. Throws Error: NotFound (absent),
/// Unsupported (other hash, newer format, no fs-verity where required), StateCorrupt (damaged), Io
/// (read-only).
class Repository {
 public:
    /// Makes the directory `dir_fd` a repository: meta.json (durable before it is visible),
    /// objects/, images/, streams/, mode 0700. Does nothing when it is one of the same algorithm
    /// already; Unsupported when of another, StateCorrupt over objects without meta.json.
    static void init(int dir_fd, HashAlgorithm algorithm, VerityPolicy policy);

    /// `path` appears in messages.
    [[nodiscard]] static std::unique_ptr<Repository> open(const std::string& path,
                                                          VerityPolicy policy);

    Repository(const Repository&) = delete;
    Repository& operator=(const Repository&) = delete;
    ~Repository();

    [[nodiscard]] HashAlgorithm algorithm() const;

    /// meta.json has fs-verity. `composefs=` without '?' only boots from such a repository.
    [[nodiscard]] bool secure() const;

    /// EROFS format (0, 1, 2) that meta.json asks for in newly made plain images.
    [[nodiscard]] int default_erofs_format() const;

    /// False when an unknown read-only-compatible feature or the file system forbids writes: then
    /// every changing call throws Unsupported or Io.
    [[nodiscard]] bool writable() const;

    /// Unsupported, naming both, unless `algorithm` is the repository's.
    void require_algorithm(HashAlgorithm algorithm) const;

    [[nodiscard]] int dir_fd() const;
    [[nodiscard]] const std::string& path() const;

    // Locks: flock on the repository directory, as composefs-rs takes it. Polled up to `timeout`,
    // then Busy naming the holder where the kernel tells. Each call is a lock of its own: a shared
    // one in this process blocks an exclusive one in this process too. A method's name says what it
    // gives; no method of this class takes a lock by itself.

    /// From before the first object is written until the ref that reaches it exists.
    [[nodiscard]] SharedLock lock_shared(std::chrono::milliseconds timeout,
                                         const std::stop_token& stop = {}) const;
    [[nodiscard]] ExclusiveLock try_lock_exclusive(std::chrono::milliseconds timeout,
                                                   const std::stop_token& stop = {}) const;

    // Objects. Not durable before sync().

    /// The content's fs-verity digest. Writes nothing if a sound object is there.
    Digest put_object(ByteView content);

    [[nodiscard]] std::unique_ptr<ObjectWriter> new_object();

    /// There, and sound by measurement: its fs-verity digest is its name; in an insecure repository
    /// a file without fs-verity is hashed, once per process as long as its inode's times and size
    /// stay. False for a damaged object (put it again to replace it).
    [[nodiscard]] bool has_object(const Digest& digest) const;

    /// Read-only descriptor of a sound object (measured as by has_object). NotFound, or
    /// StateCorrupt when damaged.
    [[nodiscard]] UniqueFd open_object(const Digest& digest) const;

    /// Somebody who read it found it damaged although it measures right: a disk may no longer give
    /// what fs-verity vouches for, and memory may remember what the disk lost. From now on it
    /// counts as damaged, until a put replaces it; in this process only.
    void distrust(const Digest& digest);

    /// Bytes, by stat alone (not measured); nullopt if missing.
    [[nodiscard]] std::optional<std::uint64_t> object_size(const Digest& digest) const;

    // Streams.

    /// The splitstream object that `name` stands for; nullopt without such a link. Whether the
    /// object is there and sound is has_object's business.
    [[nodiscard]] std::optional<Digest> find_stream(const std::string& name) const;

    /// Replaces atomically. \pre everything the stream refers to is synced.
    void link_stream(const std::string& name, const Digest& object);

    /// sync() + link_stream().
    void commit_stream(const std::string& name, const Digest& object);

    [[nodiscard]] std::vector<Entry> list_streams() const;

    // Images.

    /// \pre the image and its objects are synced.
    void link_image(const Digest& image);

    /// sync() + link_image().
    void commit_image(const Digest& image);

    /// Link and sound image object; the objects the image names are not looked at.
    [[nodiscard]] bool has_image(const Digest& image) const;

    /// NotFound without the link.
    [[nodiscard]] UniqueFd open_image(const Digest& image) const;

    [[nodiscard]] std::vector<Entry> list_images() const;

    // Refs. `ref` is a relative path without "." and ".."; directories are made on demand. Setting
    // replaces atomically; NotFound unless the entry exists (composefs-rs' collector refuses to run
    // over a dangling ref). Removing gives false if there was none.

    void set_stream_ref(const std::string& ref, const std::string& stream_name);
    void set_image_ref(const std::string& ref, const Digest& image);
    bool remove_stream_ref(const std::string& ref);
    bool remove_image_ref(const std::string& ref);
    [[nodiscard]] std::vector<Ref> list_stream_refs() const;
    [[nodiscard]] std::vector<Ref> list_image_refs() const;

    /// syncfs: everything written so far survives a crash.
    void sync() const;

 private:
    friend RepositoryParts& parts_of(const Repository& repository);

    explicit Repository(std::unique_ptr<RepositoryParts> parts);

    std::unique_ptr<RepositoryParts> parts_;
};

}  // namespace cfs::store
