// SPDX-License-Identifier: Apache-2.0
/// \file One function per verb: does it, prints the result on standard output and everything else
/// on standard error, returns the exit code, throws Error.
#pragma once

#include "client/exit_code.hpp"
#include "client/options.hpp"

namespace cfs::client {

[[nodiscard]] ExitCode run(const ImageDigest& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageCreate& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageDump& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageList& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageObjects& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageDiff& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageInfo& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageMount& options, const Global& global);
[[nodiscard]] ExitCode run(const ImageSeal& options, const Global& global);
[[nodiscard]] ExitCode run(const Install& options, const Global& global);
[[nodiscard]] ExitCode run(const StoreFsck& options, const Global& global);
[[nodiscard]] ExitCode run(const ShowStatus& options, const Global& global);
[[nodiscard]] ExitCode run(const Check& options, const Global& global);
[[nodiscard]] ExitCode run(const Update& options, const Global& global);
[[nodiscard]] ExitCode run(const Stage& options, const Global& global);
[[nodiscard]] ExitCode run(const Switch& options, const Global& global);
[[nodiscard]] ExitCode run(const Finalize& options, const Global& global);
[[nodiscard]] ExitCode run(const Rollback& options, const Global& global);
[[nodiscard]] ExitCode run(const Gc& options, const Global& global);
[[nodiscard]] ExitCode run(const Pin& options, const Global& global);
[[nodiscard]] ExitCode run(const Unpin& options, const Global& global);
[[nodiscard]] ExitCode run(const Remove& options, const Global& global);
[[nodiscard]] ExitCode run(const Verify& options, const Global& global);
[[nodiscard]] ExitCode run(const Repair& options, const Global& global);
[[nodiscard]] ExitCode run(const EtcDiff& options, const Global& global);
[[nodiscard]] ExitCode run(const EtcPreviewVerb& options, const Global& global);
[[nodiscard]] ExitCode run(const EtcRestore& options, const Global& global);
[[nodiscard]] ExitCode run(const History& options, const Global& global);
[[nodiscard]] ExitCode run(const Report& options, const Global& global);
[[nodiscard]] ExitCode run(const Pending& options, const Global& global);
[[nodiscard]] ExitCode run(const SoftReboot& options, const Global& global);
[[nodiscard]] ExitCode run(const Cancel& options, const Global& global);
[[nodiscard]] ExitCode run(const Pause& options, const Global& global);
/// \returns the exit code of the command that it runs
[[nodiscard]] ExitCode run(const Inhibit& options, const Global& global);
[[nodiscard]] ExitCode run(const PolicyShow&, const Global& global);
[[nodiscard]] ExitCode run(const PolicySet& options, const Global& global);
[[nodiscard]] ExitCode run(const PolicyReset& options, const Global& global);
[[nodiscard]] ExitCode run(const Resume& options, const Global& global);
[[nodiscard]] ExitCode run(const Monitor& options, const Global& global);
[[nodiscard]] ExitCode run(const Completion& options, const Global& global);

}  // namespace cfs::client
