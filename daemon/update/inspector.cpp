// SPDX-License-Identifier: Apache-2.0
#include "update/inspector.hpp"

#include "base/error.hpp"
#include "base/stop.hpp"
#include "crypto/hasher.hpp"
#include "store/splitstream.hpp"

#include <algorithm>
#include <functional>

namespace cfs::update {

using store::Inspection;
using store::Look;
using store::ObjectState;

namespace {

class HashSink final : public Sink {
 public:
    HashSink(HashAlgorithm algorithm, store::OnRead on_read)
        : hasher_(algorithm), on_read_(std::move(on_read)) {}

    void write(ByteView data) override {
        on_read_(data.size());
        hasher_.update(data);
    }

    [[nodiscard]] Digest digest() { return hasher_.finish(); }

 private:
    Hasher hasher_;
    store::OnRead on_read_;
};

}  // namespace

Inspector::Inspector(store::Repository& store,
                     Look look,
                     std::uint64_t rate,
                     ProgressSink& progress,
                     const std::stop_token& stop)
    : store_(store), look_(look), limiter_(rate), progress_(progress), stop_(stop) {}

void Inspector::on_read(std::uint64_t bytes, std::uint64_t& counter) {
    check(stop_);
    limiter_.take(bytes, stop_);
    counter += bytes;
    const std::uint64_t done = bytes_ + content_bytes_;
    progress_.bytes(done, std::max(done, total_), 0);
}

Inspection Inspector::inspect(const Digest& object, Look look, std::optional<std::uint64_t> size) {
    check(stop_);
    return store::inspect_object(
        store_, object, look, size, [this](std::uint64_t bytes) { on_read(bytes, bytes_); });
}

const Inspection& Inspector::look(const Digest& object, std::optional<std::uint64_t> size) {
    const auto known = found_.find(object);
    if (known != found_.end()) return known->second;
    return found_.emplace(object, inspect(object, look_, size)).first->second;
}

const Inspection& Inspector::look_closely(const Digest& object) {
    (void)look(object);
    Inspection& found = found_.at(object);
    if (found.state == ObjectState::Sound && !found.vouched) {
        found = inspect(object, Look::Read, std::nullopt);
    }
    return found;
}

std::string Inspector::content_problem(const std::string& name,
                                       const Digest& stream,
                                       const Digest& content) {
    if (contents_.count({stream, content}) != 0) return {};
    HashSink hash(content.algorithm(),
                  [this](std::uint64_t bytes) { on_read(bytes, content_bytes_); });
    try {
        store::cat_stream(store_, name, hash);
    } catch (const Error& e) {
        if (e.code() == ErrorCode::Cancelled) throw;
        return e.what();
    }
    const Digest found = hash.digest();
    if (found != content) return "holds " + to_oci(found);
    contents_.emplace(stream, content);
    return {};
}

void Inspector::condemn(const Digest& object, const std::string& problem) {
    store_.distrust(object);
    found_[object] = Inspection{ObjectState::Damaged, problem, false};
}

void Inspector::look_again_at_damage() {
    std::erase_if(found_,
                  [](const auto& entry) { return entry.second.state != ObjectState::Sound; });
}

void Inspector::expect(std::uint64_t bytes) {
    total_ = bytes_ + content_bytes_ + bytes;
}

std::uint64_t Inspector::unvouched() const {
    return static_cast<std::uint64_t>(
        std::count_if(found_.begin(), found_.end(), [](const auto& entry) {
            return entry.second.state == ObjectState::Sound && !entry.second.vouched;
        }));
}

}  // namespace cfs::update
