// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// What a program did.
struct Ended {
    int code = -1;  ///< exit code, or -signal
    std::string out;
    std::string err;
};

/// A program that runs beside the test; killed by the destructor if it still runs.
class Child {
 public:
    enum class Output { Pipes, Terminal };

    /// \param output Terminal: standard error is a terminal of 80 columns
    explicit Child(const std::vector<std::string>& argv, Output output = Output::Pipes);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    void signal(int number) const;

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Reads standard output or standard error until `part` was seen; false at its end.
    bool wait_for_out(const std::string& part) { return wait_for(out_, out_text_, part); }

    bool wait_for_err(const std::string& part) { return wait_for(err_, err_text_, part); }

    /// The next line of standard output, which is forgotten then; nullopt at its end.
    std::optional<std::string> read_out_line();

    /// Reads what is left and waits for the end.
    Ended finish();

 private:
    static bool wait_for(const UniqueFd& fd, std::string& text, const std::string& part);

    pid_t pid_ = -1;
    UniqueFd out_, err_;
    std::string out_text_, err_text_;
};

/// Runs to the end.
Ended run(const std::vector<std::string>& argv);

}  // namespace cfs::test
