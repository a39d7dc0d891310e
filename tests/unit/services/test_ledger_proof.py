# SPDX-License-Identifier: Apache-2.0
"""The way up from an organisation's checkpoint: the ledger's log, and what others say of it, as far as it verifies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rfc3161_client import TimestampRequestBuilder

from indelible.domain.anchors import AnchorFile
from indelible.domain.findings import Lock
from indelible.domain.ledger import ledger_proof_path
from indelible.domain.note import COSIGNATURE, Note, Signature, VerifierKey, verify
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.errors import EvidenceBroken
from indelible.services.ledger_proof import Anchors, LedgerProof
from indelible.services.log import LEDGER
from local.external.authority import QUERY, Authority
from local.external.web import Request
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.world import World

COSIGNED_AT = 1_774_016_600
OTS = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"


class WitnessKey:
    """A witness that signs whatever it is shown."""

    def __init__(self, name: str, seed: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = VerifierKey(name, self._private.public_key().public_bytes_raw(), COSIGNATURE)

    def line(self, note: Note, at: int = COSIGNED_AT) -> Signature:
        signed = self._private.sign(b"cosignature/v1\ntime %d\n" % at + note.text.encode())
        return Signature(self.key.name, self.key.key_id, at.to_bytes(8, "big") + signed)


ALICE, BOB = WitnessKey("witness.example/alice", 1), WitnessKey("witness.example/bob", 2)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], bytes]:
    authority = Authority(tmp_path_factory.mktemp("authority"))

    def stamp(data: bytes) -> bytes:
        query = TimestampRequestBuilder().data(data).build().as_bytes()
        return authority(Request("POST", "/", QUERY, query)).body

    return stamp


def grown(*sizes: int) -> World:
    """The ledger's log of these sizes; the organisation's only checkpoint of size 1 is the first leaf."""
    world = World()
    for number, size in enumerate(sizes):
        while world.ledger_register.state.published + len(world.ledger_outbox.entries) < size:
            count = world.ledger_register.state.published + len(world.ledger_outbox.entries)
            org_id = ORG if not number and not count else f"org-{count:03d}"
            world.record(1, org_id=org_id)
            world.anchored(org_id=org_id)
        world.logged()
        assert world.ledger_register.state.published == size
    return world


def note_of(world: World, size: int) -> Note:
    return world.log().opened(LEDGER, size).note


def put(world: World, size: int, file: AnchorFile | str, data: bytes) -> None:
    path = file if isinstance(file, str) else file.path(size)
    world.administrator.insert(f"_ledger/_log/{path}", data, Lock("COMPLIANCE", 2**42))


def cosign(world: World, size: int, *witnesses: WitnessKey) -> None:
    for one in witnesses:
        name = one.key.name.replace("/", "_")
        put(world, size, AnchorFile("cosignature", name), one.line(note_of(world, size)).line.encode())


def way_up(world: World, quorum: int | None = None, *known: WitnessKey) -> LedgerProof:
    """Checked as somebody offline would."""
    note = world.log().opened(ORG, 1).note
    prover = world.ledger_prover(witnesses=[one.key for one in known], quorum=quorum)
    found = prover.prove(ORG, note, size=1)
    assert found is not None
    assert found.leaf == hashlib.sha256(note.data).digest()
    assert found.published == note_of(world, found.checkpoint.size)
    offline = verify_tlog_proof(
        parse_tlog_proof(found.proof.data), found.leaf, origin=LEDGER_NAME, public_keys=[world.signer.public_key()]
    )
    assert offline.checkpoint == found.checkpoint
    if any(one.verified for one in found.anchors.witnesses):
        verified = verify(offline.note, [one.key for one in known])
        assert {key.name for key in verified} == {one.name for one in found.anchors.witnesses if one.verified}
    return found


def test_before_the_ledgers_log_has_it_there_is_no_way_up() -> None:
    world = World()
    world.record(1)
    world.anchored()

    assert world.ledger_prover().prove(ORG, world.log().opened(ORG, 1).note, size=1) is None


def test_without_external_anchors_it_ends_at_the_first_checkpoint_that_covers_it() -> None:
    found = way_up(grown(2, 5))

    assert (found.proof.index, found.checkpoint.size) == (0, 2)
    assert found.anchors == Anchors()


def test_the_first_tree_with_external_anchors_is_taken() -> None:
    world = grown(2, 3, 5, 8)
    for size in (5, 8):
        cosign(world, size, ALICE)

    found = way_up(world, 1, ALICE)

    assert (found.proof.index, found.checkpoint.size) == (0, 5)
    assert [(one.name, one.cosigned_at_ms, one.verified) for one in found.anchors.witnesses] == [
        (ALICE.key.name, COSIGNED_AT * 1000, True)
    ]


def test_what_was_anchored_before_it_does_not_cover_it() -> None:
    world = grown(2, 4)
    cosign(world, 2, ALICE)
    (late,) = (leaf.org_id for leaf in world.ledger_register.leaves[2:3])

    found = world.ledger_prover(witnesses=[ALICE.key], quorum=1).prove(late, world.log().opened(late, 1).note, size=1)

    assert found is not None
    assert (found.checkpoint.size, found.anchors.witnesses, found.anchors.witnessed) == (4, (), False)


@pytest.mark.parametrize(
    ("quorum", "signers", "witnessed"),
    [(None, 2, None), (1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True), (3, 2, False)],
)
def test_witnessed_is_a_quorum_of_known_witnesses(quorum: int | None, signers: int, witnessed: bool | None) -> None:
    world = grown(1)
    cosign(world, 1, *(ALICE, BOB)[:signers], WitnessKey("witness.example/nobody", 3))

    found = way_up(world, quorum, ALICE, BOB)

    assert found.anchors.witnessed is witnessed
    assert sum(one.verified for one in found.anchors.witnesses) == signers
    assert len(found.anchors.witnesses) == signers + 1


def test_tokens_and_calendars_are_for_exactly_the_published_bytes(token: Callable[[bytes], bytes]) -> None:
    world = grown(1)
    note, digest = note_of(world, 1), hashlib.sha256(note_of(world, 1).data).digest()
    put(world, 1, AnchorFile("token", "right"), token(note.data))
    put(world, 1, AnchorFile("token", "other-data"), token(note.text.encode()))
    put(world, 1, AnchorFile("pending", "alice"), OTS + digest + b"pending")
    put(world, 1, AnchorFile("pending", "bob"), OTS + digest + b"pending")
    for height in (900_001, 900_007, 90):
        put(world, 1, AnchorFile("bitcoin", "bob", height), OTS + digest + b"%d" % height)
    put(world, 1, AnchorFile("pending", "carol"), OTS + bytes(32) + b"of something else")

    found = way_up(world).anchors

    assert [one.authority for one in found.timestamps] == ["right"]
    assert found.timestamps[0].gen_time_ms > 0
    assert [(one.calendar, one.bitcoin_height, one.proof[65:]) for one in found.opentimestamps] == [
        ("alice", None, b"pending"),
        ("bob", 90, b"90"),
    ]


def forged(world: World) -> bytes:
    line = ALICE.line(note_of(world, 1))
    return Signature(line.name, line.key_id, line.signature[:-1] + b"\x00").line.encode()


def in_the_ledgers_name(world: World) -> bytes:
    own = note_of(world, 1).signatures[0]
    return Signature(own.name, own.key_id, bytes(72)).line.encode()


def of_no_time(world: World) -> bytes:
    return WitnessKey("witness.example/eternal", 4).line(note_of(world, 1), at=(1 << 63) - 1).line.encode()


def of_another_kind(world: World) -> bytes:
    return Signature("witness.example/plain", b"abcd", bytes(64)).line.encode()


@pytest.mark.parametrize(
    "line", [forged, in_the_ledgers_name, of_no_time, of_another_kind, lambda _: b"junk", lambda _: b"\xff"]
)
def test_a_line_that_would_spoil_the_note_is_left_out(line: Callable[[World], bytes]) -> None:
    world = grown(1)
    cosign(world, 1, BOB)
    put(world, 1, AnchorFile("cosignature", "junk"), line(world))

    found = way_up(world, 1, ALICE, BOB)

    assert [one.name for one in found.anchors.witnesses] == [BOB.key.name]


@pytest.mark.parametrize(
    ("size", "path"),
    [
        (1, "anchors/000000000001/rfc3161-tsa.tsr"),
        (1, "anchors/000000000001/ots-alice.pending.ots"),
        (1, "anchors/000000000001/witness-x.cosignature"),
        (1, "anchors/000000000001/whatever"),
        (1, "anchors/000000000001/a/b"),
        (2, "anchors/000000000002/rfc3161-tsa.tsr"),
        (1, "anchors/junk"),
        (1, "anchors/000000000001"),
    ],
)
def test_junk_hides_nothing(size: int, path: str) -> None:
    world = grown(1, 3)
    put(world, size, path, b"junk")
    assert way_up(world, 1, ALICE).checkpoint.size == 1

    cosign(world, 3, ALICE)
    found = way_up(world, 1, ALICE)

    assert (found.checkpoint.size, found.anchors.witnessed) == (3, True)


def test_evidence_about_a_checkpoint_that_was_never_published_is_none() -> None:
    world = grown(1, 4)
    world.administrator.insert("_ledger/_log/checkpoints/000000000002", b"junk", None)
    for size in (2, 3):
        put(world, size, AnchorFile("cosignature", "alice"), ALICE.line(note_of(world, 4)).line.encode())

    assert way_up(world).checkpoint.size == 1


@pytest.mark.parametrize("data", [b"junk", b""])
def test_what_lies_in_the_place_of_the_proof_proves_it_or_is_refused(data: bytes) -> None:
    world = grown(1)
    world.administrator.rewrite(f"{ORG}/_log/{ledger_proof_path(1)}", data)

    with pytest.raises(EvidenceBroken):
        way_up(world)


def test_a_proof_of_another_checkpoint_is_refused() -> None:
    world = grown(2)
    other = world.ledger_register.leaves[1].org_id
    (theirs,) = world.bucket.versions(f"{other}/_log/{ledger_proof_path(1)}")
    world.administrator.rewrite(f"{ORG}/_log/{ledger_proof_path(1)}", theirs.data)

    with pytest.raises(EvidenceBroken):
        way_up(world)
