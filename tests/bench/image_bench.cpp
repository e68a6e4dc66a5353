// SPDX-License-Identifier: Apache-2.0
// What tests/bench/image measures.
//   generate N            a dump of about N files, on stdout
//   convert DUMP IMAGE    dump -> image file and its digest, as mkcomposefs --from-file
//   tree DUMP             on one core, seconds: from the tree in memory to image and digest,
//   hashing
//                         alone one block after the other, and as we do it
//   label DUMP CONTEXTS   seconds: to read the policy, to label the tree by it, to write the image
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "crypto/fsverity.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_writer.hpp"
#include "image/selinux.hpp"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>

namespace {

using namespace cfs;
using namespace cfs::image;

/// Directories up to nine deep, most files in the one that was made last, seven SELinux labels, 85
/// of 100 files external, the rest links and inline.
class Generator {
 public:
    void run(std::uint64_t files) {
        std::puts(("/ 4096 40755 2 0 0 0 0.0 - - - " + label(0)).c_str());
        for (std::uint64_t i = 0; i < files; ++i) {
            if (i % 12 == 0) add_directory(i);
            const bool here = random_() % 10 < 7;
            add_file(here ? directories_.back() : any_directory(directories_.size()), i);
        }
    }

 private:
    static std::string label(std::uint64_t number) {
        constexpr const char* kTypes[] = {"usr", "lib", "bin", "etc", "man", "locale", "src"};
        return "security.selinux=system_u:object_r:" + std::string(kTypes[number % 7]) +
               "_t:s0\\x00";
    }

    const std::string& any_directory(std::size_t of_last) {
        return directories_[directories_.size() - 1 - random_() % of_last];
    }

    void add_directory(std::uint64_t i) {
        const std::size_t recent = std::min<std::size_t>(directories_.size(), 200);
        std::string path = recent == 0 ? "" : any_directory(recent);
        if (std::count(path.begin(), path.end(), '/') > 8) return;
        path += "/directory-" + std::to_string(i);
        std::printf("%s 4096 40755 2 0 0 0 0.0 - - - %s\n", path.c_str(), label(i / 12).c_str());
        directories_.push_back(std::move(path));
    }

    void add_file(const std::string& directory, std::uint64_t i) {
        const std::string number = std::to_string(i);
        const std::string path = directory + "/file-name-" + number + ".dat";
        const std::uint64_t kind = random_() % 100;
        std::string fields;
        if (kind < 8) {
            const std::string target = "target-" + number;
            fields = std::to_string(target.size()) + " 120777 1 0 0 0 0.0 " + target + " - -";
        } else if (kind < 15) {
            const std::string content = "inline-content-" + number;
            fields = std::to_string(content.size()) + " 100644 1 0 0 0 0.0 - " + content + " -";
        } else {
            const std::string hex = hash(HashAlgorithm::Sha256, as_bytes(number)).hex();
            const double size = std::exp2(6 + static_cast<double>(random_() % 1600) / 100);
            fields = std::to_string(65 + static_cast<std::uint64_t>(size)) +
                     " 100644 1 0 0 0 0.0 " + hex.substr(0, 2) + "/" + hex.substr(2) + " - " + hex;
        }
        std::printf("%s %s %s\n", path.c_str(), fields.c_str(), label(i).c_str());
    }

    std::mt19937_64 random_{99};
    std::vector<std::string> directories_;
};

UniqueFd open_file(const char* path, int flags) {
    UniqueFd fd(::open(path, flags | O_CLOEXEC, 0644));
    if (fd.get() < 0) throw_errno(std::string("opening ") + path);
    return fd;
}

FileTree read_file(const char* path) {
    const UniqueFd fd = open_file(path, O_RDONLY);
    FdSource source(fd.get());
    return read_dump(source, DumpDialect::C, HashAlgorithm::Sha256);
}

constexpr ErofsOptions kOptions{.dialect = ImageDialect::C, .min_version = ErofsVersion::V0};

void convert(const char* dump, const char* path) {
    // Never freed: the process ends behind it anyway.
    const FileTree& tree = *new FileTree(read_file(dump));
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    FdSink sink(fd.get());
    std::puts(write_erofs(tree, kOptions, sink).digest.hex().c_str());
}

/// Of this process: on one core that is the time it takes when nobody else wants the core.
double seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Overwrites one buffer again and again: the image without the cost of keeping it.
class BufferSink final : public Sink {
 public:
    void write(ByteView data) override {
        buffer_.resize(std::max(buffer_.size(), data.size()));
        std::copy(data.begin(), data.end(), buffer_.begin());
    }

 private:
    Bytes buffer_;
};

template <typename F>
double median_of_9(F f) {
    std::vector<double> times;
    for (int i = 0; i < 9; ++i) {
        const double start = seconds();
        f();
        times.push_back(seconds() - start);
    }
    std::sort(times.begin(), times.end());
    return times[4];
}

/// As the kernel, fsverity-utils and the peers hash a file's blocks. The few blocks of the hashes
/// above are left out, to our disadvantage.
void hash_one_by_one(ByteView image) {
    Hasher hasher(HashAlgorithm::Sha256);
    for (; !image.empty(); image = image.subspan(kVerityBlock)) {
        hasher.update(image.first(kVerityBlock));
        (void)hasher.finish();
    }
}

void measure_tree(const char* dump) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) throw_errno("staying on one core");
    const FileTree& tree = *new FileTree(read_file(dump));
    MemorySink image(std::size_t{1} << 32);
    (void)write_erofs(tree, kOptions, image);
    const double one_by_one = median_of_9([&] { hash_one_by_one(image.bytes()); });
    const double hashing =
        median_of_9([&] { (void)verity_digest(HashAlgorithm::Sha256, image.bytes()); });
    const double writing = median_of_9([&] {
        BufferSink sink;
        (void)write_erofs(tree, kOptions, sink);
    });
    std::printf("%.4f %.4f %.4f\n", writing, one_by_one, hashing);
}

Directory& directory_at(FileTree& tree, std::initializer_list<std::string_view> names) {
    Directory* at = &tree.root();
    for (const std::string_view name : names) {
        Node* node = at->find(name);
        if (node == nullptr) node = &at->put(name, Node(std::make_unique<Directory>()));
        at = node->directory();
    }
    return *at;
}

void put_file(Directory& directory, std::string_view name, std::string content) {
    auto leaf = make_inode();
    leaf->size = content.size();
    leaf->content = std::move(content);
    directory.put(name, Node(std::move(leaf)));
}

/// Median of 9 each; every round labels a tree without labels.
void measure_labels(const char* dump, const char* contexts) {
    FileTree tree = read_file(dump);
    put_file(directory_at(tree, {"etc", "selinux"}), "config", "SELINUXTYPE=bench\n");
    const UniqueFd fd = open_file(contexts, O_RDONLY);
    MemorySink text(std::size_t{16} << 20);
    FdSource source(fd.get());
    (void)copy_stream(source, text);
    put_file(directory_at(tree, {"etc", "selinux", "bench", "contexts", "files"}),
             "file_contexts",
             std::string(as_text(text.bytes())));
    const ReadContent none = [](const Inode&) { return std::string(); };
    const double reading = median_of_9([&] { (void)find_policy(tree, none); });
    const double labelling = median_of_9([&] { relabel(tree, *find_policy(tree, none)); });
    // The policy's own text stays outside: it is no file of few bytes.
    directory_at(tree, {"etc", "selinux"}).children.clear();
    const double writing = median_of_9([&] { (void)measure_erofs(tree, kOptions); });
    std::printf("%.4f %.4f %.4f\n", reading, labelling - reading, writing);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string verb = argc > 1 ? argv[1] : "";
        if (verb == "generate" && argc == 3) {
            Generator().run(std::strtoull(argv[2], nullptr, 10));
        } else if (verb == "convert" && argc == 4) {
            convert(argv[2], argv[3]);
        } else if (verb == "tree" && argc == 3) {
            measure_tree(argv[2]);
        } else if (verb == "label" && argc == 4) {
            measure_labels(argv[2], argv[3]);
        } else {
            std::fputs(
                "usage: image_bench generate N | convert DUMP IMAGE | tree DUMP | "
                "label DUMP CONTEXTS\n",
                stderr);
            return 2;
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "image_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
