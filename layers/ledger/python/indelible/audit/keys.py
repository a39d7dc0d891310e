# SPDX-License-Identifier: Apache-2.0
"""The key that signed roots are checked with: one that the auditor pinned, or else the one that the source states.

A key that comes with what it signed proves only that one key signed everything. The report says when that is so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from indelible.audit.source import NotEvidence, Source
from indelible.domain import note as notes
from indelible.domain.checkpoint import open_checkpoint, origin_of
from indelible.domain.keyring import MAX_GENERATION, KeyRing, parse_statement, statement_path
from indelible.services.log import LATEST, LEDGER, MOST_FOREIGN, checkpoint_path

_MOST_STATED = 16 * 1024
"""Bytes of a key statement that are read; one has less than a thousand."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A key that was given by hand. `name` is None for a form that does not name the ledger."""

    public_key: bytes
    name: str | None = None


def pinned_key(given: str) -> Pinned:
    """Parse a verifier key, a PEM public key, the answer of `GET /v1/keys`, or a file with one. Raises NotEvidence."""
    text = text_of("--key", given)
    try:
        if text.startswith("{"):
            text = _in_use(text)
        elif "-----BEGIN" in text:
            return Pinned(_from_pem(text))
        key = notes.parse_verifier_key(text)
    except ValueError as error:
        where = "--key" if text == given.strip() else f"--key {given}"
        raise NotEvidence(f"{where}: {error}") from None
    if key.kind != notes.ED25519:
        raise NotEvidence("--key is a witness's key; the ledger's is an Ed25519 key of kind 1")
    return Pinned(key.public_key, key.name.partition("/")[0])


def text_of(option: str, given: str) -> str:
    """A key as it was given, or the text of the file of this name. Raises NotEvidence."""
    text = given.strip()
    if not text:
        raise NotEvidence(f"{option} is empty")
    if "-----BEGIN" in text or text.startswith("{") or (_is_verifier_key(given) and not _is_file(given)):
        return text
    try:
        return Path(given).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise NotEvidence(f"{option} {given} is not text") from None
    except PermissionError as error:
        raise NotEvidence(f"{option} {given}: {error.strerror}") from None
    except (OSError, ValueError):  # no name of a file, either
        raise NotEvidence(f"{option} {given}: neither a verifier key nor a file") from None


def stated_key(source: Source) -> Pinned | None:
    """The first signing key that the source itself states, which nobody has pinned; None where it states none."""
    stated = source.read(LEDGER, statement_path(1))
    if stated is None:
        return None
    try:
        found = parse_statement(notes.parse_note(stated).text)
    except notes.NoteError:
        return None
    return Pinned(found.public_key, found.ledger_name)


def ledger_name(source: Source, given: Pinned | None) -> str | None:
    """The ledger's name: of the pinned key; else in a checkpoint that the key signed; else in most of the first ones.

    None without checkpoints. An attacker with write access can put a file under a size that is not signed, so no single
    unsigned one decides.
    """
    if given is not None and given.name is not None:
        return given.name
    said: Counter[str] = Counter()
    for note in islice(_checkpoints(source), 1 + MOST_FOREIGN):
        name = _named(note, source.org_id)
        if name is None:
            continue
        if given is not None and _signed(note, origin_of(name, source.org_id), given.public_key):
            return name
        said[name] += 1
    return said.most_common(1)[0][0] if said else None


def _checkpoints(source: Source) -> Iterator[bytes]:
    """The latest checkpoint, which the key in use signed, and then the others, ascending."""
    latest = source.read(source.org_id, LATEST)
    if latest is not None:
        yield latest
    yield from (note for _, note in source.checkpoints(source.org_id, at_least=1))


def _named(note: bytes, org_id: str) -> str | None:
    """The ledger's name in a checkpoint's first line; None if that is of another organisation, or not a valid name."""
    name, _, owner = note.partition(b"\n")[0].decode(errors="replace").partition("/")
    return name if owner == org_id and notes.is_name(name) else None


def _signed(note: bytes, origin: str, public_key: bytes) -> bool:
    try:
        open_checkpoint(note, origin=origin, public_keys=[public_key])
    except notes.NoteError:
        return False
    return True


def key_ring(source: Source, pinned: Pinned | None, name: str) -> tuple[KeyRing, list[str]]:
    """The pinned key, and all others that the source's key statements lead to from it; no keys without one.

    Also what is not known of the keys, as clauses for people. Raises NotEvidence where the source has no statements,
    may lack them, and has checkpoints signed by another key.
    """
    if pinned is None:
        return KeyRing(name, ()), []
    try:
        statements = _statements(source)
        first = next(statements, None)
        if first is not None:
            return KeyRing.trusting(pinned.public_key, chain([first], statements), ledger_name=name), []
    except notes.NoteError as error:
        unsure = f"other signing keys than the one given: the statements do not lead to them ({error})"
        return KeyRing.of_one(name, pinned.public_key), [unsure]
    if source.may_lack_statements:
        _refuse_other_keys(source, pinned.public_key, name)
    unsure = (
        "whether another signing key had replaced the one given: the source has none of the ledger's key statements"
    )
    return KeyRing.of_one(name, pinned.public_key), [unsure]


def _statements(source: Source) -> Iterator[bytes]:
    """The key statements, up to the first generation without one. Raises NoteError for one that is too long."""
    for generation in range(1, MAX_GENERATION + 1):
        stated = source.read(LEDGER, statement_path(generation))
        if stated is None:
            return
        if len(stated) > _MOST_STATED:
            raise notes.MalformedNote(f"a key statement has at most {_MOST_STATED:,} bytes")
        yield stated


def _refuse_other_keys(source: Source, public_key: bytes, name: str) -> None:
    """Without the statements, a key that the ledger rotated to looks like a forger's: so nothing is called broken."""
    sizes = [*source.sizes(source.org_id, at_least=1)]
    for size in dict.fromkeys([*sizes[:1], *sizes[-1:]]):
        note = source.read(source.org_id, checkpoint_path(size)) or b""
        try:
            open_checkpoint(note, origin=origin_of(name, source.org_id), public_keys=[public_key])
        except notes.NotSigned:
            raise NotEvidence(
                f"{source.where}: the checkpoint of size {size} is not signed by the key that was given, and the copy "
                "lacks the statements that lead from one signing key of the ledger to the next; "
                "copy s3://BUCKET/_ledger/_log to _ledger/_log beside the organisation's directory, too"
            ) from None
        except (notes.NoteError, ValueError):
            continue  # the walk reports what is wrong with it


class _Key(msgspec.Struct):
    verifier_key: str


class _Keys(msgspec.Struct):
    keys: Annotated[list[_Key], msgspec.Meta(min_length=1)]


def _in_use(answer: str) -> str:
    """The first key in an answer of `GET /v1/keys`: the one in use. Statements lead from it to all others."""
    try:
        return msgspec.json.decode(answer, type=_Keys).keys[0].verifier_key
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("JSON, but not the answer of GET /v1/keys") from None


def _from_pem(text: str) -> bytes:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the PEM has no public key that can be read") from None
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return notes.ed25519_from_spki(der)


def _is_file(text: str) -> bool:
    """Whether it names a file: a path may have plus signs, as a verifier key has."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _is_verifier_key(text: str) -> bool:
    return text.count("+") >= 2 and "\n" not in text.strip()
