// SPDX-License-Identifier: Apache-2.0
// Compiled for its precompiled headers only, those of every test program.
int main() {}
