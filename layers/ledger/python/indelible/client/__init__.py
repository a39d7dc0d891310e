# SPDX-License-Identifier: Apache-2.0
"""The SDK: record, prove and verify from Python. Not shipped in the Lambda layer."""

from __future__ import annotations

from indelible.client.ledger import LedgerClient, LedgerRefusal, Recording, StubLedgerClient, connect

__all__ = ["LedgerClient", "LedgerRefusal", "Recording", "StubLedgerClient", "connect"]
