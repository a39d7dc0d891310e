# SPDX-License-Identifier: Apache-2.0
"""Indelible: an audit ledger for AI decisions that nobody can erase."""

from __future__ import annotations

__version__ = "0.1.0"
