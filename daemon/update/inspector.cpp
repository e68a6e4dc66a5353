// SPDX-License-Identifier: Apache-2.0
#include "update/inspector.hpp"

#include "base/stop.hpp"

#include <algorithm>

namespace cfs::update {

using store::Inspection;
using store::Look;
using store::ObjectState;

Inspector::Inspector(store::Repository& store,
                     Look look,
                     std::uint64_t rate,
                     ProgressSink& progress,
                     const std::stop_token& stop)
    : store_(store), look_(look), limiter_(rate), progress_(progress), stop_(stop) {}

void Inspector::on_read(std::uint64_t bytes) {
    check(stop_);
    limiter_.take(bytes, stop_);
    bytes_ += bytes;
    progress_.bytes(bytes_, std::max(bytes_, total_), 0);
}

Inspection Inspector::inspect(const Digest& object, Look look, std::optional<std::uint64_t> size) {
    check(stop_);
    return store::inspect_object(
        store_, object, look, size, [this](std::uint64_t bytes) { on_read(bytes); });
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

void Inspector::condemn(const Digest& object, const std::string& problem) {
    store_.distrust(object);
    found_[object] = Inspection{ObjectState::Damaged, problem, false};
}

void Inspector::look_again_at_damage() {
    std::erase_if(found_,
                  [](const auto& entry) { return entry.second.state != ObjectState::Sound; });
}

void Inspector::expect(std::uint64_t bytes) {
    total_ = bytes_ + bytes;
}

std::uint64_t Inspector::unvouched() const {
    return static_cast<std::uint64_t>(
        std::count_if(found_.begin(), found_.end(), [](const auto& entry) {
            return entry.second.state == ObjectState::Sound && !entry.second.vouched;
        }));
}

}  // namespace cfs::update
