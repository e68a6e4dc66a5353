// SPDX-License-Identifier: Apache-2.0
// Compiled for its precompiled headers only (CFS_PRECOMPILED in the top CMakeLists.txt).
