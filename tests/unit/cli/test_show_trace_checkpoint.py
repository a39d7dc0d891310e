# SPDX-License-Identifier: Apache-2.0
"""`indelible show`, `trace` and `checkpoint`: what is stored, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.domain import note
from indelible.domain.canonical import canonical_bytes
from tests.fakes.audits import copied, exported
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.world import World

KEY = note.verifier_key(LEDGER_NAME, FakeSigner().public_key())
TRACE = "loan-1"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def event(level: str, actor: str, action: str, **more: object) -> bytes:
    said = {"event_type": "STEP", "level": level, "actor": actor, "action": action, "trace_id": TRACE, **more}
    return canonical_bytes({**said, "payload": {}})  # type: ignore[dict-item]


@pytest.fixture
def world() -> World:
    made = World()
    events = (
        event("pipeline", "orchestrator", "start"),
        event("agent", "underwriter", "read", target="a\x1b[31mfile"),
        event("agent", "pricer", "price"),
        event("decision", "underwriter", "approve", reason="Income covers it."),
        event("decision", "nobody-known", "escalate", reason="No policy fits."),
        canonical_bytes({"event_type": "OTHER", "payload": {"note": f'"trace_id":"{TRACE}"'}}),
    )
    made.appender().append(replace(made.submission(1), events=events))
    made.anchored()
    return made


@pytest.fixture
def evidence(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(exported(world.bucket))
    return path


def test_one_record_by_sequence_audit_id_and_hash(world: World, evidence: Path, tmp_path: Path) -> None:
    fourth = world.sealed()[3]
    copied(world.bucket, tmp_path / "copy")

    for source in (evidence, tmp_path / "copy"):
        for named in ("4", fourth.audit_id, fourth.audit_id.upper(), fourth.tx_hash, fourth.tx_hash.upper()):
            answer = run("show", source, named)
            assert answer.exit_code == 0, answer.output
            assert "Income covers it." in answer.stdout
            assert fourth.tx_hash in answer.stdout
    assert json.loads(run("show", evidence, "4", "--json").stdout)["record"] == json.loads(fourth.data)


@pytest.mark.parametrize("named", ["7", "0", "4-4", "zzz", "019d0b9f-e509-8000-8000-023a12345678", "9" * 30, "ab" * 32])
def test_records_that_are_not_there(evidence: Path, named: str) -> None:
    answer = run("show", evidence, named)

    assert answer.exit_code == 2
    assert answer.stderr.startswith("Could not show: ")


def test_a_trace_as_a_tree_with_the_whys(evidence: Path) -> None:
    answer = run("trace", evidence, TRACE)
    told = json.loads(run("trace", evidence, TRACE, "--json").stdout)

    assert "why: Income covers it." in answer.stdout
    assert "4 2026-03-20 14:22:01.481 underwriter approve" in answer.stdout
    assert "\x1b" not in answer.stdout
    (pipeline,) = told["steps"]
    underwriter, pricer = pipeline["steps"]
    assert [step["sequence"] for step in underwriter["steps"]] == [4]
    assert [step["sequence"] for step in pricer["steps"]] == [5], "an unknown actor's step stands under the last agent"


def test_a_trace_that_nobody_left(evidence: Path) -> None:
    assert run("trace", evidence, "loan-2").exit_code == 2


def test_checkpoints_are_printed_as_they_are_and_checked(world: World, evidence: Path, tmp_path: Path) -> None:
    printed = run("checkpoint", evidence, "--key", KEY)
    kept = tmp_path / "kept"
    kept.write_bytes(printed.stdout_bytes)

    assert printed.exit_code == 0
    assert printed.stdout.startswith(f"{LEDGER_NAME}/{ORG}\n6\n")
    assert run("checkpoint", kept, "--key", KEY).exit_code == 0
    told = json.loads(run("checkpoint", kept, "--key", KEY, "--json").stdout)
    assert (told["signed"], told["tree_size"]) == (True, 6)
    assert json.loads(run("verify", evidence, "--key", KEY, "--print-anchor", 2, "--json").stdout) == told
    stranger = note.verifier_key(LEDGER_NAME, FakeSigner(seed=9).public_key())
    assert run("checkpoint", kept, "--key", stranger).exit_code == 1
    assert "Not checked" in run("checkpoint", kept).stderr
    assert run("checkpoint", evidence, "--record", 7).exit_code == 2
    single = run("checkpoint", kept, "--record", 2)
    assert (single.exit_code, single.stdout) == (2, ""), "the option is not ignored"
    assert "is a single checkpoint" in single.stderr


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xff\n\n")

    assert run("checkpoint", junk).exit_code == 2


@pytest.mark.parametrize("other", ["evil-corp", "smaller"])
def test_a_checkpoint_that_is_not_the_one_of_its_place_is_not_called_signed(
    world: World, tmp_path: Path, other: str
) -> None:
    """The ledger's key signed it, for another organisation's log or for fewer records."""
    world.record(1, org_id="evil-corp")
    world.anchored(org_id="evil-corp")
    world.record(7)
    world.anchored()
    log = copied(world.bucket, tmp_path) / ORG / "_log/checkpoints"
    theirs = tmp_path / "evil-corp/_log/checkpoints/000000000001"
    (log / "000000000007").write_bytes((theirs if other == "evil-corp" else log / "000000000006").read_bytes())

    for key in ((), ("--key", KEY)):
        answer = run("checkpoint", tmp_path / ORG, "--record", 7, *key)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert "the file of its checkpoint 7 has that of" in answer.stderr
    assert run("checkpoint", tmp_path / ORG, "--record", 6, "--key", KEY).exit_code == 0
