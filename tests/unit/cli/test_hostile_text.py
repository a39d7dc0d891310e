# SPDX-License-Identifier: Apache-2.0
"""Hostile text in evidence is printed and exported as inert text, or refused in one line."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.cli.main import cli
from indelible.domain import note, record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.checkpoint import Checkpoint, signed_checkpoint
from tests.fakes.audits import copied
from tests.fakes.chains import GOVERNOR, ORG, RETENTION
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.world import World

KEY = note.verifier_key(LEDGER_NAME, FakeSigner().public_key())
ESCAPES = "\x1b]0;pwned\x07\x1b[2J\u009b2J\u202e"
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
VIEWS = ("csv", "jsonl", "aat", "ocsf", "parquet", "pdf")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def world() -> World:
    made = World()
    made.record(1, 2, 3, 4)
    made.anchored()
    return made


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    return copied(world.bucket, tmp_path / "copy") / ORG


def names_another_ledger(copy: Path, name: str) -> None:
    """Replace the ledger's name in the checkpoints, which breaks their signatures."""
    for path in (copy / "_log/checkpoint", *(copy / "_log/checkpoints").iterdir()):
        path.write_bytes(path.read_bytes().replace(f"{LEDGER_NAME}/".encode(), f"{name}/".encode(), 1))


# -- terminals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [f"{ESCAPES}VALID\n".encode(), b"\xff\xfe", b""])
def test_what_was_signed_is_printed_as_text(copy: Path, content: bytes) -> None:
    (copy / "_log/checkpoints/000000000004").write_bytes(content)

    answer = run("verify", copy, "--key", KEY, "--print-anchor", 1)

    assert answer.exit_code == 0
    assert not HIDDEN.search(answer.stdout)


def test_a_checkpoint_says_nothing_that_the_command_seems_to_say(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    made = Checkpoint(f"{LEDGER_NAME}/{ORG}", 4, bytes(32), ("\u009b2J\u202eSigned by the key that you have pinned.",))
    signed = signed_checkpoint(made, key.public_key().public_bytes_raw(), key.sign(made.text.encode()))
    (tmp_path / "note").write_bytes(signed.note.data)

    answer = run("checkpoint", tmp_path / "note")

    assert answer.exit_code == 0
    assert not HIDDEN.search(answer.stdout)
    assert r"\x9b2J\u202eSigned by" in answer.stdout


def test_names_of_directories_and_ledgers_are_spelled_out(copy: Path, tmp_path: Path) -> None:
    for name in (f"a{ESCAPES}", "b"):
        (tmp_path / "several" / name / "2026").mkdir(parents=True)
    refused = run("verify", tmp_path / "several")
    names_another_ledger(copy, "\u009b2J\u202e")  # all of it may stand in the name of a key
    written = run("export", copy, "-o", tmp_path / "evidence.zip")

    assert (refused.exit_code, written.exit_code) == (2, 0)
    for said in (refused.stderr, written.stderr):
        assert "\\x9b" in said
        assert not HIDDEN.search(said)


def test_a_ledger_s_name_is_no_formula(copy: Path, tmp_path: Path) -> None:
    names_another_ledger(copy, '=HYPERLINK("evil.example","open")')

    assert run("export", copy, "--format", "csv", "-o", tmp_path / "view.csv").exit_code == 0

    with (tmp_path / "view.csv").open(newline="", encoding="utf-8") as view:
        rows = [*csv.DictReader(view)]
    assert {row["bundle_range"] for row in rows} == {f'\'=HYPERLINK("evil.example","open")/{ORG} 1 to 4'}
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


# -- records that the ledger never wrote ----------------------------------------------------------------


def member(text: bytes) -> Callable[[bytes], bytes]:
    """Add a member to the record, after its event."""
    return lambda data: data.replace(b',"format"', text + b',"format"', 1)


def inside(text: bytes) -> Callable[[bytes], bytes]:
    """Add a member to the event."""
    return lambda data: data.replace(b'"event":{', b'"event":{' + text + b",", 1)


ROTTEN: dict[str, Callable[[bytes], bytes]] = {
    "another event, a number": member(b',"event":7'),
    "another event, null": member(b',"event":null'),
    "another timestamp": member(b',"timestamp":1'),
    "no UTF-8": inside(b'"a":"\xff"'),
    "no number": inside(b'"a":NaN'),
    "a number without end": inside(b'"confidence":' + b"9" * 5000),
    "half a character": inside(rb'"reason":"\ud800"'),
    "no bottom": inside(b'"a":' + b"[" * 3000 + b"]" * 3000),
    "a low bottom": inside(b'"a":' + b"[" * 500 + b"]" * 500),
    "no bottom beside the event": member(b',"a":' + b"[" * 900 + b"]" * 900),
    "no end": member(b',"a":"'),
}


@pytest.mark.parametrize("what", ROTTEN)
def test_a_record_that_the_ledger_cannot_have_written(world: World, copy: Path, tmp_path: Path, what: str) -> None:
    """show and trace refuse it, views leave it out, a bundle contains it, and verify reports it."""
    sealed = world.sealed()[0]
    (copy.parent / sealed.s3_key).write_bytes(ROTTEN[what](inside(b'"trace_id":"t"')(sealed.data)))

    for words in (("show", copy, 1), ("show", copy, 1, "--json"), ("trace", copy, "t"), ("trace", copy, "t", "--json")):
        answer = run(*words)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert re.fullmatch("Could not .* is no record of a known format; run indelible verify\n", answer.stderr)
    assert run("verify", copy, "--strict").exit_code == 1
    for form in VIEWS:
        answer = run("export", copy, "--format", form, "-o", tmp_path / form)
        assert answer.exit_code == 0, answer.output
    with (tmp_path / "csv").open(newline="", encoding="utf-8") as view:
        assert [row["sequence"] for row in csv.DictReader(view)] == ["2", "3", "4"]
    assert run("export", copy, "-o", tmp_path / "evidence.zip").exit_code == 0
    assert run("verify", tmp_path / "evidence.zip").exit_code == 1


def odd(**said: object) -> bytes:
    return canonical_bytes({"event_type": "X", "payload": {}, **said})  # type: ignore[dict-item]


ODD = [
    odd(regulatory={"confidence": "high", "human_override": [1], "regulations": 7}),
    odd(regulatory={"confidence": True, "human_override": {"overridden": "yes", "operator": 5}}),
    odd(regulatory=[], aow_context=7, level=["decision"], actor={"a": 1}, action=None, reason=5, trace_id=[1]),
    odd(event_type=7, payload=[1], occurred_at=5, correlation_id={"a": [1]}),
    canonical_bytes({}),
]


@pytest.mark.parametrize("event", ODD)
def test_an_event_whose_members_are_of_other_kinds(tmp_path: Path, event: bytes) -> None:
    """A canonical record, but not one that an endpoint of the ledger would have accepted."""
    made = record.build(
        event,
        org_id=ORG,
        head=record.EMPTY_CHAIN,
        now_ms=1_780_000_000_000,
        retention=RETENTION,
        governor=GOVERNOR,
        random=1,
    )
    path = tmp_path / made.s3_key
    path.parent.mkdir(parents=True)
    path.write_bytes(made.data)

    assert run("show", tmp_path, 1).exit_code == 0
    assert run("verify", tmp_path, "--strict").exit_code == 0
    for form in VIEWS:
        answer = run("export", tmp_path, "--format", form, "-o", tmp_path / f"view.{form}")
        assert answer.exit_code == 0, answer.output
    with (tmp_path / "view.csv").open(newline="", encoding="utf-8") as view:
        assert len([*csv.DictReader(view)]) == 1


@pytest.mark.parametrize("named", ["9" * 5000, "9" * 13, "0" * 12, "\udcff", "\u0661"])
def test_numbers_and_names_of_no_record(copy: Path, named: str) -> None:
    assert run("show", copy, named).exit_code == 2
    assert run("trace", copy, named).exit_code == 2


# -- long histories -------------------------------------------------------------------------------------


def test_a_trace_that_is_one_long_chain(world: World, tmp_path: Path) -> None:
    """Valid records, each correlated to the one before: deeper than the recursion limit."""
    count, last = 1500, None
    head = record.EMPTY_CHAIN
    for number in range(1, count + 1):
        said = {"event_type": "X", "trace_id": "t", "level": "decision", "actor": f"actor-{number}", "payload": {}}
        event = canonical_bytes({**said, **({"correlation_id": last} if last else {})})
        made = record.build(
            event,
            org_id=ORG,
            head=head,
            now_ms=1_780_000_000_000 + number,
            retention=RETENTION,
            governor=GOVERNOR,
            random=number,
        )
        head, last = made.head, made.audit_id
        path = tmp_path / made.s3_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)

    tree, told = run("trace", tmp_path, "t"), run("trace", tmp_path, "t", "--json")

    assert (tree.exit_code, told.exit_code) == (0, 0)
    assert [int(number) for number in re.findall(r"actor-(\d+)", tree.stdout)] == [*range(1, count + 1)]
    assert max(map(len, tree.stdout.splitlines())) < 300
    assert [int(number) for number in re.findall(r'\{"sequence": (\d+)', told.stdout)] == [*range(1, count + 1)]
    assert told.stdout.endswith("]}" * count + "]}\n")
    assert told.stdout.count('"steps": [') == count + 1


def test_the_json_of_a_trace_is_json(world: World, tmp_path: Path) -> None:
    events = [
        odd(trace_id="t", level=level, actor=actor)
        for level, actor in (("pipeline", "p"), ("agent", "a"), ("decision", "a"), ("agent", "b"), ("other", "x"))
    ]
    world.appender().append(replace(world.submission(5), events=tuple(events)))
    copied(world.bucket, tmp_path / "more")

    told = json.loads(run("trace", tmp_path / "more", "t", "--json").stdout)

    def shape(steps: list[dict[str, object]]) -> list[object]:
        return [[step["sequence"], shape(step["steps"])] for step in steps]  # type: ignore[arg-type]

    assert shape(told["steps"]) == [[5, [[6, [[7, [[9, []]]]]], [8, []]]]]
    assert told["steps"][0]["event"]["actor"] == "p"
    assert told["trace_id"] == "t"


# -- files ----------------------------------------------------------------------------------------------


def test_an_export_replaces_files_and_nothing_else(copy: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for place in (pipe, Path("/dev/null")):
        answer = run("export", copy, "-o", place, "--force")
        assert answer.exit_code == 2
        assert "is not a regular file" in answer.stderr
    assert pipe.is_fifo()
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_an_export_is_what_the_umask_says(copy: Path, tmp_path: Path, mask: int, mode: int) -> None:
    out = tmp_path / "out" / ("n" * 250 + ".zip")
    out.parent.mkdir()
    before = os.umask(mask)
    try:
        assert run("export", copy, "-o", out).exit_code == 0
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == mode
    assert [*out.parent.iterdir()] == [out]


def test_a_key_in_a_file_whose_path_has_plus_signs(copy: Path, tmp_path: Path) -> None:
    path = tmp_path / "c++" / "ledger.vkey"
    path.parent.mkdir()
    path.write_text(KEY)

    assert "pinned by you" in run("verify", copy, "--key", path).stdout
    assert run("verify", copy, "--key", tmp_path / "c++" / "nothing").exit_code == 2
