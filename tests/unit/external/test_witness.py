# SPDX-License-Identifier: Apache-2.0
"""The witness client with the stand-in over HTTP, for every status of the protocol, and with bad witnesses."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import merkle, tiles
from indelible.domain.checkpoint import Checkpoint, signed_checkpoint
from indelible.domain.note import Note, VerifierKey, cosigned_at, verify
from indelible.external.http import Http
from indelible.external.witness import WitnessServer
from indelible.ports.external import BadAnswer, ExternalFailure, NoAnswer, OtherSize, OtherTree, Refused
from local.external.web import Answer, Program, Request, serving
from local.external.witness import SIZE_TYPE, Witness
from tests.unit.external.conftest import Clock

LOG = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
LOG_KEY = VerifierKey("indelible", LOG.public_key().public_bytes_raw())
LEAVES = [sha256(b"%d" % number).digest() for number in range(300)]


class Tree:
    """A log with these leaves."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.edge, files = tiles.grow(tiles.EMPTY, leaves)
        self._files = {file.path: file.data for file in files}
        self.size = len(leaves)

    def note(self, origin: str = "indelible", key: Ed25519PrivateKey = LOG) -> Note:
        found = Checkpoint(origin, self.size, self.edge.root())
        return signed_checkpoint(found, key.public_key().public_bytes_raw(), key.sign(found.text.encode())).note

    def proof(self, old: int) -> list[bytes]:
        node = tiles.node_reader(self.size, self._files.__getitem__)
        return merkle.consistency_proof(old, self.size, node) if 0 < old < self.size else []


TREES = {size: Tree(LEAVES[:size]) for size in (1, 2, 5, 7, 256, 300)}


@pytest.fixture
def witness(tmp_path: Path, clock: Clock) -> Witness:
    logs = tmp_path / "logs.txt"
    logs.write_text(f"{LOG_KEY}\n")
    return Witness(Ed25519PrivateKey.from_private_bytes(b"w" * 32), logs=logs, clock=clock)


@pytest.fixture
def client(witness: Witness) -> Iterator[WitnessServer]:
    with serving(lambda _: witness) as url:
        yield WitnessServer(key=witness.key, url=f"{url}/", http=Http())


def test_a_log_is_followed_from_size_to_size(client: WitnessServer, witness: Witness, clock: Clock) -> None:
    old = 0
    for size, tree in TREES.items():
        line = client.cosign(tree.note(), old=old, proof=tree.proof(old))
        note = tree.note().with_signatures([line])
        assert set(verify(note, [LOG_KEY, witness.key])) == {LOG_KEY, witness.key}
        assert cosigned_at(line) == int(clock.now)
        old = size
    assert witness.seen["indelible"].size == 300


def test_the_same_again_is_cosigned_again(client: WitnessServer) -> None:
    note = TREES[5].note()
    client.cosign(note, old=0, proof=[])
    assert client.cosign(note, old=5, proof=[]).name == "witness.stand-in.example"


@pytest.mark.parametrize("old", [0, 1, 5, 7])
def test_another_size_is_told(client: WitnessServer, old: int) -> None:
    client.cosign(TREES[2].note(), old=0, proof=[])
    with pytest.raises(OtherSize) as told:
        client.cosign(TREES[7].note(), old=old, proof=TREES[7].proof(old))
    assert told.value.size == 2
    client.cosign(TREES[7].note(), old=2, proof=TREES[7].proof(2))


def test_another_history_is_not_cosigned(client: WitnessServer, witness: Witness) -> None:
    client.cosign(TREES[5].note(), old=0, proof=[])
    fork = Tree([*LEAVES[:4], bytes(32), *LEAVES[5:7]])
    with pytest.raises(OtherTree):
        client.cosign(fork.note(), old=5, proof=fork.proof(5))
    same_size = Tree([*LEAVES[:4], bytes(32)])
    with pytest.raises(OtherTree):
        client.cosign(same_size.note(), old=5, proof=[])
    for proof in ([], TREES[7].proof(5)[:-1], [*TREES[7].proof(5), bytes(32)], [bytes(32)]):
        with pytest.raises(OtherTree):
            client.cosign(TREES[7].note(), old=5, proof=proof)
    assert witness.seen["indelible"].size == 5
    client.cosign(TREES[7].note(), old=5, proof=TREES[7].proof(5))


def test_unknown_logs_and_wrong_signatures_are_refused(client: WitnessServer) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    with pytest.raises(Refused, match="404"):
        client.cosign(TREES[1].note("elsewhere"), old=0, proof=[])
    with pytest.raises(Refused, match="403"):
        client.cosign(TREES[1].note(key=other), old=0, proof=[])
    with pytest.raises(Refused, match="400"):
        client.cosign(TREES[1].note(), old=2, proof=[])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n",
        b"old -1\n\n",
        b"old x\n\n",
        b"new 0\n\n",
        b"old 0\nnot base64\n\n",
        b"old 0\n" + b"AAAA\n" * 64 + b"\n",
        b"old 0\n\nno note",
    ],
    ids=len,
)
def test_what_is_no_request_is_refused(witness: Witness, body: bytes) -> None:
    whole = body + TREES[1].note().data if body.endswith(b"\n\n") and body != b"old 0\n\n" else body
    assert witness(Request("POST", "/add-checkpoint", "", whole)).status == 400


def test_the_stand_in_has_one_call(witness: Witness) -> None:
    assert witness(Request("GET", "/add-checkpoint", "", b"")).status == 404
    assert witness(Request("POST", "/", "", b"")).status == 404


def test_a_witness_that_knows_no_log_says_so(tmp_path: Path) -> None:
    lonely = Witness(Ed25519PrivateKey.from_private_bytes(b"w" * 32), logs=tmp_path / "none")
    asked = b"old 0\n\n" + TREES[1].note().data
    assert lonely(Request("POST", "/add-checkpoint", "", asked)).status == 404


# -- witnesses that misbehave ---------------------------------------------------------------------------------


def answering(answer: Answer | Callable[[Request], Answer]) -> Iterator[WitnessServer]:
    program: Program = answer if callable(answer) else lambda _: answer
    key = replace(LOG_KEY, name="w", kind=0x04)
    with serving(lambda _: program) as url:
        yield WitnessServer(key=key, url=url, http=Http())


GOOD_LINE = f"\u2014 w {base64.b64encode(bytes(76)).decode()}\n".encode()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Answer(200, b""), BadAnswer),
        (Answer(200, b"rubbish\n"), BadAnswer),
        (Answer(200, b"\xff\xfe\n"), BadAnswer),
        (Answer(200, GOOD_LINE), BadAnswer),
        (Answer(200, GOOD_LINE * 101), BadAnswer),
        (Answer(200, b"x" * 20_000), BadAnswer),
        (Answer(204), Refused),
        (Answer(404), Refused),
        (Answer(409, b"7\n"), OtherTree),
        (Answer(409, b"", SIZE_TYPE), BadAnswer),
        (Answer(409, b"7", SIZE_TYPE), BadAnswer),
        (Answer(409, b"07\n", SIZE_TYPE), BadAnswer),
        (Answer(409, b"-7\n", SIZE_TYPE), BadAnswer),
        (Answer(409, b"9999999999999999999\n", SIZE_TYPE), BadAnswer),
        (Answer(409, b"7\n" + b"x" * 20_000, SIZE_TYPE), BadAnswer),
        (Answer(422, b"no"), OtherTree),
        (Answer(429), NoAnswer),
        (Answer(500), NoAnswer),
        (Answer(308), BadAnswer),
    ],
)
def test_every_wrong_answer_has_its_type(answer: Answer, failure: type[ExternalFailure]) -> None:
    for client in answering(answer):
        with pytest.raises(failure):
            client.cosign(TREES[1].note(), old=0, proof=[])


def test_a_size_is_read_with_parameters_of_its_type() -> None:
    for client in answering(Answer(409, b"7\n", f"{SIZE_TYPE}; charset=utf-8")):
        with pytest.raises(OtherSize) as told:
            client.cosign(TREES[1].note(), old=0, proof=[])
    assert told.value.size == 7


def test_a_cosignature_of_another_checkpoint_is_none(witness: Witness) -> None:
    """A witness, or an attacker on the network, that replays an earlier cosignature."""
    earlier = witness(Request("POST", "/add-checkpoint", "", b"old 0\n\n" + TREES[1].note().data))
    with serving(lambda _: lambda __: earlier) as url:
        client = WitnessServer(key=witness.key, url=url, http=Http())
        client.cosign(TREES[1].note(), old=0, proof=[])
        with pytest.raises(BadAnswer, match="no cosignature of the configured key"):
            client.cosign(TREES[2].note(), old=1, proof=TREES[2].proof(1))
