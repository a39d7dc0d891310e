# SPDX-License-Identifier: Apache-2.0
"""Trees, their files and their notes, for whatever anybody may think of."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from indelible.domain import checkpoint as checkpoints
from indelible.domain import merkle, note, proof, tiles
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.merkle import EMPTY_ROOT, ProofInvalid, Subtree
from indelible.domain.note import MalformedKey, MalformedNote, Note, NoteError, Signature, VerifierKey
from indelible.domain.proof import TlogProof
from tests.fakes.log_paths import all_paths
from tests.vectors.notes import mutations

PRIVATE = Ed25519PrivateKey.from_private_bytes(mutations.SEED)
PUBLIC = PRIVATE.public_key().public_bytes_raw()
LEAVES = [hashlib.sha256(b"%d" % number).digest() for number in range(3_000)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]

sizes = st.integers(1, len(LEAVES))
hashes = st.binary(min_size=32, max_size=32)
characters = st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32)])
lines = st.text(characters, max_size=30)
texts = st.lists(lines, min_size=1, max_size=6).map(lambda found: "".join(f"{line}\n" for line in found))
names = st.text(characters, min_size=1, max_size=20).filter(
    lambda name: "+" not in name and not any(character.isspace() for character in name)
)
signatures = st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
notes = st.builds(Note, texts, st.lists(signatures, min_size=1, max_size=20).map(tuple))
filled = lines.filter(bool)
trees = st.builds(
    Checkpoint, filled, st.integers(1, checkpoints.MAX_SIZE), hashes, st.lists(filled, max_size=3).map(tuple)
)
empties = st.builds(Checkpoint, filled, st.just(0), st.just(EMPTY_ROOT))
proofs = st.builds(
    TlogProof,
    st.integers(0, checkpoints.MAX_SIZE - 1),
    st.lists(hashes, max_size=63).map(tuple),
    notes,
    st.binary(max_size=50),
)


def root(size: int) -> bytes:
    return merkle.root_of(Subtree(0, found) for found in HASHES[:size])


def reader(height: int, index: int) -> bytes:
    return merkle.perfect_root(HASHES[index << height : (index + 1) << height])


@given(st.data(), sizes)
def test_every_leaf_is_provable_and_nothing_else(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_proof(index, size, reader)
    merkle.verify_inclusion(HASHES[index], index, size, path, root(size))
    place = data.draw(st.integers(0, len(path)))
    other = data.draw(st.binary(max_size=40))
    forged = [*path[:place], other, *path[place + data.draw(st.integers(0, 1)) :]]
    if forged != path:
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(HASHES[index], index, size, forged, root(size))


@given(st.data(), sizes)
def test_every_past_is_provable_and_no_other(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    path = merkle.consistency_proof(old, new, reader)
    merkle.verify_consistency(old, new, root(old), root(new), path)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, data.draw(hashes), root(new), path)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, root(old), data.draw(hashes), path)


@given(st.integers(-5, 2**70), st.integers(-5, 2**70), st.lists(st.binary(max_size=40), max_size=70), hashes)
def test_a_verifier_says_no_and_nothing_else(index: int, size: int, path: list[bytes], found: bytes) -> None:
    for check in (
        lambda: merkle.verify_inclusion(found, index, size, path, LEAVES[0]),
        lambda: merkle.verify_consistency(index, size, found, LEAVES[0], path),
    ):
        with pytest.raises(ProofInvalid):
            check()


@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_files_are_the_same_in_whatever_pieces_the_tree_grew(pieces: list[int]) -> None:
    edge, files = tiles.EMPTY, dict[str, bytes]()
    for piece in pieces:
        if edge.size + piece > len(LEAVES):
            break
        edge, made = tiles.grow(edge, LEAVES[edge.size : edge.size + piece])
        for file in made:
            assert files.setdefault(file.path, file.data) == file.data
        assert edge.root() == root(edge.size)
        assert tiles.read_edge(edge.size, files.__getitem__) == edge
    once, made = tiles.grow(tiles.EMPTY, LEAVES[: edge.size])
    assert once == edge
    assert {file.path: file.data for file in made}.items() <= files.items()
    assert {file.path for file in made} == set(all_paths(edge.size))


@given(notes)
def test_notes_round_trip(found: Note) -> None:
    assert note.parse_note(found.data) == found
    assert note.parse_note(found.data.decode()) == found


@given(texts, names)
def test_what_is_signed_verifies_and_only_as_that(text: str, name: str) -> None:
    made = note.signed_note(text, name, PUBLIC, PRIVATE.sign(text.encode()))
    key = VerifierKey(name, PUBLIC)
    assert list(note.verify(note.parse_note(made.data), [key])) == [key]
    with pytest.raises(NoteError):
        note.verify(Note(text + "x\n", made.signatures), [key])
    with pytest.raises(note.NotSigned):
        note.verify(made, [VerifierKey(name + "x", PUBLIC)])


@given(st.one_of(trees, empties))
def test_checkpoints_round_trip(found: Checkpoint) -> None:
    assert checkpoints.parse_checkpoint(found.text) == found


@given(proofs)
def test_proof_files_round_trip(found: TlogProof) -> None:
    assert proof.parse_tlog_proof(found.data) == found


@given(names, hashes, st.sampled_from([note.ED25519, note.COSIGNATURE]))
def test_verifier_keys_round_trip(name: str, public_key: bytes, kind: int) -> None:
    key = VerifierKey(name, public_key, kind)
    assert note.parse_verifier_key(str(key)) == key


fragments = st.sampled_from(
    [
        "— ",
        " ",
        "\n",
        "\n\n",
        "a",
        "AAAAAAAA",
        "=",
        "index ",
        "extra ",
        "0",
        "9" * 4_400,
        "c2sp.org/tlog-proof@v1\n",
        "+",
    ]
)
anything = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100),  # with lone surrogates
    st.lists(fragments, max_size=20).map("".join),
    st.lists(fragments, max_size=20).map("".join).map(str.encode),
)


@given(anything)
@example("\ud800\n\n— a AAAAAAAA\n")
@example(b"c2sp.org/tlog-proof@v1\nindex 0\n\n\xff")
def test_parsers_take_anything_and_say_no_in_their_own_words(data: bytes | str) -> None:
    """Whatever is read is written again as the same bytes."""
    text = data if isinstance(data, str) else data.decode(errors="surrogateescape")
    raw = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
    for parse in (note.parse_note, proof.parse_tlog_proof):
        try:
            assert parse(data).data == raw
        except MalformedNote:
            continue
    with contextlib.suppress(MalformedNote):
        assert checkpoints.parse_checkpoint(text).text == text
    with contextlib.suppress(MalformedNote):
        assert "".join(found.line for found in note.parse_signatures(text)) == text
    with contextlib.suppress(MalformedKey):
        assert str(note.parse_verifier_key(text)) == text


@given(st.data(), st.sampled_from(["note", "proof"]))
def test_one_byte_changed_is_refused_or_read_as_something_else(data: st.DataObject, what: str) -> None:
    good = data.draw({"note": notes, "proof": proofs}[what]).data
    place = data.draw(st.integers(0, len(good) - 1))
    bad = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    try:
        read = note.parse_note(bad) if what == "note" else proof.parse_tlog_proof(bad)
    except MalformedNote:
        return
    assert read.data == bad
