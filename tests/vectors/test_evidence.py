# SPDX-License-Identifier: Apache-2.0
"""The checked-in bucket and bundles: `indelible verify` says what stands beside them, an export makes them again."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indelible.audit.keys import pinned_key
from indelible.audit.verify import AuditRequest, audit
from indelible.cli import report
from indelible.cli.main import cli
from indelible.domain import instants
from indelible.domain.anchors import AnchorFile, parse_anchor_path
from indelible.domain.findings import Lock
from indelible.domain.keyring import KeyRing
from indelible.services.export import Exporter
from indelible.services.log import LogReader
from indelible.services.ranges import Range
from tests.fakes.audits import bucket_source, copied
from tests.fakes.bucket import Bucket, Version
from tests.fakes.log import LEDGER_NAME, FakeLogFiles
from tests.fakes.machine import ManualClock
from tests.fakes.records import FakeRecords
from tests.fakes.unpacked import MemoryScratch
from tests.vectors import load

HERE = Path(__file__).parent
BUNDLES = sorted(path.stem for path in (HERE / "bundles").glob("*.zip"))
WHOLE: dict[str, Any] = load.vectors("bucket.json")
ORGANISATIONS = sorted(WHOLE["organisations"])
HONEST = [name for name in BUNDLES if load.vectors(f"bundles/{name}.json")["expected"]["valid"]]


@pytest.fixture(scope="module")
def bucket() -> Bucket:
    """As `bucket.jsonl` says, line by line."""
    made = Bucket()
    for line in (HERE / "bucket.jsonl").read_bytes().splitlines():
        said = json.loads(line)
        lock = Lock(said["lock"]["mode"], instants.from_text(said["lock"]["retain_until"]))
        version = Version(said["version_id"], base64.b64decode(said["data"]), said["sha256"], lock)
        made.stacks.setdefault(said["key"], []).append(version)
    return made


def told(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict as the files have it."""
    failures = [
        [one["code"], one["sequence"], *([one["through"]] if "through" in one else [])] for one in verdict["failures"]
    ]
    size = verdict["checkpoint"] and verdict["checkpoint"]["tree_size"]
    names = ("valid", "entries_checked", "first_sequence", "last_sequence", "first_broken_at")
    return {name: verdict[name] for name in names} | {"failures": load.ordered(failures), "checkpoint": size}


def typed(source: Path, vector: dict[str, Any], *more: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["verify", str(source), *vector["arguments"], *more, "--json"])
    assert done.exit_code == vector["exit_status"], done.output
    return told(json.loads(done.stdout))


def expected(vector: dict[str, Any]) -> dict[str, Any]:
    return {**vector["expected"], "failures": load.ordered(vector["expected"]["failures"])}


@pytest.mark.parametrize("more", [(), ("--strict",), ("--jobs", "2")], ids=["plain", "strict", "jobs"])
@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_gets_the_verdict_beside_it(name: str, more: tuple[str, ...]) -> None:
    vector = load.vectors(f"bundles/{name}.json")

    assert typed(HERE / "bundles" / f"{name}.zip", vector, *more) == expected(vector)


@pytest.mark.parametrize("org_id", ORGANISATIONS)
def test_the_bucket_gets_the_verdict_beside_it(org_id: str, bucket: Bucket, tmp_path: Path) -> None:
    vector = WHOLE["organisations"][org_id]

    verdict = audit(bucket_source(bucket, org_id), AuditRequest(key=pinned_key(vector["arguments"][1])))

    assert told(report.as_json(verdict, [])) == expected(vector)
    assert typed(copied(bucket, tmp_path), vector, "--org", org_id) == expected(vector)


@pytest.mark.parametrize("name", HONEST)
def test_an_export_of_the_bucket_has_the_files_of_the_bundle(name: str, bucket: Bucket) -> None:
    """All but what an exporter says in words of its own, and the page."""
    with zipfile.ZipFile(HERE / "bundles" / f"{name}.zip") as archive:
        vector = {entry: archive.read(entry) for entry in archive.namelist()}
    said = json.loads(vector["manifest.json"])

    made = exported(bucket, said["org_id"], Range(start_seq=said["first_sequence"], end_seq=said["last_sequence"]))

    own = {"README.txt", "evidence.html", "manifest.json"}
    assert {path: data for path, data in made.items() if path not in own} == {
        path: data for path, data in vector.items() if path not in own
    }
    assert without(json.loads(made["manifest.json"]), own) == without(said, own)
    assert [path for path in made if path != "evidence.html"] == list(vector), "and in the same order"


def without(manifest: dict[str, Any], own: set[str]) -> dict[str, Any]:
    return {**manifest, "files": {path: listed for path, listed in manifest["files"].items() if path not in own}}


def exported(bucket: Bucket, org_id: str, within: Range) -> dict[str, bytes]:
    files = FakeLogFiles(bucket)
    statements = [files.read("_ledger", f"keys/{generation:04d}") or b"" for generation in (1, 2)]
    first = pinned_key(WHOLE["organisations"]["acme-corp"]["arguments"][1]).public_key
    ring = KeyRing.trusting(first, statements, ledger_name=LEDGER_NAME)

    def anchored(at_least: int) -> Iterator[tuple[int, AnchorFile]]:
        place = "_ledger/_log/"
        found = (parse_anchor_path(key.removeprefix(place)) for key in sorted(bucket.stacks) if key.startswith(place))
        return (one for one in found if one is not None and one[0] >= at_least)

    exporter = Exporter(
        records=FakeRecords(bucket),
        files=files,
        log=LogReader(files=files, ledger_name=LEDGER_NAME, keys=lambda: ring),
        ledger_name=LEDGER_NAME,
        scratch=MemoryScratch(),
        clock=ManualClock(2_000_000_000_000),
        anchored=anchored,
    )
    packed = exporter.bundle(org_id, within)
    with zipfile.ZipFile(io.BytesIO(b"".join(packed.pieces()))) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}
