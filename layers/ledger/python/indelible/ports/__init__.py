# SPDX-License-Identifier: Apache-2.0
"""What the services need from the outside. The docstrings are contracts: fakes and adapters pass one test suite.

Every method that reaches a service of AWS may raise `Unavailable` when there is no definite answer. A write that raises
it may or may not have taken effect; the services handle both. Of the ledger's own errors, a method raises only this and
what its docstring names. Errors of the SDK that mean a fault of ours, say AccessDenied, are not translated.
"""

from __future__ import annotations

from indelible.ports.evidence import BucketProbe, KeyVersions, RecordStore, StoredRecords, StoredVersion
from indelible.ports.exports import ExportStore, Packers, StoredState
from indelible.ports.holds import LegalHolds
from indelible.ports.ledger import EMPTY_LEDGER, LedgerOutbox, LedgerRegister, LedgerState
from indelible.ports.log import (
    NOTHING_COVERED,
    CurrentLogFiles,
    LogFiles,
    LogHead,
    LogState,
    PublicKey,
    SecondSigner,
    Signer,
    StoredLogFiles,
)
from indelible.ports.machine import Clock, Entropy, Telemetry, Workers
from indelible.ports.ordering import (
    MAX_BYTES_PER_COMMIT,
    MAX_RECORDS_PER_COMMIT,
    AlreadyRecorded,
    HeadMoved,
    Idempotency,
    Index,
    Journal,
    JournalReader,
    News,
    Remembered,
)
from indelible.ports.organisations import Organisations, Page, SecretSource
from indelible.ports.repair import Found, IndexEntry, Inventory, TableRepair
from indelible.ports.rounds import Progress, RoundStarts
from indelible.ports.scratch import Scratch

__all__ = [
    "EMPTY_LEDGER",
    "MAX_BYTES_PER_COMMIT",
    "MAX_RECORDS_PER_COMMIT",
    "NOTHING_COVERED",
    "AlreadyRecorded",
    "BucketProbe",
    "Clock",
    "CurrentLogFiles",
    "Entropy",
    "ExportStore",
    "Found",
    "HeadMoved",
    "Idempotency",
    "Index",
    "IndexEntry",
    "Inventory",
    "Journal",
    "JournalReader",
    "KeyVersions",
    "LedgerOutbox",
    "LedgerRegister",
    "LedgerState",
    "LegalHolds",
    "LogFiles",
    "LogHead",
    "LogState",
    "News",
    "Organisations",
    "Packers",
    "Page",
    "Progress",
    "PublicKey",
    "RecordStore",
    "Remembered",
    "RoundStarts",
    "Scratch",
    "SecondSigner",
    "SecretSource",
    "Signer",
    "StoredLogFiles",
    "StoredRecords",
    "StoredState",
    "StoredVersion",
    "TableRepair",
    "Telemetry",
    "Workers",
]
