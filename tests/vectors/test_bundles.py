# SPDX-License-Identifier: Apache-2.0
"""Every named mutation of a chain, put into a bundle: the verdict of the bucket, but for what no copy shows."""

from __future__ import annotations

import pytest

from indelible.domain.chain import ChainChecker
from indelible.domain.findings import Failure, FailureCode, StoredObject
from indelible.domain.keyring import KeyRing
from indelible.errors import NotFound
from indelible.services.export import Exporter
from indelible.services.log import LogReader
from indelible.services.ranges import Range
from tests.fakes.chains import check, stored_objects
from tests.fakes.log import LEDGER_NAME, FakeLogFiles, FakeSigner
from tests.fakes.machine import ManualClock
from tests.fakes.records import FakeRecords
from tests.fakes.unpacked import MemoryScratch, Unpacked
from tests.vectors import load

NOT_IN_A_COPY = {FailureCode.UNLOCKED, FailureCode.SHADOWED}


def over(seen: list[StoredObject], org_id: str) -> list[Failure]:
    """Failures of these objects without locks, versions, and an expected end."""
    checker = ChainChecker(org_id, locks=False)
    for one in seen:
        checker.observe(one)
    checker.finish()
    return [failure for failure in checker.failures if failure.code not in NOT_IN_A_COPY]


@pytest.mark.parametrize("name", load.chain_names())
def test_a_bundle_gets_the_verdict_of_the_bucket(name: str) -> None:
    vector = load.vectors(f"chains/{name}.json")
    bucket, org_id = load.bucket_of(vector), vector["org_id"]
    records, files, clock = FakeRecords(bucket), FakeLogFiles(bucket), ManualClock(2_000_000_000_000)
    ring = KeyRing.of_one(LEDGER_NAME, FakeSigner().public_key())
    exporter = Exporter(
        records=records,
        files=files,
        log=LogReader(files=files, ledger_name=LEDGER_NAME, keys=lambda: ring),
        ledger_name=LEDGER_NAME,
        scratch=MemoryScratch(),
        clock=clock,
    )
    if name == "everything-missing":
        with pytest.raises(NotFound):
            exporter.bundle(org_id, Range())
        return

    found = Unpacked.of(exporter.bundle(org_id, Range()))

    seen = stored_objects(records, org_id)
    assert load.findings(over(found.stored_objects(), org_id)) == load.findings(over(seen, org_id))
    said = found.manifest["exported"]
    without_head = check(seen, org_id=org_id)
    assert [(one["code"], one["sequence"]) for one in said["failures"]] == [
        (one.code, one.sequence) for one in without_head.failures
    ]
    assert (said["valid"], said["first_broken_at"]) == (not without_head.failures, without_head.first_broken_at)
