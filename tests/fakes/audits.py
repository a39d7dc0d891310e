# SPDX-License-Identifier: Apache-2.0
"""What an auditor gets to see of an in-memory bucket: the bucket itself, a copy of it, and a bundle."""

from __future__ import annotations

from pathlib import Path

from indelible.audit.bucket import BucketSource
from indelible.audit.bundle import BundleSource
from indelible.audit.directory import DirectorySource
from indelible.audit.keys import Pinned
from indelible.domain.findings import ExpectedHash
from indelible.domain.keyring import KeyRing
from indelible.domain.record import Head
from indelible.ports import LogFiles
from indelible.services.export import Exporter
from indelible.services.log import LogReader
from indelible.services.ranges import Range
from tests.fakes.bucket import Bucket, Version
from tests.fakes.chains import ORG
from tests.fakes.external import FakeAnchorFiles
from tests.fakes.log import LEDGER_NAME, FakeLogFiles, FakeSigner
from tests.fakes.machine import ManualClock
from tests.fakes.records import FakeRecords
from tests.fakes.unpacked import MemoryScratch

KEY = Pinned(FakeSigner().public_key(), LEDGER_NAME)
WHOLE = Range()


def log_reader(files: LogFiles) -> LogReader:
    """What everybody reads who trusts the key of `FakeSigner`."""
    return LogReader(files=files, ledger_name=LEDGER_NAME, keys=lambda: KeyRing.of_one(LEDGER_NAME, KEY.public_key))


def bucket_source(bucket: Bucket, org_id: str = ORG) -> BucketSource:
    """As with read access to the bucket."""
    return BucketSource(
        where=f"s3://fake/{org_id}", org_id=org_id, records=FakeRecords(bucket), files=FakeLogFiles(bucket)
    )


def copied(bucket: Bucket, path: Path) -> Path:
    """As after `aws s3 sync`: of every key what a plain GET finds."""
    for key, stack in bucket.stacks.items():
        newest = stack[-1]
        if isinstance(newest, Version):
            file = path / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(newest.data)
    return path


def directory_source(bucket: Bucket, path: Path, org_id: str | None = ORG) -> DirectorySource:
    """The organisation's own directory in a copy."""
    return DirectorySource(copied(bucket, path), org_id)


def exported(bucket: Bucket, asked: Range = WHOLE, org_id: str = ORG) -> bytes:
    """The bundle that the ledger makes."""
    records, files, anchors = FakeRecords(bucket), FakeLogFiles(bucket), FakeAnchorFiles(bucket)
    exporter = Exporter(
        records=records,
        files=files,
        log=log_reader(files),
        ledger_name=LEDGER_NAME,
        scratch=MemoryScratch(),
        clock=ManualClock(2_000_000_000_000),
        anchored=lambda at_least: ((one.size, one.file) for one in anchors.stored(at_least=at_least)),
    )
    return b"".join(exporter.bundle(org_id, asked).pieces())


def bundle_source(bucket: Bucket, path: Path, asked: Range = WHOLE, org_id: str = ORG) -> BundleSource:
    """A bundle in a file."""
    path.write_bytes(exported(bucket, asked, org_id))
    return BundleSource(path)


def receipt_for(head: Head) -> dict[int, tuple[ExpectedHash, ...]]:
    """A receipt for the end of the chain."""
    return {head.sequence: (ExpectedHash(head.sequence, head.tx_hash, "the receipt"),)}
