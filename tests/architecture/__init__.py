# SPDX-License-Identifier: Apache-2.0
"""Rules about the source itself, kept by reading it."""
