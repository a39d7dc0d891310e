# SPDX-License-Identifier: Apache-2.0
"""A bundle and a copy from before Bitcoin had the ledger's checkpoint: completed later, away from the ledger.

The calendar runs here, with a clock that the test turns, so that no round of the ledger completes the proof before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.env import Outputs
from local.external.calendar import Calendar
from local.external.web import Program, serving
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.tenant import Tenant, fresh, http


class Clock:
    """Seconds."""

    now = 1_774_016_600.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Before:
    """An organisation's evidence on an auditor's disk, with a promise of the calendar in it."""

    org: Tenant
    directory: Path
    calendar: Calendar
    clock: Clock

    def indelible(self, *words: object) -> CompletedProcess[str]:
        return indelible(*words, environment=self.org.ledger.environment(), directory=self.directory)

    def vouched(self, source: str, *more: object) -> dict[str, object]:
        """What the verdict says of the calendar's proof; `status` is the command's."""
        asked = ["--org", self.org.org_id, "--key", "ledger.vkey", "--check-anchors", "--json", *more]
        done = self.indelible("verify", source, *asked)
        verdict = json.loads(done.stdout)
        assert verdict["valid"] is True
        (found,) = (one for one in verdict["anchors"] if one["kind"] == "opentimestamps")
        return {**found, "status": done.returncode}


@pytest.fixture(scope="module")
def before(ledger: Outputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    directory, clock, made = tmp_path_factory.mktemp("auditor"), Clock(), []

    def make(url: str) -> Program:
        made.append(Calendar(url, block_seconds=3600, clock=clock))
        return made[0]

    with serving(make) as url:
        state = tmp_path_factory.mktemp("promised") / "state"
        outputs = another_ledger(ledger, state, ledger_name="promised", calendars=json.dumps({"mine": url}))
        org = fresh(outputs, "before")
        org.record_batch([{"event_type": "AGENT_DECISION", "payload": {"n": n}} for n in range(5)])
        assert Admin.of(outputs).round(run="news")["external_anchors"]["failed"] is None
        (key,) = http().get(f"{outputs.api_url}/v1/keys").json()["keys"]
        (directory / "ledger.vkey").write_text(key["verifier_key"])
        found = Before(org, directory, made[0], clock)
        source = f"s3://{outputs.bucket}/{org.org_id}"
        packed = found.indelible("export", source, "-o", "evidence.zip", "--key", "ledger.vkey")
        assert packed.returncode == 0, packed.stderr
        for name in (org.org_id, "_ledger"):
            _copied(Admin.of(outputs), f"{name}/", directory / "copy")
        yield found


def _copied(admin: Admin, prefix: str, directory: Path) -> None:
    for one in admin.versions(prefix):
        path = directory / one["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(admin.body(one["Key"]))


SOURCES = ("evidence.zip", "copy")


def test_a_promise_is_completed_and_then_vouches_for_the_time(before: Before) -> None:
    for source in SOURCES:
        promised = before.vouched(source)
        assert (promised["checked"], promised["status"]) == (False, 2)
        assert "has promised a proof" in str(promised["words"])
        asked = ("--org", before.org.org_id, "--calendar", before.calendar.url, "-o", f"completed-{source}")
        early = before.indelible("upgrade-ots", source, *asked)
        assert (early.returncode, early.stdout) == (1, "")
        assert f"{before.calendar.url}: not in Bitcoin yet\n" in early.stderr
        assert not (before.directory / f"completed-{source}").exists()

    before.clock.now += 7200
    for source in SOURCES:
        where = f"completed-{source}"
        asked = ("--org", before.org.org_id, "--calendar", before.calendar.url, "-o", where)
        done = before.indelible("upgrade-ots", source, *asked)
        assert done.returncode == 0, done.stderr
        (written,) = (path for path in (before.directory / where).rglob("*") if path.is_file())
        assert done.stdout == f"{written.relative_to(before.directory)}\n"

    headers = http().get(f"{before.calendar.url}/headers").text
    (before.directory / "headers.txt").write_text(headers)
    height, header = headers.split()
    for source in SOURCES:
        given = ("--completed", f"completed-{source}")
        assert "was not given" in str(before.vouched(source, *given)["words"])
        for trusted in (("--bitcoin-headers", "headers.txt"), ("--bitcoin-header", f"{height}:{header}")):
            vouched = before.vouched(source, *given, *trusted)
            assert (vouched["checked"], vouched["status"]) == (True, 0)
            assert vouched["time"] == "2026-03-20T16:23:20.000Z", "the block's, which is two hours after the promise"
        assert before.vouched(source, *trusted)["status"] == 2, "without the completed proof nobody vouches"
