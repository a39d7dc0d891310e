# SPDX-License-Identifier: Apache-2.0
"""`indelible verify`: exit status, text and JSON; for a copy and a bundle without AWS and without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from indelible.audit import resume, stored_zip
from indelible.cli.main import cli
from indelible.domain import note
from indelible.domain.receipt import Receipt
from tests.fakes.audits import copied, exported
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.world import World

KEY = note.verifier_key(LEDGER_NAME, FakeSigner().public_key())


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    for size in (4, 9):
        made.record(*range(size - 3, size + 1))
        made.anchored()
    made.record(100, 101)
    return made


@pytest.fixture
def evidence(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(exported(world.bucket))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def said(*arguments: object) -> dict[str, Any]:
    return dict(json.loads(run("verify", *arguments, "--json").stdout))


def receipt_file(world: World, path: Path, sequence: int, **changes: object) -> Path:
    entry = world.sealed()[sequence - 1]
    stored = world.records.oldest(entry.s3_key)
    assert stored is not None
    receipt = {**msgspec.to_builtins(Receipt.of(entry, stored.version_id)), **changes}
    path.write_text(json.dumps({"status": "recorded", "receipt": receipt}))
    return path


def test_a_valid_bundle(evidence: Path) -> None:
    answer = run("verify", evidence, "--key", KEY)

    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("VALID ")
    assert "pinned by you" in answer.stdout
    assert "Not checked" in answer.stdout
    assert "locks" in answer.stdout


def test_json_has_the_fields_of_the_api_and_more(evidence: Path) -> None:
    verdict = said(evidence, "--key", KEY)

    assert verdict["valid"] is True
    assert {"entries_checked", "first_broken_at", "verification_time_ms", "failures", "failures_total"} <= set(verdict)
    assert {"pending", "complete", "next_seq", "checkpoint", "source", "unchecked"} <= set(verdict)
    assert verdict["checkpoint"]["origin"] == f"{LEDGER_NAME}/{ORG}"
    assert verdict["key"]["pinned"] is True


def test_a_copy_with_and_without_its_organisation(world: World, tmp_path: Path) -> None:
    copied(world.bucket, tmp_path)

    assert run("verify", tmp_path, "--key", KEY).exit_code == 0
    assert run("verify", tmp_path / ORG, "--key", KEY).exit_code == 0
    (tmp_path / ORG / ".DS_Store").write_bytes(b"a finder's own affair")
    assert run("verify", tmp_path / ORG, "--key", KEY).exit_code == 0


def test_a_changed_byte_is_named_with_its_record_key_and_hashes(world: World, tmp_path: Path) -> None:
    copied(world.bucket, tmp_path)
    victim = world.sealed()[4]
    path = tmp_path / victim.s3_key
    path.write_bytes(victim.data.replace(b'"number":', b'"numbar":', 1))

    answer = run("verify", tmp_path, "--key", KEY)

    assert answer.exit_code == 1
    assert answer.stdout.startswith("BROKEN ")
    assert "record 6" in answer.stdout
    assert world.sealed()[5].s3_key in answer.stdout
    assert victim.tx_hash in answer.stdout
    assert "CHECKPOINT_MISMATCH tree size" in answer.stdout


def test_what_would_deceive_a_terminal_is_spelled_out(world: World, tmp_path: Path) -> None:
    copied(world.bucket, tmp_path)
    (tmp_path / ORG / "2026" / "03" / "20" / "0\x1b[2Jall is well.json").write_bytes(b"{}")

    answer = run("verify", tmp_path, "--key", KEY)

    assert answer.exit_code == 1
    assert "\x1b" not in answer.stdout
    assert "\\x1b" in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("/nowhere/at/all",),
        ("{empty}",),
        ("{bundle}", "--org", "globex"),
        ("{bundle}", "--key", "nonsense"),
        ("{bundle}", "--start", "500", "--end", "600"),
        ("{bundle}", "--from", "2031-01-01T00:00:00Z"),
        ("{bundle}", "--key", KEY, "--check-anchors"),
        ("{bundle}", "--key", KEY, "--check-tst"),
        ("{bundle}", "--quorum", "1"),
        ("{bundle}", "--witness", KEY),
        ("{bundle}", "--bitcoin-header", "1:zz"),
        ("{junk}",),
    ],
)
def test_could_not_check(evidence: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").write_bytes(b"PK\x03\x04 but no more")
    places = {"empty": tmp_path / "empty", "bundle": evidence, "junk": tmp_path / "junk"}

    answer = run("verify", *(argument.format(**places) for argument in arguments))

    assert answer.exit_code == 2, answer.output
    assert answer.stderr.startswith("Could not check: ")
    assert answer.stderr.count("\n") == 1


def test_valid_records_that_nobody_vouches_for_as_demanded_are_called_so(evidence: Path) -> None:
    """Exit status 2, and a first line that cannot be taken for an unconditional VALID."""
    demanded = ("--key", KEY, "--check-anchors", "--check-tst")
    answer, verdict = run("verify", evidence, *demanded), run("verify", evidence, *demanded, "--json")

    assert (answer.exit_code, verdict.exit_code) == (2, 2)
    assert answer.stdout.startswith("VALID, BUT NOT CONFIRMED AS REQUIRED")
    said = json.loads(verdict.stdout)
    assert said["valid"] is True
    assert len(said["lacking"]) == 2
    assert json.loads(run("verify", evidence, "--key", KEY, "--json").stdout)["lacking"] == []


def test_what_an_earlier_run_read_is_not_passed_off_as_this_one_s(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_zip, "_BLOCK", 3000)
    monkeypatch.setattr(resume, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(resume.ProgressFile, "remove", lambda _: None)  # as if it was interrupted after its last part
    asked = (evidence, "--key", KEY, "--checkpoint-file", tmp_path / "progress")

    first, again, answer = said(*asked), said(*asked), run("verify", *asked)

    assert (first["resumed"], again["resumed"]) == (None, 11)
    assert "records 1 to 10: an earlier run read them" in answer.stdout
    assert "this run read 0 of them, from record 11 on" in answer.stdout
    assert "(0 records a second)" in answer.stdout
    evidence.touch()
    answer = run("verify", *asked)
    assert "changed since" in answer.stderr
    assert "an earlier run" not in answer.stdout


@pytest.mark.parametrize("arguments", [("--start", "3", "--end", "2"), ("--from", "yesterday"), ("--jobs", "0")])
def test_questions_that_make_no_sense(evidence: Path, arguments: tuple[str, ...]) -> None:
    assert run("verify", evidence, *arguments).exit_code == 2


def test_without_a_pinned_key_the_report_says_so(evidence: Path) -> None:
    answer = run("verify", evidence)

    assert answer.exit_code == 0
    assert "pinned by you" not in answer.stdout


def test_another_ledgers_key_is_not_this_ones(evidence: Path) -> None:
    stranger = note.verifier_key(LEDGER_NAME, FakeSigner(seed=9).public_key())

    verdict = said(evidence, "--key", stranger)

    assert verdict["valid"] is False
    assert {failure["code"] for failure in verdict["failures"]} == {"BAD_SIGNATURE"}


def test_a_receipt_is_honoured(world: World, evidence: Path, tmp_path: Path) -> None:
    kept = receipt_file(world, tmp_path / "receipt.json", 10)

    assert said(evidence, "--key", KEY, "--receipt", kept)["receipts_checked"] == 1


@pytest.mark.parametrize("sequence", [3, 4, 10])
def test_a_receipt_that_the_ledger_cannot_honour(world: World, evidence: Path, tmp_path: Path, sequence: int) -> None:
    """Also for a record that a signed checkpoint covers."""
    kept = receipt_file(world, tmp_path / "receipt.json", sequence, tx_hash="ab" * 32)

    verdict = said(evidence, "--key", KEY, "--receipt", kept)

    assert [(one["code"], one["sequence"]) for one in verdict["failures"]] == [("CONTENT_MISMATCH", sequence)]
    assert "receipt.json" in verdict["failures"][0]["detail"]


def test_a_receipt_shows_that_the_end_was_cut_off(world: World, tmp_path: Path) -> None:
    copied(world.bucket, tmp_path / "copy")
    kept = receipt_file(world, tmp_path / "receipt.json", 10)
    (tmp_path / "copy" / world.sealed()[9].s3_key).unlink()

    assert said(tmp_path / "copy", "--key", KEY)["valid"] is True
    assert [f["code"] for f in said(tmp_path / "copy", "--key", KEY, "--receipt", kept)["failures"]] == ["TRUNCATED"]


@pytest.mark.parametrize("content", ["", "{}", "[1, 2", '{"receipt": {"tx_hash": 5, "s3_key": "x"}}'])
def test_what_is_no_receipt(evidence: Path, tmp_path: Path, content: str) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(content)

    assert run("verify", evidence, "--receipt", path).exit_code == 2


def test_ranges(world: World, evidence: Path) -> None:
    assert said(evidence, "--start", 3, "--end", 6)["entries_checked"] == 4
    assert "part of it" in " ".join(said(evidence, "--key", KEY, "--start", 3)["unchecked"])
    assert said(evidence, "--from", "2020-01-01T00:00:00Z")["entries_checked"] == len(world.sealed())


def test_strict_parses_every_record(evidence: Path) -> None:
    assert said(evidence, "--strict")["valid"] is True


def test_neither_aws_nor_a_network_is_touched(evidence: Path) -> None:
    """In an interpreter in which both are disabled."""
    program = (
        "import sys, socket\n"
        "sys.modules.update({'boto3': None, 'botocore': None, 'urllib3': None})\n"
        "def refuse(*_, **__): raise AssertionError('the network was touched')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from indelible.cli.main import cli\n"
        "cli()\n"
    )
    for words in (["verify", evidence, "--key", KEY], ["show", evidence, "3"], ["checkpoint", evidence, "--key", KEY]):
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_several_processes_come_to_the_same(evidence: Path) -> None:
    def essence(verdict: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in verdict.items() if name != "verification_time_ms"}

    assert essence(said(evidence, "--key", KEY, "--jobs", 2)) == essence(said(evidence, "--key", KEY, "--jobs", 1))
