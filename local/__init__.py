# SPDX-License-Identifier: Apache-2.0
"""The embedded default: the real stacks in an emulator on this machine. Never imported by what ships."""
