# SPDX-License-Identifier: Apache-2.0
"""Wiring of the anchor function.

Invariant: this is the only function that signs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from indelible.aws.clients import THREADS
from indelible.aws.dynamo_ledger_log import DynamoLedgerOutbox, DynamoLedgerRegister
from indelible.aws.dynamo_log import DynamoLogHead
from indelible.aws.kms_key import kms_keys
from indelible.entry.bootstrap import bucket, log, shared, table
from indelible.entry.machine import ThreadedWorkers
from indelible.services.anchor import Anchor
from indelible.services.collect import Collector
from indelible.services.keys import SigningKeys
from indelible.services.ledger_log import LedgerLog
from indelible.services.rounds import Rounds
from indelible.services.signed_log import SignedLog


@cache
def rounds() -> Rounds:
    """Anchors batches of organisations."""
    collector = Collector(
        records=bucket.record_store(),
        journal=table.journal(),
        index=table.index(),
        clock=shared.clock(),
        workers=ThreadedWorkers(shared.pool()),
        telemetry=shared.telemetry(),
    )
    anchor = Anchor(
        collector=collector,
        log=_signed_log(),
        register=DynamoLogHead(client=shared.dynamodb(), table=shared.settings().table),
        outbox=_outbox(),
        journal=table.journal(),
        records=bucket.record_store(),
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
    return Rounds(anchor=anchor, clock=shared.clock(), telemetry=shared.telemetry())


@cache
def ledger_log() -> LedgerLog:
    """Anchors the ledger's own log."""
    # Its concurrent tasks wait for files that are written in the shared pool, so they need threads of their own.
    workers = ThreadedWorkers(ThreadPoolExecutor(max_workers=THREADS // 2, thread_name_prefix="ledger-log"))
    return LedgerLog(
        log=_signed_log(),
        files=bucket.log_files(),
        register=DynamoLedgerRegister(client=shared.dynamodb(), table=shared.settings().table),
        outbox=_outbox(),
        workers=workers,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )


@cache
def _signed_log() -> SignedLog:
    settings = shared.settings()
    keys = SigningKeys(
        signers=kms_keys(shared.kms(), settings.signing_key_ids),
        files=bucket.log_files(),
        ledger_name=settings.ledger_name,
        retention=settings.retention(),
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
    return SignedLog(
        files=bucket.log_files(),
        ledger_name=settings.ledger_name,
        keys=keys.ring,
        signer=keys.signer,
        retention=settings.retention(),
        clock=shared.clock(),
        second=log.second_key(),
    )


@cache
def _outbox() -> DynamoLedgerOutbox:
    return DynamoLedgerOutbox(client=shared.dynamodb(), table=shared.settings().table)
