// SPDX-License-Identifier: Apache-2.0
#include "store/fsck_objects.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "crypto/fsverity.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace cfs::store {
namespace {

struct Listed {
    std::string path;  ///< below objects/
    Digest name;
};

std::vector<Listed> list_objects(const RepositoryParts& parts, std::vector<Finding>& findings) {
    std::vector<Listed> out;
    const FanOuts fan_outs = list_fan_outs(parts);
    for (const auto& path : fan_outs.odd) {
        findings.push_back({FindingKind::Stray, path, "is no directory"});
    }
    for (const auto& first : fan_outs.names) {
        const UniqueFd dir = open_dir_at(parts.objects.get(), first);
        for (const auto& rest : list_dir(dir.get())) {
            const std::string path = first + "/" + rest;
            if (const auto name = digest_from_parts(first, rest, parts.meta.algorithm)) {
                out.push_back({path, *name});
            } else {
                findings.push_back(
                    {FindingKind::Stray, "objects/" + path, "its name is no object's"});
            }
        }
    }
    return out;
}

/// Shared by the threads of one check.
class ObjectCheck {
 public:
    ObjectCheck(const RepositoryParts& parts, bool metadata_only)
        : parts_(parts), metadata_only_(metadata_only) {
        objects_ = list_objects(parts, report_.findings);
    }

    ObjectsReport run(const std::stop_token& stop) {
        const std::size_t wanted = std::max(1U, std::thread::hardware_concurrency());
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < std::min(wanted, objects_.size()); ++i) {
                threads.emplace_back([this, &stop] { work(stop); });
            }
        }
        if (failure_) std::rethrow_exception(failure_);
        report_.checked = objects_.size();
        report_.bytes = bytes_;
        return std::move(report_);
    }

 private:
    void work(const std::stop_token& stop) noexcept {
        try {
            for (std::size_t i = next_++; i < objects_.size(); i = next_++) {
                check(stop);
                inspect(objects_[i]);
            }
        } catch (...) {
            const std::lock_guard guard(mutex_);
            failure_ = std::current_exception();
        }
    }

    void inspect(const Listed& object) {
        std::string problem;
        try {
            problem = problem_of(object);
        } catch (const Error& e) {
            problem = e.what();
        }
        if (problem.empty()) return;
        const std::lock_guard guard(mutex_);
        report_.findings.push_back(
            {FindingKind::Object, "objects/" + object.path, std::move(problem)});
    }

    std::string problem_of(const Listed& object) {
        const UniqueFd fd = open_at(parts_.objects.get(), object.path, O_RDONLY | O_NONBLOCK);
        struct stat st {};
        if (::fstat(fd.get(), &st) != 0) throw_errno("examining an object");
        if (!S_ISREG(st.st_mode)) return "is no regular file";
        const auto kernel = measure_verity(fd.get());
        if (kernel && *kernel != object.name) return "fs-verity measures " + kernel->hex();
        if (!kernel && parts_.secure) return "has no fs-verity, which this store demands";
        if (metadata_only_) return {};
        const Digest found = verity_digest_of_file(parts_.meta.algorithm, fd.get());
        bytes_ += static_cast<std::uint64_t>(st.st_size);
        return found == object.name ? "" : "its content hashes to " + found.hex();
    }

    const RepositoryParts& parts_;
    bool metadata_only_;
    std::vector<Listed> objects_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::mutex mutex_;
    ObjectsReport report_;
    std::exception_ptr failure_;
};

}  // namespace

ObjectsReport check_objects(const RepositoryParts& parts,
                            bool metadata_only,
                            const std::stop_token& stop) {
    return ObjectCheck(parts, metadata_only).run(stop);
}

}  // namespace cfs::store
