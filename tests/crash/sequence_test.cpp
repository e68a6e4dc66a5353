// SPDX-License-Identifier: Apache-2.0
// Random sequences of what happens to a store: pulls, tags of another tool, collections, kills,
// reboots. What is referred to stays whole after each step, and nothing else is left at the end.
#include "crash_site.hpp"
#include "image/erofs_reader.hpp"
#include "random_runs.hpp"
#include "store/repository.hpp"
#include "store/splitstream.hpp"
#include "update/mapped_file.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace cfs {
namespace {

using std::chrono::microseconds;
using store::Repository;
using test::CrashSite;
using test::run_process;

constexpr int kShortRuns = 10;
constexpr int kLongRuns = 200;
constexpr int kSteps = 12;

class Sequence {
 public:
    Sequence(std::mt19937& random, microseconds longest, std::map<std::string, int>& counts)
        : random_(random),
          longest_(longest),
          counts_(counts),
          machine_(std::string(CFS_MACHINES) + "/installed") {}

    /// One step, named in `trace`. What is wrong after it; empty if nothing.
    std::string step() {
        using Step = void (Sequence::*)();
        static constexpr std::array<Step, 8> kKinds = {&Sequence::pull,
                                                       &Sequence::pull,
                                                       &Sequence::killed_pull,
                                                       &Sequence::killed_collect,
                                                       &Sequence::tag,
                                                       &Sequence::untag,
                                                       &Sequence::collect,
                                                       &Sequence::reboot};
        (this->*kKinds[below(kKinds.size())])();
        machine_.site.engine().reconcile();
        return machine_.unsound() + unreadable();
    }

    /// Drops the tags and collects: what another collector still finds to remove.
    std::string leftovers() {
        while (!tags_.empty())
            untag();
        collect();
        const auto ended =
            run_process({CFS_PEER_COLLECT, machine_.site.settings.sysroot + "/composefs"});
        const bool none = ended.code == 0 && ended.output.starts_with("0 objects and 0 links");
        return none ? unreadable() : "the peer's collector: " + ended.output;
    }

    [[nodiscard]] const std::string& trace() const { return trace_; }

 private:
    std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }

    void note(const std::string& what) {
        trace_ += what + "; ";
        ++counts_[what.substr(0, what.find(' '))];
    }

    [[nodiscard]] std::unique_ptr<Repository> store() const {
        return Repository::open(machine_.site.settings.sysroot + "/composefs",
                                store::VerityPolicy::Try);
    }

    /// "VERB TAG" as a process; a refusal with its name is as good as success, a crash is not.
    bool drive(const std::string& verb, const std::string& tag, microseconds limit) {
        const auto ended = run_process(machine_.command(CFS_DRIVE, verb, tag), {}, limit);
        const bool killed = ended.signal == SIGKILL && ended.killed;
        const std::string result = killed ? "killed" : result_of(ended);
        ++counts_[verb + ":" + result];
        EXPECT_TRUE(killed || may_end(verb, result))
            << verb << ' ' << tag << ": " << ended.output << '\n'
            << trace_;
        return killed;
    }

    /// A pull is refused for what the sequence did before: an older version is not taken.
    static bool may_end(const std::string& verb, const std::string& result) {
        return result == "done" || (verb != "collect" && result == "DowngradeRejected");
    }

    /// "done", the name of the error, or all that was said.
    static std::string result_of(const test::Ended& ended) {
        if (ended.code == 0) return "done";
        const bool is_named = ended.code == 1 && ended.output.starts_with("error ");
        return is_named ? ended.output.substr(6, ended.output.find(':') - 6) : ended.output;
    }

    void pull_for(const std::string& name, microseconds limit) {
        static const std::array<std::string, 3> images = {"v1", "v2", "v3"};
        const std::string& image = images[below(images.size())];
        const std::string verb = below(2) == 0 ? "stage" : "update";
        note(name + " " + verb + " " + image);
        if (drive(verb, image, limit)) ++counts_["hit"];
    }

    void pull() { pull_for("pull", std::chrono::seconds(60)); }

    void killed_pull() {
        pull_for("kill", microseconds(below(static_cast<std::size_t>(longest_.count()))));
    }

    void killed_collect() {
        note("kill collect");
        const microseconds limit(below(static_cast<std::size_t>(longest_.count()) / 4));
        if (drive("collect", "", limit)) ++counts_["hit"];
    }

    /// What a puller of the same store does: a tag for a manifest that is here.
    void tag() {
        std::vector<std::string> manifests;
        for (const auto& stream : store()->list_streams()) {
            if (stream.name.starts_with("oci-manifest-")) manifests.push_back(stream.name);
        }
        if (manifests.empty()) return;
        const std::string& manifest = manifests[below(manifests.size())];
        const std::string name =
            "oci/" + store::encode_ref("example/os:" + std::to_string(below(3)));
        note("tag " + name);
        store()->set_stream_ref(name, manifest);
        tags_[name] = manifest;
    }

    void untag() {
        if (tags_.empty()) return;
        note("untag");
        store()->remove_stream_ref(tags_.begin()->first);
        tags_.erase(tags_.begin());
    }

    void collect() {
        note("collect");
        (void)drive("collect", "", std::chrono::seconds(60));
    }

    void reboot() {
        note("reboot");
        (void)machine_.site.reboot();
        if (below(4) != 0) machine_.site.bless();
    }

    /// Objects of live images and of tagged manifests that are not what their names say.
    [[nodiscard]] std::string unreadable() {
        const auto repository = store();
        std::string out;
        for (const auto& deployment : machine_.site.engine().status().deployments)
            out += bad_image(*repository, *Digest::from_hex(deployment.digest));
        for (const auto& [name, manifest] : tags_) {
            const auto stream = repository->find_stream(manifest);
            out += stream ? bad_stream(*repository, *stream) : "lost: " + manifest + "\n";
        }
        return out;
    }

    static std::string bad_objects(const Repository& repository, const std::vector<Digest>& all) {
        std::string out;
        for (const Digest& object : all) {
            if (!repository.has_object(object)) out += "lost: " + object.hex() + "\n";
        }
        return out;
    }

    static std::string bad_image(const Repository& repository, const Digest& image) {
        const UniqueFd file = repository.open_object(image);
        return bad_objects(repository,
                           image::erofs_objects(update::MappedFile(file.get()).bytes()));
    }

    /// A stream with all that it leads to: streams and images.
    static std::string bad_stream(const Repository& repository, const Digest& stream) {
        const auto reader = store::open_splitstream(repository, stream);
        std::string out = bad_objects(repository, reader.object_refs());
        for (const Digest& next : reader.stream_refs())
            out += is_image(repository, next) ? bad_image(repository, next)
                                              : bad_stream(repository, next);
        return out;
    }

    static bool is_image(const Repository& repository, const Digest& object) {
        return repository.has_image(object);
    }

    std::mt19937& random_;
    microseconds longest_;
    std::map<std::string, int>& counts_;
    CrashSite machine_;
    std::map<std::string, std::string> tags_;  ///< ref and the manifest that it keeps
    std::string trace_;
};

TEST(Sequences, OfPullsTagsKillsAndCollectionsLoseNothingAndLeaveNothing) {
    std::mt19937 random(test::choose_seed());
    const auto whole = test::duration_of_an_update(std::string(CFS_MACHINES) + "/installed");
    std::map<std::string, int> counts;
    const int runs = test::is_long() ? kLongRuns : kShortRuns;
    for (int run = 0; run < runs; ++run) {
        Sequence sequence(random, whole, counts);
        for (int step = 0; step < kSteps; ++step)
            ASSERT_EQ(sequence.step(), "") << "run " << run << ": " << sequence.trace();
        ASSERT_EQ(sequence.leftovers(), "") << "run " << run << ": " << sequence.trace();
    }
    std::cout << runs << " sequences of " << kSteps << " steps:";
    for (const auto& [what, count] : counts)
        std::cout << ' ' << what << ' ' << count;
    std::cout << '\n';
    EXPECT_GT(counts["hit"], 0) << "no kill came in time";
    EXPECT_GT(counts["stage:done"] + counts["update:done"], runs) << "hardly a pull succeeded";
}

}  // namespace
}  // namespace cfs
