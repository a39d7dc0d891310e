# SPDX-License-Identifier: Apache-2.0
"""Every named mutation of a chain: whoever verifies without the ledger comes to the API's verdict, fast and slowly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indelible.audit.directory import DirectorySource
from indelible.audit.source import Source
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain.chain import ChainChecker
from indelible.domain.findings import ExpectedHash, FailureCode, StoredObject
from indelible.domain.record import Head
from tests.fakes.audits import KEY, bucket_source, bundle_source, copied, receipt_for
from tests.fakes.bucket import Bucket
from tests.fakes.records import FakeRecords
from tests.vectors import load

CHAINS = load.chain_names()


def audited(source: Source, head: Head) -> Audit:
    return audit(source, AuditRequest(key=KEY, receipts=receipt_for(head)))


@pytest.mark.parametrize("name", CHAINS)
def test_with_the_bucket_at_hand(name: str) -> None:
    vector = load.vectors(f"chains/{name}.json")

    verdict = audited(bucket_source(load.bucket_of(vector), vector["org_id"]), load.head_of(vector))

    assert load.findings(verdict.failures) == load.ordered(vector["expected"]["failures"])
    assert (verdict.valid, verdict.first_broken_at) == (
        vector["expected"]["valid"],
        vector["expected"]["first_broken_at"],
    )


@pytest.mark.parametrize("name", [name for name in CHAINS if name != "everything-missing"])
def test_from_a_bundle(name: str, tmp_path: Path) -> None:
    vector = load.vectors(f"chains/{name}.json")

    source = bundle_source(load.bucket_of(vector), tmp_path / "evidence.zip", org_id=vector["org_id"])
    verdict = audited(source, load.head_of(vector))

    # A receipt for a record beyond the bundle's end is none of the bundle's affairs; the auditor is told.
    whole, end = vector["expected"]["failures"], source.manifest.last_sequence
    expected = [failure for failure in whole if failure[0] != "TRUNCATED" or failure[1] <= end]
    assert load.findings(verdict.failures) == load.ordered(expected)
    assert verdict.valid is (not expected)
    assert any("outside of the range" in said for said in verdict.unchecked) is (expected != whole)


@pytest.mark.parametrize("name", [name for name in CHAINS if name != "everything-missing"])
def test_from_a_copy(name: str, tmp_path: Path) -> None:
    """Of a copy everything is said that the newest versions alone can say."""
    vector = load.vectors(f"chains/{name}.json")
    bucket, head = load.bucket_of(vector), load.head_of(vector)

    verdict = audited(DirectorySource(copied(bucket, tmp_path), vector["org_id"]), head)

    assert load.findings(verdict.failures) == load.findings(of_what_is_shown(bucket, vector, head))


def of_what_is_shown(bucket: Bucket, vector: dict[str, Any], head: Head) -> list[Any]:
    checker = ChainChecker(vector["org_id"], locks=False)
    checker.expect(ExpectedHash(head.sequence, head.tx_hash, "the receipt"))
    for keys in FakeRecords(bucket).versions(vector["org_id"], after=""):
        newest = bucket.current(keys.s3_key)
        if newest is not None:
            checker.observe(StoredObject(s3_key=keys.s3_key, version_id=None, data=newest.data))
    checker.finish()
    assert not {failure.code for failure in checker.failures} & {FailureCode.UNLOCKED, FailureCode.SHADOWED}
    return checker.failures
