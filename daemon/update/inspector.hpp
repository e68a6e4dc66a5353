// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/rate_limiter.hpp"
#include "store/inspect.hpp"
#include "update/engine.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>

namespace cfs::update {

/// What the objects of the store were found to be; each is looked at once, however many deployments
/// need it. Keeps its reading to a rate and reports it. One thread.
class Inspector {
 public:
    /// \param rate bytes per second; 0: no limit
    Inspector(store::Repository& store,
              store::Look look,
              std::uint64_t rate,
              ProgressSink& progress,
              const std::stop_token& stop);

    /// \param size bytes that it must have; nullopt: unknown
    const store::Inspection& look(const Digest& object,
                                  std::optional<std::uint64_t> size = std::nullopt);

    /// The same for one whose content is about to be believed: read where nobody else vouches.
    const store::Inspection& look_closely(const Digest& object);

    [[nodiscard]] bool knows(const Digest& object) const { return found_.count(object) != 0; }

    /// Is what streams/<name> puts together, whose object is `stream`, the bytes of that digest?
    /// Read to its end, and not again when it was. Empty, or what is wrong. \pre every object of it
    /// is sound
    [[nodiscard]] std::string content_problem(const std::string& name,
                                              const Digest& stream,
                                              const Digest& content);

    /// It was found to be nonsense in spite of everything.
    void condemn(const Digest& object, const std::string& problem);

    /// What was not sound may be by now.
    void look_again_at_damage();

    /// So many bytes are to be read beside those that were read already, contents included.
    void expect(std::uint64_t bytes);

    [[nodiscard]] std::uint64_t objects() const { return found_.size(); }

    /// Of objects; what contents were put together from was read before.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// Objects that are there, and nobody knows whether they are sound.
    [[nodiscard]] std::uint64_t unvouched() const;

    [[nodiscard]] store::Look depth() const { return look_; }

 private:
    store::Inspection inspect(const Digest& object,
                              store::Look look,
                              std::optional<std::uint64_t> size);
    void on_read(std::uint64_t bytes, std::uint64_t& counter);

    store::Repository& store_;
    store::Look look_;
    net::RateLimiter limiter_;
    ProgressSink& progress_;
    std::stop_token stop_;
    std::unordered_map<Digest, store::Inspection> found_;
    std::set<std::pair<Digest, Digest>> contents_;  ///< streams and what they are known to hold
    std::uint64_t bytes_ = 0;
    std::uint64_t content_bytes_ = 0;
    std::uint64_t total_ = 0;  ///< to be read, as far as known
};

}  // namespace cfs::update
