// SPDX-License-Identifier: Apache-2.0
// etc_bench DIR [FILES [ROUNDS]]: how long planning and writing a merge of /etc takes.
//
// Makes three trees below DIR (a fresh directory on the file system to measure): FILES files
// (5,000) of the sizes that Debian has in /etc, a hundredth of them changed here, a tenth by the
// vendor, and ten large ones. Prints the best and the median of ROUNDS (9) in milliseconds.
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "etc/merge.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace cfs::etc {
namespace {

constexpr int kPerDirectory = 25;

std::string path_of(int i) {
    return "d" + std::to_string(i / kPerDirectory) + "/f" + std::to_string(i % kPerDirectory);
}

/// Most files of /etc are below 4 KiB; every 500th is a large one.
std::string content_of(int i, const std::string& version) {
    const std::size_t size =
        i % 500 == 499 ? 400'000 : 200 + static_cast<std::size_t>(i * 37 % 4000);
    return std::string(size, static_cast<char>('a' + i % 26)) + version;
}

void fill(int tree, int files, const std::function<std::string(int)>& version) {
    for (int i = 0; i < files; ++i) {
        const std::string path = path_of(i);
        if (i % kPerDirectory == 0) make_dirs_at(tree, split_parent(path).first, 0755);
        const UniqueFd file = open_at(tree, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        write_all(file.get(), as_bytes(content_of(i, version(i))));
    }
}

UniqueFd make_tree(int parent, const std::string& name) {
    make_dirs_at(parent, name, 0755);
    return open_dir_at(parent, name);
}

struct Cost {
    double wall;  ///< milliseconds
    double cpu;   ///< the same, user and kernel
};

double cpu_now() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

Cost cost_of(const std::function<void()>& run) {
    const double cpu = cpu_now();
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
    return {wall.count(), cpu_now() - cpu};
}

double median(const std::vector<Cost>& costs, double Cost::*part) {
    std::vector<double> values;
    for (const Cost& cost : costs)
        values.push_back(cost.*part);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void print(const char* what, const std::vector<Cost>& costs) {
    const auto best = std::min_element(
        costs.begin(), costs.end(), [](const Cost& a, const Cost& b) { return a.wall < b.wall; });
    std::printf("%-16s wall: best %6.1f, median %6.1f ms   CPU: median %6.1f ms\n",
                what,
                best->wall,
                median(costs, &Cost::wall),
                median(costs, &Cost::cpu));
}

void measure(int root, int files, int rounds) {
    const UniqueFd pristine = make_tree(root, "pristine");
    const UniqueFd current = make_tree(root, "current");
    const UniqueFd next = make_tree(root, "next");
    fill(pristine.get(), files, [](int) { return "0"; });
    fill(current.get(), files, [](int i) { return i % 100 == 50 ? "1" : "0"; });
    fill(next.get(), files, [](int i) { return i % 10 == 0 ? "2" : "0"; });
    const MergeInput input{pristine.get(), current.get(), next.get()};
    std::vector<Cost> plans;
    std::vector<Cost> writes;
    MergePlan plan;
    for (int round = 0; round < rounds; ++round) {
        plans.push_back(cost_of([&] { plan = plan_merge(input); }));
        const UniqueFd out = make_tree(root, "out");
        writes.push_back(cost_of([&] { apply_merge(plan, input, out.get()); }));
        remove_tree_at(root, "out");
    }
    std::printf("%d files, %zu changes, %llu bytes in the result\n",
                files,
                plan.changes.size(),
                static_cast<unsigned long long>(plan.result_bytes));
    print("plan (preview)", plans);
    print("write", writes);
}

}  // namespace
}  // namespace cfs::etc

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: etc_bench DIR [FILES [ROUNDS]]\n");
        return 2;
    }
    try {
        const int files = argc > 2 ? std::atoi(argv[2]) : 5000;
        const int rounds = argc > 3 ? std::atoi(argv[3]) : 9;
        const cfs::UniqueFd root = cfs::open_root(argv[1]);
        cfs::etc::measure(root.get(), files, rounds);
        return 0;
    } catch (const cfs::Error& error) {
        std::fprintf(stderr, "etc_bench: %s\n", error.what());
        return 1;
    }
}
