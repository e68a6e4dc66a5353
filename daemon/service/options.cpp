// SPDX-License-Identifier: Apache-2.0
#include "service/options.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "service/bus.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace cfs::service {
namespace {

constexpr std::size_t kMaxShown = 100;

/// Takes options out one by one; what is left at the end is unknown.
class OptionReader {
 public:
    OptionReader(std::string_view method, const bus::VariantMap& options)
        : method_(method), options_(options) {}

    void text(const std::string& name, std::string& into) {
        take(name, into, "a string (s)");
        if (into.size() > kMaxOption) {
            throw refused(name, "is longer than " + std::to_string(kMaxOption) + " bytes");
        }
    }

    void flag(const std::string& name, bool& into) { take(name, into, "a boolean (b)"); }

    /// A number of the documented type only: who sends an int32 by mistake is told so.
    void number(const std::string& name, std::optional<std::uint64_t>& into) {
        std::uint64_t value = 0;
        take(name, value, "a number (t)");
        if (options_.count(name) != 0) into = value;
    }

    /// A regular file, so that writing to it waits for nobody.
    void file(const std::string& name, std::shared_ptr<UniqueFd>& into) {
        sdbus::UnixFd fd;
        take(name, fd, "a file descriptor (h)");
        if (options_.count(name) == 0) return;
        auto own = std::make_shared<UniqueFd>(duplicate_fd(fd.get()));
        struct stat st {};
        const int flags = ::fcntl(own->get(), F_GETFL);
        const bool writable = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
        if (::fstat(own->get(), &st) != 0 || !S_ISREG(st.st_mode) || !writable) {
            throw refused(name, "must be a regular file or memfd open for writing");
        }
        into = std::move(own);
    }

    void finish() const {
        for (const auto& [name, value] : options_) {
            if (!taken_.contains(name)) throw refused(name, "is not known to " + method_);
        }
    }

 private:
    template <typename T>
    void take(const std::string& name, T& into, std::string_view wanted) {
        taken_.insert(name);
        const auto found = options_.find(name);
        if (found == options_.end()) return;
        if (!found->second.containsValueOfType<T>()) {
            throw refused(name,
                          "must be " + std::string(wanted) + ", found type '" +
                              std::string(found->second.peekValueType()) + "'");
        }
        into = found->second.get<T>();
    }

    [[nodiscard]] Error refused(const std::string& name, const std::string& why) const {
        return {
            ErrorCode::InvalidArgs, "option '" + bus_text(name, kMaxShown) + "' " + why, known()};
    }

    [[nodiscard]] std::string known() const {
        if (taken_.empty()) return method_ + " takes no options.";
        std::string text = method_ + " takes the options";
        for (const std::string& name : taken_) {
            text += (name == *taken_.begin() ? " " : ", ") + name;
        }
        return text + ".";
    }

    std::string method_;
    const bus::VariantMap& options_;
    std::set<std::string> taken_;
};

/// "preview-etc" -> "PreviewEtc"
std::string method_name(JobKind kind) {
    std::string name;
    bool upper = true;
    for (const char c : to_string(kind)) {
        if (c != '-') name += upper ? static_cast<char>(c - 'a' + 'A') : c;
        upper = c == '-';
    }
    return name;
}

void read_update(OptionReader& reader, JobRequest& request, bool finalize_by_default) {
    reader.flag("lock", request.lock);
    request.finalize = finalize_by_default && !request.lock && request.kind != JobKind::Stage;
    if (request.kind != JobKind::Stage) reader.flag("finalize", request.finalize);
    if (request.lock && request.finalize) {
        throw Error(ErrorCode::InvalidArgs,
                    "the options 'lock' and 'finalize' contradict each other",
                    "leave one of them out");
    }
    reader.text("expected-digest", request.expected_digest);
    reader.flag("ignore-inhibitors", request.ignore_inhibitors);
    if (request.kind != JobKind::Switch) reader.flag("downgrade", request.downgrade);
}

void read_user(OptionReader& reader, JobRequest& request) {
    std::optional<std::uint64_t> user;
    reader.number("user", user);
    if (!user) return;
    // The last one is what the kernel says for "none".
    if (*user >= std::numeric_limits<std::uint32_t>::max()) {
        throw Error(ErrorCode::InvalidArgs,
                    "option 'user' is no user id: " + std::to_string(*user),
                    "It takes a number below 4294967295.");
    }
    request.user = static_cast<std::uint32_t>(*user);
}

}  // namespace

JobRequest read_request(JobKind kind, const bus::VariantMap& options, bool finalize_by_default) {
    JobRequest request;
    request.kind = kind;
    OptionReader reader(method_name(kind), options);
    if (kind == JobKind::Check || is_update(kind)) reader.text("image", request.image);
    if (is_update(kind)) read_update(reader, request, finalize_by_default);
    if (kind == JobKind::Update) reader.flag("automatic", request.automatic);
    if (kind == JobKind::Update || kind == JobKind::Stage) read_user(reader, request);
    if (request.automatic && options.size() != 1) {
        throw Error(ErrorCode::InvalidArgs,
                    "the option 'automatic' stands alone: policy decides what is done",
                    "leave the other options out");
    }
    if (kind == JobKind::Collect) reader.flag("dry-run", request.dry_run);
    if (kind == JobKind::Pin || kind == JobKind::Remove) {
        reader.text("deployment", request.deployment);
    }
    if (kind == JobKind::Pin) reader.flag("pinned", request.pinned);
    if (kind == JobKind::Verify || kind == JobKind::Repair) {
        reader.text("deployment", request.deployment);
        reader.number("rate", request.rate);
    }
    if (kind == JobKind::Verify) reader.flag("full", request.full);
    if (kind == JobKind::PreviewEtc) {
        reader.text("deployment", request.deployment);
        reader.file("content", request.content);
    }
    if (kind == JobKind::PreviewEtc || kind == JobKind::RestoreEtc) {
        reader.text("path", request.path);
    }
    reader.finish();
    return request;
}

InhibitWish read_wish(const bus::VariantMap& options) {
    InhibitWish wish;
    OptionReader reader("Inhibit", options);
    reader.text("what", wish.what);
    reader.text("who", wish.who);
    reader.text("why", wish.why);
    reader.finish();
    return wish;
}

std::uint64_t read_history_limit(const bus::VariantMap& options) {
    std::optional<std::uint64_t> limit;
    OptionReader reader("History", options);
    reader.number("limit", limit);
    reader.finish();
    return limit.value_or(std::numeric_limits<std::uint64_t>::max());
}

void refuse_options(std::string_view method, const bus::VariantMap& options) {
    OptionReader(method, options).finish();
}

}  // namespace cfs::service
