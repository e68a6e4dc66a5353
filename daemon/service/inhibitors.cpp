// SPDX-License-Identifier: Apache-2.0
#include "service/inhibitors.hpp"

#include "base/log.hpp"
#include "service/bus.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace cfs::service {
namespace {

constexpr std::size_t kMaxWho = 100;
constexpr std::size_t kMaxWhy = 300;
constexpr const char* kWords = "\"what\" is \"update\", \"check\" or \"check:update\".";

/// Of "check:update".
std::vector<JobKind> read_kinds(const std::string& what) {
    std::vector<JobKind> kinds;
    for (std::size_t begin = 0; begin <= what.size();) {
        const std::size_t end = std::min(what.find(':', begin), what.size());
        const std::string word = what.substr(begin, end - begin);
        begin = end + 1;
        const bool known = word == "update" || word == "check";
        const JobKind kind = word == "check" ? JobKind::Check : JobKind::Update;
        if (!known || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
            throw Error(ErrorCode::InvalidArgs,
                        "'" + bus_line(word, kMaxWho) + "' cannot be inhibited, or not twice",
                        kWords);
        }
        kinds.push_back(kind);
    }
    return kinds;
}

std::string names_of(const std::vector<JobKind>& kinds) {
    std::string out;
    for (const JobKind kind : kinds)
        out += (out.empty() ? "" : " and ") + std::string(to_string(kind));
    return out;
}

}  // namespace

struct Inhibitors::Entry {
    explicit Entry(boost::asio::io_context& io) : pipe(io), age(io) {}

    [[nodiscard]] std::string text() const {
        return names_of(kinds) + ": " + who + ": " + why + " (user id " +
               std::to_string(caller.uid) + ")";
    }

    [[nodiscard]] bool stops(JobKind kind) const {
        const JobKind asked = is_update(kind) ? JobKind::Update : kind;
        return std::find(kinds.begin(), kinds.end(), asked) != kinds.end();
    }

    std::vector<JobKind> kinds;
    std::string who;
    std::string why;
    Initiator caller;
    boost::asio::posix::stream_descriptor pipe;  ///< our end
    boost::asio::steady_timer age;
    sdbus::Slot watch = {};
};

Inhibitors::Inhibitors(boost::asio::io_context& io,
                       sdbus::IConnection& connection,
                       BusPump& pump,
                       Limits limits,
                       std::function<void()> changed)
    : io_(io),
      connection_(connection),
      pump_(pump),
      limits_(limits),
      changed_(std::move(changed)),
      self_(std::make_shared<Inhibitors*>(this)) {}

Inhibitors::~Inhibitors() = default;

void Inhibitors::admit(std::uint32_t uid) const {
    std::size_t own = 0;
    std::size_t of_users = 0;
    for (const auto& [id, entry] : entries_) {
        if (entry->caller.uid == uid) ++own;
        if (entry->caller.uid != 0) ++of_users;
    }
    if (own < limits_.per_user && (uid == 0 || of_users < limits_.in_all)) return;
    throw Error(ErrorCode::Busy,
                own >= limits_.per_user
                    ? "user id " + std::to_string(uid) + " has " + std::to_string(own) +
                          " inhibitors already"
                    : "there are " + std::to_string(of_users) + " inhibitors already",
                "Close one first; the property Blockers shows them.");
}

UniqueFd Inhibitors::take(const InhibitWish& wish, const Initiator& caller) {
    auto entry = std::make_unique<Entry>(io_);
    entry->kinds = read_kinds(wish.what);
    entry->why = bus_line(wish.why, kMaxWhy);
    entry->who = wish.who.empty() ? caller.name : bus_line(wish.who, kMaxWho);
    entry->caller = caller;
    if (entry->why.empty()) {
        throw Error(ErrorCode::InvalidArgs,
                    "the option 'why' is missing",
                    "Say in it what the update has to wait for: people read it.");
    }
    admit(caller.uid);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_errno("making an inhibitor");
    entry->pipe.assign(ends[0]);
    UniqueFd theirs(ends[1]);
    const std::uint64_t id = ++last_id_;
    arm(id, *entry);
    log::info("inhibited: " + entry->text());
    entries_.emplace(id, std::move(entry));
    changed_();
    return theirs;
}

void Inhibitors::arm(std::uint64_t id, Entry& entry) {
    const std::string rule =
        "type='signal',sender='org.freedesktop.DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
        entry.caller.name + "'";
    // The slot cannot go while it is being called.
    entry.watch =
        bus::add_match(connection_, rule, [this, id] { end_soon(id, "the client left the bus"); });
    // Nobody has reason to write into it: who does gives it up, too.
    entry.pipe.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [this, id](const boost::system::error_code& failed) {
                              if (!failed) end(id, "the client let it go");
                          });
    entry.age.expires_after(limits_.max_age);
    entry.age.async_wait([this, id](const boost::system::error_code& failed) {
        if (!failed) end(id, "its time is over");
    });
    pump_.kick();
}

void Inhibitors::end_soon(std::uint64_t id, const char* why) {
    boost::asio::post(io_, [weak = std::weak_ptr(self_), id, why] {
        if (const auto self = weak.lock()) (*self)->end(id, why);
    });
}

void Inhibitors::end(std::uint64_t id, const char* why) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    log::info("not inhibited any more, because " + std::string(why) + ": " + found->second->text());
    entries_.erase(found);
    pump_.kick();
    changed_();
}

void Inhibitors::require_free(const JobRequest& request) {
    const auto first = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.second->stops(request.kind);
    });
    const auto now = std::chrono::steady_clock::now();
    const auto since = waiting_since_.find(request.kind);
    const bool long_enough =
        since != waiting_since_.end() && now - since->second >= limits_.max_age;
    if (first == entries_.end() || request.ignore_inhibitors || long_enough) {
        if (first != entries_.end()) log::info("goes on against: " + first->second->text());
        waiting_since_.erase(request.kind);
        return;
    }
    waiting_since_.try_emplace(request.kind, now);
    throw Error(ErrorCode::Inhibited,
                "inhibited: " + first->second->text(),
                "Try again later; an administrator may 'cfsctl update --ignore-inhibitors'.");
}

std::vector<std::string> Inhibitors::list() const {
    std::vector<std::string> out;
    for (const auto& [id, entry] : entries_)
        out.push_back(entry->text());
    return out;
}

}  // namespace cfs::service
