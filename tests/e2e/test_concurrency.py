# SPDX-License-Identifier: Apache-2.0
"""Eight client processes at once, one organisation: one history, nothing lost, nothing doubled (G2, G3)."""

from __future__ import annotations

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.tenant import fresh
from tests.e2e.helpers.writer import write

CLIENTS = 8
EVENTS = 25
_PATIENCE_S = 120


def test_eight_client_processes_share_one_chain(ledger: Outputs) -> None:
    org = fresh(ledger, "concurrent")
    # Spawned, not forked: eight clients that share nothing, as eight machines would.
    with ProcessPoolExecutor(CLIENTS, mp_context=multiprocessing.get_context("spawn")) as clients:
        running = [clients.submit(write, org, number, EVENTS) for number in range(CLIENTS)]
        reports = [future.result(timeout=_PATIENCE_S) for future in running]

    assert [report.refused for report in reports] == [[]] * CLIENTS
    receipts = sorted((r for report in reports for r in report.receipts), key=lambda r: r["sequence"])
    assert [receipt["sequence"] for receipt in receipts] == list(range(1, CLIENTS * EVENTS + 1))
    for name in ("audit_id", "tx_hash", "s3_key"):
        assert len({receipt[name] for receipt in receipts}) == CLIENTS * EVENTS
    assert [receipt["prev_hash"] for receipt in receipts] == ["GENESIS", *(r["tx_hash"] for r in receipts[:-1])]
    assert [receipt["timestamp"] for receipt in receipts] == sorted(receipt["timestamp"] for receipt in receipts)

    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["pending"]) == (True, CLIENTS * EVENTS, [])
    admin = Admin.of(ledger)
    assert admin.keys(org.org_id) == [receipt["s3_key"] for receipt in receipts]
    assert all(hashlib.sha256(admin.body(r["s3_key"])).hexdigest() == r["tx_hash"] for r in receipts)
    # Each client's events stand in the order in which that client sent them.
    for report in reports:
        sequences = [receipt["sequence"] for receipt in report.receipts]
        assert sequences == sorted(sequences)
