# SPDX-License-Identifier: Apache-2.0
"""Verifiers of other ledgers, each run in an environment of its own."""
