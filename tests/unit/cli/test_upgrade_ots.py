# SPDX-License-Identifier: Apache-2.0
"""`indelible upgrade-ots` with a calendar over HTTP: its messages, its exit status and the files that it writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.domain import note as notes
from indelible.domain.anchors import AnchorFile
from indelible.external.verify_ots import read_stamp, write_detached
from local.external.calendar import FIRST_HEIGHT, Calendar
from local.external.web import Request, Server
from tests.fakes.audits import copied
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.world import World
from tests.unit.services.test_ledger_proof import grown, note_of, put

KEY = notes.verifier_key(LEDGER_NAME, FakeSigner().public_key())
NAME = "anchors/000000000001/ots-alice.bitcoin-900001.ots"


class Clock:
    """A clock that tests advance."""

    now = 1_774_016_600.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Promised:
    """A copied directory with a pending proof."""

    world: World
    calendar: Calendar
    clock: Clock
    server: Server
    copy: Path
    output: Path

    def run(self, *more: object, source: object = None) -> Result:
        asked = [source or self.copy, "-o", self.output, "--calendar", self.calendar.url, *more]
        return CliRunner().invoke(cli, ["upgrade-ots", *map(str, asked)])

    def verify(self, *more: object) -> Result:
        asked = ["verify", str(self.copy), "--key", KEY, "--org", ORG, "--check-anchors", *map(str, more)]
        return CliRunner().invoke(cli, asked)

    def header(self, height: int = FIRST_HEIGHT) -> str:
        return f"{height}:{self.calendar.headers[0].hex()}"


def stamped(calendar: Calendar, data: bytes) -> bytes:
    digest = hashlib.sha256(data).digest()
    return write_detached(read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest))


@pytest.fixture
def promised(tmp_path: Path) -> Iterator[Promised]:
    world, clock, server = grown(1), Clock(), Server()
    calendar = Calendar(server.url, block_seconds=600, clock=clock)
    server.run(calendar)
    put(world, 1, AnchorFile("pending", "alice"), stamped(calendar, note_of(world, 1).data))
    copy = copied(world.bucket, tmp_path / "copy")
    try:
        yield Promised(world, calendar, clock, server, copy, tmp_path / "completed")
    finally:
        server.close()


def test_a_proof_is_completed_once_and_vouches_for_the_time(promised: Promised) -> None:
    assert promised.verify().exit_code == 2
    promised.clock.now += 3600

    done = promised.run()
    assert (done.exit_code, done.stdout) == (0, f"{promised.output / NAME}\n")
    assert done.stderr == "1 of 1 pending proofs completed.\n"
    (written,) = (path for path in promised.output.rglob("*") if path.is_file())
    assert written == promised.output / NAME

    assert promised.verify("--completed", promised.output).exit_code == 2, "nobody has given the block's header"
    vouched = promised.verify("--completed", promised.output, "--bitcoin-header", promised.header())
    assert vouched.exit_code == 0
    assert "checkpoint 1 is in Bitcoin block 900,001 of 2026-" in vouched.stdout
    assert "(records up to 1)" in " ".join(vouched.stdout.split())
    other = f"{FIRST_HEIGHT}:{'00' * 80}"
    assert promised.verify("--completed", promised.output, "--bitcoin-header", other).exit_code == 2
    for header in (other, promised.header(FIRST_HEIGHT + 1)):
        named = ["verify", str(promised.copy), "--key", KEY, "--bitcoin-header", header]
        refused = CliRunner().invoke(cli, [*named, "--completed", str(promised.output)])
        assert (refused.exit_code, refused.stdout.splitlines()[0][:10]) == (2, "VALID, BUT")
        assert "no OpenTimestamps proof leads to a block whose header was given" in refused.stderr

    before = written.stat()
    promised.calendar.url = "http://nobody.is.asked.example"
    again = promised.run()
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "0 of 0 pending proofs completed, 1 earlier.\n"
    assert written.stat() == before


def test_a_proof_by_itself(promised: Promised, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "data.ots").write_bytes(stamped(promised.calendar, b"data"))
    (tmp_path / "other").write_bytes(b"other")
    promised.clock.now += 3600

    other = promised.run("--of", tmp_path / "other", source=tmp_path / "data.ots")
    assert (other.exit_code, other.stdout) == (2, "")
    assert "is not a proof of" in other.stderr
    assert "--of" in promised.run(source=tmp_path / "data.ots").stderr
    done = promised.run("--of", tmp_path / "data", source=tmp_path / "data.ots")
    assert (done.exit_code, done.stdout) == (0, f"{promised.output}/data.bitcoin-900001.ots\n")
    not_taken = promised.verify("--completed", promised.output)
    assert not_taken.exit_code == 2
    assert "data.bitcoin-900001.ots was completed by itself (--of)" in not_taken.stderr
    assert "upgrade-ots" in not_taken.stderr


def test_not_in_bitcoin_yet(promised: Promised) -> None:
    answer = promised.run()

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"{promised.calendar.url}: not in Bitcoin yet\n0 of 1 pending proofs completed.\n"
    assert not promised.output.exists()


def test_a_calendar_that_does_not_answer(promised: Promised) -> None:
    promised.server.close()

    answer = promised.run()

    assert (answer.exit_code, answer.stdout) == (1, "")
    first, last = answer.stderr.splitlines()
    assert first.startswith(f"{promised.calendar.url}: no answer: ")
    assert last == "0 of 1 pending proofs completed."
    assert not promised.output.exists()


def test_a_calendar_that_nobody_allowed_is_not_asked(promised: Promised) -> None:
    promised.clock.now += 3600

    answer = CliRunner().invoke(cli, ["upgrade-ots", str(promised.copy), "-o", str(promised.output)])

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"{promised.calendar.url}: not asked; indelible upgrade-ots --calendar allows it\n")
    assert "upgrade-ots --calendar allows it" in promised.verify("--upgrade-pending").stderr
    assert promised.calendar.headers == [], "nothing was mined, because nobody asked"


def test_junk_among_the_proofs_keeps_nobody_from_the_others(promised: Promised) -> None:
    put(promised.world, 1, AnchorFile("pending", "aaa-junk"), b"junk")
    copied(promised.world.bucket, promised.copy)
    promised.clock.now += 3600

    answer = promised.run()

    assert answer.exit_code == 1
    assert answer.stdout == f"{promised.output / NAME}\n"
    assert "aaa-junk.pending.ots: not an OpenTimestamps file" in answer.stderr
    assert promised.verify("--completed", promised.output, "--bitcoin-header", promised.header()).exit_code == 0
    # Asking first, as verify can by itself: the junk is told, and the verdict is not kept back by it.
    asked = promised.verify("--upgrade-pending", "--completed", promised.output)
    assert "aaa-junk.pending.ots: not an OpenTimestamps file" in asked.stderr


def test_headers_of_bitcoin_demand_a_proof_that_leads_there(promised: Promised) -> None:
    """Giving a header requires a completed proof, as --tsa-root requires a token; a pending proof does not suffice."""
    named = ["verify", str(promised.copy), "--key", KEY, "--org", ORG]

    answer = CliRunner().invoke(cli, [*named, "--bitcoin-header", f"{FIRST_HEIGHT}:{'00' * 80}"])

    assert CliRunner().invoke(cli, named).exit_code == 0
    assert answer.exit_code == 2
    assert answer.stderr == "Could not check: no OpenTimestamps proof leads to a block whose header was given\n"


@pytest.mark.parametrize("there", ["something else", "completed, under another name", "a directory"])
def test_what_lies_in_the_output_s_place_is_left_alone(promised: Promised, there: str) -> None:
    promised.clock.now += 3600
    place = promised.output / NAME
    if there == "a directory":
        place.mkdir(parents=True)
    else:
        assert promised.run().exit_code == 0
        content = place.read_bytes()
        if there == "something else":
            place.write_bytes(b"mine")
        else:
            place.unlink()
            place = place.with_name("ots-alice.bitcoin-7.ots")
            place.write_bytes(content)
    before = {path: path.read_bytes() for path in promised.output.rglob("*") if path.is_file()}

    answer = promised.run()

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.startswith("Could not complete the proofs: ")
    assert answer.stderr.count("\n") == 1
    assert str(place) in answer.stderr
    assert {path: path.read_bytes() for path in promised.output.rglob("*") if path.is_file()} == before


def test_what_has_no_proofs(promised: Promised, tmp_path: Path) -> None:
    plain = World()
    plain.record(1)
    plain.anchored()
    bare = copied(plain.bucket, tmp_path / "bare")
    (tmp_path / "empty").mkdir()
    for source, said in (
        (bare, "has no OpenTimestamps proofs"),
        (tmp_path / "empty", "has no records"),
        (tmp_path / "nowhere", "neither a directory nor a bundle"),
        ("s3://bucket/acme-corp", "copy or export them first"),
    ):
        answer = promised.run(source=source)
        assert (answer.exit_code, answer.stdout) == (2, ""), source
        assert said in answer.stderr
        assert answer.stderr.count("\n") == 1
    completed = CliRunner().invoke(cli, ["verify", str(bare), "--completed", str(tmp_path / "empty")])
    assert completed.exit_code == 2
    assert "has no completed proofs" in completed.stderr


def test_an_output_that_cannot_be_written(promised: Promised) -> None:
    promised.clock.now += 3600
    promised.output.write_text("a file")

    answer = promised.run()

    assert answer.exit_code == 2
    assert promised.output.read_text() == "a file"
