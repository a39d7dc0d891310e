# SPDX-License-Identifier: Apache-2.0
"""`indelible rebuild`: a dry run without --apply, and a reliable exit status."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.entry import operator
from tests.fakes.chains import ORG
from tests.fakes.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.record(1, 2, 3)
    made.anchored()
    monkeypatch.setattr(operator, "rebuilder", lambda _ledger: made.rebuilder())
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["rebuild", *arguments])


def test_without_apply_it_only_says_what_it_would_do(world: World) -> None:
    world.lose_table()
    done = run()
    assert done.exit_code == 1
    assert "record 3" in done.stdout
    assert "1 organisation read: 1 differ. Nothing was written; --apply writes." in done.stderr
    assert "A rebuild cannot restore idempotency keys: for 30 days a retry" in done.stderr
    assert world.journal.heads == {}


def test_with_apply_it_writes_and_then_there_is_nothing_left(world: World) -> None:
    world.lose_table()
    done = run("--apply", "--org", ORG)
    assert done.exit_code == 0
    assert "1 rebuilt" in done.stderr
    again = run()
    assert (again.exit_code, again.stdout) == (0, "")
    assert "the table agrees with the bucket" in again.stderr
    assert "A rebuild cannot restore" not in again.stderr


def test_what_became_of_the_others_is_said_beside_a_refusal(world: World) -> None:
    world.record(1, 2, org_id="globex")
    world.administrator.lay_delete_marker(world.administrator.key_of(ORG, 2))
    world.lose_table()
    done = run("--apply")
    assert done.exit_code == 1
    assert "2 organisations read: 1 rebuilt, 1 refused. A refused organisation has a broken chain" in done.stderr
    assert "(docs/operations.md, BrokenChain)" in done.stderr


def test_json_says_the_same(world: World) -> None:
    world.lose_table()
    answer = json.loads(run("--json").stdout)
    report = answer["organisations"][0]
    assert (answer["applied"], report["org_id"], report["settled"], report["records"]) == (False, ORG, False, 3)
    assert [change["item"] for change in report["changes"]] == [
        "index",
        "days",
        "log",
        "ledger outbox",
        "registry",
        "head",
    ]
    assert report["lost"]


def test_a_broken_chain_is_refused_and_named(world: World) -> None:
    world.administrator.lay_delete_marker(world.administrator.key_of(ORG, 2))
    refused = run("--apply")
    assert refused.exit_code == 1
    assert f"{ORG}: refused: SHADOWED at record 2: a newer version" in refused.stderr
    assert "--accept" in refused.stderr
    accepted = run("--apply", "--accept", "SHADOWED:2")
    assert accepted.exit_code == 0
    assert f"{ORG}: accepted: SHADOWED at record 2" in accepted.stderr
    assert json.loads(run("--accept", "SHADOWED", "--json").stdout)["organisations"][0]["refused"] == []


@pytest.mark.parametrize("what", ["NONSENSE", "MISSING:0", "MISSING:x", "missing"])
def test_only_failures_that_exist_can_be_accepted(world: World, what: str) -> None:
    done = run("--accept", what)
    assert done.exit_code == 2
    assert "MISSING:142" in done.stderr


def test_an_unknown_name_is_one_line(world: World) -> None:
    done = run("--org", "nobody")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: neither the bucket nor the registry has an organisation nobody" in done.stderr


def test_what_changed_meanwhile_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    del world.journal.heads[ORG]
    monkeypatch.setattr(type(world.repair), "swap_head", lambda *_: False)
    done = run("--apply")
    assert done.exit_code == 1
    assert "changed in the meantime and not written: head. Run it again." in done.stderr
