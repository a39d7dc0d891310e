# SPDX-License-Identifier: Apache-2.0
"""`indelible hold`: JSON on stdout, messages on stderr, and a reliable exit status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.entry import operator
from indelible.errors import NotFound
from tests.fakes.chains import ORG
from tests.unit.services.counsel import ACTOR, WHY, Office

SOURCE = f"s3://evidence/{ORG}"


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office()

    def holds(ledger: str, bucket: str) -> Any:
        if (ledger, bucket) != ("indelible", "evidence"):
            raise NotFound(f"{bucket} is not the bucket of the ledger {ledger}; --ledger names another")
        return made.holds()

    monkeypatch.setattr(operator, "holds", holds)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["hold", *arguments])


def test_place_list_and_release(office: Office) -> None:
    done = run("place", SOURCE, "--start", "5", "--end", "8", "--reason", WHY)
    assert (done.exit_code, done.stderr) == (0, "")
    placed = json.loads(done.stdout)
    assert (placed["org_id"], placed["start_seq"], placed["end_seq"], placed["to"]) == (ORG, 5, 8, None)
    assert (placed["first_sequence"], placed["last_sequence"], placed["covered_by"]) == (5, 8, 10)
    assert placed["changed"] == placed["versions"] > 8
    assert placed["placed"] == {"at": placed["placed"]["at"], "by": ACTOR, "reason": WHY}
    assert placed["released"] is None

    (listed,) = json.loads(run("list", SOURCE, "--json").stdout)["holds"]
    assert listed == {name: placed[name] for name in listed}
    assert WHY in run("list", SOURCE).stdout

    done = run("release", SOURCE, placed["hold_id"], "--reason", "settled")
    assert json.loads(done.stdout)["changed"] == placed["versions"]
    assert json.loads(done.stdout)["released"]["reason"] == "settled"
    assert office.world.bucket.held == set()
    assert json.loads(run("list", SOURCE, "--json").stdout)["holds"] == []
    assert run("list", SOURCE).stderr == f"{ORG} has no holds in force\n"
    assert [one["hold_id"] for one in json.loads(run("list", SOURCE, "--all", "--json").stdout)["holds"]] == [
        placed["hold_id"]
    ]
    assert "settled" in run("list", SOURCE, "--all").stdout


def test_an_end_that_no_checkpoint_covers_is_said(office: Office) -> None:
    done = run("place", SOURCE, "--start", "11", "--reason", WHY)
    assert (done.exit_code, json.loads(done.stdout)["covered_by"]) == (0, None)
    assert "run this again after the next anchoring" in done.stderr


def test_what_was_cut_off_is_no_success(office: Office) -> None:
    office.flags.fails_after = 2
    done = run("place", SOURCE, "--reason", WHY)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "S3 did not take the request" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("place", SOURCE), "--reason"),
        (("place", SOURCE, "--reason", " "), "Error: reason must say why"),
        (("place", SOURCE, "--reason", "x", "--start", "3", "--end", "2"), "--end is before --start"),
        (("place", SOURCE, "--reason", "x", "--start", "900"), "has nothing in this range"),
        (("place", "evidence", "--reason", "x"), "s3://BUCKET/ORGANISATION"),
        (("place", "s3://evidence/_ledger", "--reason", "x"), "s3://BUCKET/ORGANISATION"),
        (("place", f"s3://another/{ORG}", "--reason", "x"), "is not the bucket of the ledger indelible"),
        (("place", SOURCE, "--reason", "x", "--ledger", "other"), "is not the bucket of the ledger other"),
        (("release", SOURCE, "0" * 36, "--reason", "x"), "has no hold"),
        (("list", "s3://evidence"), "s3://BUCKET/ORGANISATION"),
    ],
)
def test_a_refusal_does_nothing(office: Office, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert office.world.bucket.held == set()
    assert office.acts() == []


def test_a_reason_cannot_move_the_cursor(office: Office) -> None:
    run("place", SOURCE, "--end", "2", "--reason", "a\x1b[2Jb")
    assert "\x1b[2J" not in run("list", SOURCE).stdout
    assert json.loads(run("list", SOURCE, "--json").stdout)["holds"][0]["placed"]["reason"] == "a\x1b[2Jb"


def test_a_reason_that_is_no_text_is_refused(office: Office) -> None:
    done = run("place", SOURCE, "--reason", "a\udcffb")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert office.acts() == []
