# SPDX-License-Identifier: Apache-2.0
"""Wiring of the prove function.

Invariant: the parser of RFC 3161 tokens is imported only when a proof has a token.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.dynamo_rounds import DynamoRoundStarts
from indelible.aws.s3_anchors import S3Anchors
from indelible.entry import external_settings
from indelible.entry.bootstrap import bucket, callers, log, shared, table
from indelible.entry.machine import ThreadedWorkers
from indelible.entry.proving import ProofApi
from indelible.services.consistency import Consistency
from indelible.services.ledger_proof import LedgerProver
from indelible.services.prove import Prover
from indelible.services.timetable import Timetable


@cache
def proof_api() -> ProofApi:
    """Serves POST /v1/prove and POST /v1/consistency."""
    settings = shared.settings()
    named = external_settings.load(settings.external_anchors)
    ledger_prover = LedgerProver(
        log=log.log_reader(),
        files=bucket.log_files(),
        anchors=S3Anchors(client=shared.s3(), bucket=settings.bucket),
        token_time=_token_time,
        workers=ThreadedWorkers(shared.pool()),
        witnesses=tuple(named.witness_keys()),
        quorum=named.witness_quorum,
    )
    timetable = Timetable(
        starts=DynamoRoundStarts(client=shared.dynamodb(), table=settings.table),
        period_ms=settings.anchor_period_seconds * 1000,
        clock=shared.clock(),
    )
    prover = Prover(
        records=bucket.record_store(),
        index=table.index(),
        journal=table.journal(),
        log=log.log_reader(),
        ledger_prover=ledger_prover,
        timetable=timetable,
    )
    return ProofApi(
        gate=callers.gate(),
        prover=prover,
        consistency=Consistency(log.log_reader()),
    )


def _token_time(response: bytes, data: bytes) -> int:
    # Imported here: the parser is slow to import, and most ledgers have no timestamps.
    from indelible.external.verify_timestamp import read_timestamp_token

    return read_timestamp_token(response, data)
