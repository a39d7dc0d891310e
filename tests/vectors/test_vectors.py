# SPDX-License-Identifier: Apache-2.0
"""The checked-in known answers hold, for the record format and for every named mutation of a stored chain."""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from indelible.domain import audit_id, credentials, instants, record
from indelible.domain.keyring import KeyRing
from indelible.domain.record import GovernorKey, Head, Retention
from indelible.services.log import LogReader
from indelible.services.ranges import Range
from indelible.services.verify import Verifier
from tests.fakes.chains import check, stored_objects
from tests.fakes.journal import FakeJournal
from tests.fakes.log import LEDGER_NAME, FakeLogFiles, FakeSigner
from tests.fakes.machine import ManualClock
from tests.fakes.records import FakeRecords
from tests.vectors import catalogue, format_v1, generate, load, stored_chain
from tests.vectors.keys import generate as keys

HERE = Path(__file__).parent
RECORDS: list[dict[str, Any]] = load.vectors("records.json")
CREDENTIALS: list[dict[str, Any]] = load.vectors("credentials.json")
CHAINS = load.chain_names()
A_LATER_DAY = instants.from_text("2026-03-25T00:00:00Z")


def test_the_checked_in_files_are_what_the_generator_makes() -> None:
    made = generate.files()
    patterns = ("*.json", "*.jsonl", "chains/*", "bundles/*")
    present = {path.relative_to(HERE).as_posix() for pattern in patterns for path in HERE.glob(pattern)}

    assert present == set(made)
    assert [path for path, content in made.items() if (HERE / path).read_bytes() != content] == []


@pytest.mark.parametrize(
    "module", [format_v1, stored_chain, catalogue, generate, *generate.CHAPTERS, *generate.WHOLE, keys]
)
def test_the_generator_owes_nothing_to_the_code_under_test(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    assert not any(name.split(".")[0] == "indelible" or name.startswith("tests.fakes") for name in imported)


@pytest.mark.parametrize("vector", RECORDS, ids=lambda vector: str(vector["name"]))
def test_build_gives_the_known_bytes(vector: dict[str, Any]) -> None:
    given = vector["inputs"]
    now_ms = instants.from_text(given["timestamp"])

    built = record.build(
        given["event"].encode(),
        org_id=given["org_id"],
        head=Head(given["sequence"] - 1, given["prev_hash"], now_ms - 1),
        now_ms=now_ms,
        retention=Retention(given["lock_mode"], given["days"]),
        governor=GovernorKey("k1", bytes.fromhex(given["governor_secret"])),
        random=given["random"],
    )

    assert built.data == base64.b64decode(vector["data"])
    assert (built.tx_hash, built.audit_id, built.s3_key) == (vector["tx_hash"], vector["audit_id"], vector["s3_key"])
    assert instants.to_text(built.retain_until_ms) == vector["retain_until"]


@pytest.mark.parametrize("vector", RECORDS, ids=lambda vector: str(vector["name"]))
def test_read_finds_what_is_in_the_known_bytes(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data"])
    says = json.loads(data)

    found = record.read(data)

    assert (found.audit_id, found.org_id, found.sequence) == (says["audit_id"], says["org_id"], says["sequence"])
    assert (found.prev_hash, found.lock_mode) == (says["prev_hash"], says["lock_mode"])
    assert instants.to_text(found.timestamp_ms) == says["timestamp"]
    assert instants.to_text(found.retain_until_ms) == says["retain_until"]
    assert (found.tx_hash, found.s3_key) == (vector["tx_hash"], vector["s3_key"])
    located = audit_id.decode(found.audit_id)
    assert (located.sequence, located.timestamp_ms) == (found.sequence, found.timestamp_ms)


@pytest.mark.parametrize("vector", CREDENTIALS, ids=lambda vector: f"{vector['org_id']}-{vector['key_id']}")
def test_known_credentials(vector: dict[str, Any]) -> None:
    master = bytes.fromhex(vector["master"])
    secret = credentials.hmac_secret(master, vector["org_id"], vector["key_id"])

    assert secret == vector["hmac_secret"]
    assert credentials.governor_key(master, vector["org_id"]).secret.hex() == vector["governor_secret"]
    assert credentials.sign(vector["arguments"], secret) == vector["signature"]
    assert credentials.sign({**vector["arguments"], "signature": "anything"}, secret) == vector["signature"]


def test_there_are_enough_mutations_and_each_says_what_was_done() -> None:
    assert len(CHAINS) >= 50
    assert all(len(load.vectors(f"chains/{name}.json")["what"]) >= 10 for name in CHAINS)


@pytest.mark.parametrize("name", CHAINS)
def test_the_chain_checker_finds_exactly_the_expected(name: str) -> None:
    vector = load.vectors(f"chains/{name}.json")

    checker = check(stored_objects(FakeRecords(load.bucket_of(vector))), head=load.head_of(vector))

    assert load.findings(checker.failures) == load.ordered(vector["expected"]["failures"])
    assert checker.first_broken_at == vector["expected"]["first_broken_at"]
    assert checker.failures_total == len(checker.failures)


@pytest.mark.parametrize("name", CHAINS)
def test_verify_finds_exactly_the_expected(name: str) -> None:
    vector = load.vectors(f"chains/{name}.json")
    bucket = load.bucket_of(vector)
    journal = FakeJournal(bucket, heads={vector["org_id"]: load.head_of(vector)})
    clock = ManualClock(A_LATER_DAY)
    log = LogReader(
        files=FakeLogFiles(bucket),
        ledger_name=LEDGER_NAME,
        keys=lambda: KeyRing.of_one(LEDGER_NAME, FakeSigner().public_key()),
    )
    verifier = Verifier(records=FakeRecords(bucket), journal=journal, log=log, clock=clock)

    verdict = verifier.verify(vector["org_id"], Range(), deadline_ms=clock.now + 60_000)

    assert load.findings(verdict.failures) == load.ordered(vector["expected"]["failures"])
    assert verdict.first_broken_at == vector["expected"]["first_broken_at"]
    assert (verdict.valid, verdict.complete) == (vector["expected"]["valid"], True)
