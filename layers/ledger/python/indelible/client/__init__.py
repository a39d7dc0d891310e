# SPDX-License-Identifier: Apache-2.0
"""The SDK: record, prove and verify from Python. Not shipped in the Lambda layer."""

from __future__ import annotations

from indelible.client.auth import BearerToken
from indelible.client.ledger import Ledger, LedgerClient, LedgerRefusal, connect
from indelible.client.stub import StubLedgerClient

__all__ = ["BearerToken", "Ledger", "LedgerClient", "LedgerRefusal", "StubLedgerClient", "connect"]
