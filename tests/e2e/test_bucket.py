# SPDX-License-Identifier: Apache-2.0
"""`indelible verify s3://…` in one process and in several: the same verdict, and the same word when there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.counting import RecordFunction
from indelible.audit import workers
from indelible.audit.source import Source
from indelible.cli import verify
from indelible.cli.main import cli
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge, lock_of, rewritten
from tests.e2e.helpers.merkle_log import MerkleLog
from tests.e2e.helpers.tenant import Tenant, events, fresh, http
from tests.fakes.s3_server import FakeS3

RECORDS = 1000
"""Five parts."""


class Watched(ProcessPoolExecutor):
    """Is there from the beginning, however busy the machine is; keeps what it was given to do."""

    given: list[Future[Any]]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if fn is workers._scan:
            self.given.append(future)
        else:
            future.result(timeout=60)
        return future


@pytest.fixture(autouse=True)
def environment(ledger: Outputs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ledger.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Future[Any]]:
    monkeypatch.setattr(workers, "_ALONE", 0)
    monkeypatch.setattr(workers, "ProcessPoolExecutor", Watched)
    monkeypatch.setattr(Watched, "given", [], raising=False)
    return Watched.given


@pytest.fixture(scope="module")
def recorded(ledger: Outputs) -> Tenant:
    org = fresh(ledger, "bucket")
    with RecordFunction(ledger):  # without an organisation's share
        for _ in range(RECORDS // 100):
            org.record_batch(events(100))
    MerkleLog.of(org).anchor()
    return org


@cache
def key_of(ledger: Outputs) -> str:
    found: str = http().get(f"{ledger.api_url}/v1/keys").json()["keys"][0]["verifier_key"]
    return found


def run(ledger: Outputs, org_id: str, *words: str) -> Result:
    key = key_of(ledger)
    return CliRunner().invoke(cli, ["verify", f"s3://{ledger.bucket}/{org_id}", "--key", key, "--json", *words])


def said(ledger: Outputs, org_id: str, *words: str) -> dict[str, Any]:
    done = run(ledger, org_id, *words)
    assert done.exit_code in (0, 1), done.output
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert verdict["valid"] is (done.exit_code == 0)
    # How long it took, and the ledger's own log, which goes on with what others record meanwhile.
    return {name: value for name, value in verdict.items() if name not in ("verification_time_ms", "anchors")}


def scanned(given: list[Future[Any]]) -> list[bool]:
    """Of the parts that a worker took: whether it was faultless."""
    return [found is not None for future in given if not future.cancelled() for found in future.result()]


def test_a_sound_chain(ledger: Outputs, recorded: Tenant, given: list[Future[Any]]) -> None:
    several = said(ledger, recorded.org_id, "--jobs", "2")

    assert (several["valid"], several["entries_checked"]) == (True, RECORDS)
    assert several["checkpoint"]["tree_size"] == RECORDS
    assert scanned(given), "no worker took a part"
    assert all(scanned(given))
    assert several == said(ledger, recorded.org_id, "--jobs", "1")


def test_a_broken_chain(ledger: Outputs, given: list[Future[Any]]) -> None:
    """Written past the ledger: its table has never heard of it."""
    org = fresh(ledger, "broken")
    forge = Forge(Admin.of(ledger), org.org_id)
    chain = forge.build(450)
    unlocked, second, gone = chain[9], chain[199], chain[409]
    changed = rewritten(chain[203], b'"number":203', b'"number":999')
    forge.seal([*chain[:203], changed, *chain[204:]], without=[unlocked.sequence, gone.sequence])
    forge.put(unlocked.s3_key, unlocked.data, **lock_of(unlocked, shorter_ms=1000))
    forge.admin.overlay(second.s3_key, b"{}")
    forge.admin.hide(chain[449].s3_key)

    several = said(ledger, org.org_id, "--jobs", "2")

    assert [(one["code"], one["sequence"]) for one in several["failures"]] == [
        ("UNLOCKED", 10),
        ("SHADOWED", 200),
        ("BROKEN_LINK", 205),
        ("MISSING", 410),
        ("SHADOWED", 450),
    ]
    assert (several["first_broken_at"], several["entries_checked"]) == (10, 449)
    assert scanned(given), "no worker took a part"
    assert not any(scanned(given))
    assert several == said(ledger, org.org_id, "--jobs", "1")


@pytest.mark.parametrize(
    ("reached", "word"), [(True, "InvalidAccessKeyId"), (False, "S3 could not be reached: EndpointConnectionError")]
)
def test_trouble_that_only_a_worker_has(
    ledger: Outputs,
    recorded: Tenant,
    given: list[Future[Any]],
    monkeypatch: pytest.MonkeyPatch,
    reached: bool,
    word: str,
) -> None:
    with FakeS3(region=ledger.region).serving() as elsewhere:

        def open_source(*words: Any, **options: Any) -> Source:
            """By this process, in time; whatever starts later has another address."""
            source = in_time(*words, **options)
            monkeypatch.setenv("AWS_ENDPOINT_URL", elsewhere.url if reached else "http://127.0.0.1:9")
            return source

        in_time = verify.open_source  # type: ignore[attr-defined]
        monkeypatch.setattr(verify, "open_source", open_source)
        done = run(ledger, recorded.org_id, "--jobs", "2")

    assert done.exit_code == 2, done.output
    assert given
    assert done.stdout == ""
    assert done.stderr.startswith("Could not check: ")
    assert word in done.stderr
    assert done.stderr.count("\n") == 1
