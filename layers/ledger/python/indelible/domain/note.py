# SPDX-License-Identifier: Apache-2.0
"""C2SP signed notes (c2sp.org/signed-note), and their keys as notes and as everybody else (PEM) writes them.

Invariant: a `Note` is well formed, `parse_note(note.data) == note`, and nothing but `note.data` is read as that note:
base64 is canonical (RFC 4648 §3.5). Nothing in a note may be believed before `verify`.

A verifier key is `name+hash+key`: `hash` is the first four bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ public key) in hex,
`key` is base64(kind ‖ public key). The name is part of the identity: the same public key under another name is another
verifier key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from indelible.errors import InvalidField

ED25519 = 0x01
"""The key signs the note's text."""
COSIGNATURE = 0x04
"""A witness's key: `u64be(time) ‖ Ed25519` over a header with the time and the text (c2sp.org/tlog-cosignature)."""

MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 §4): always these twelve bytes."""
_KEY_BYTES = 32
_LINE = re.compile(r"— ([^ \n]+) ([A-Za-z0-9+/]+={0,2})")
_VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """Base of everything that can be wrong with a note, a checkpoint or a proof file."""


class MalformedNote(NoteError):
    """The bytes are not a signed note."""


class MalformedKey(NoteError):
    """The text is not a verifier key of a kind known here."""


class NotSigned(NoteError):
    """No known key signed the note."""


class BadSignature(NoteError):
    """A line in the name of a known key does not hold that key's signature."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that somebody trusts, under its name. Raises InvalidField for a name that a note cannot carry."""

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        _check(self.name, self.public_key)

    @property
    def key_id(self) -> bytes:
        """What a signature line says of the key: four bytes."""
        hashed = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return hashlib.sha256(hashed).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether the key made this signature for a note of this text."""
        message = text.encode()
        if self.kind == COSIGNATURE:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = b"cosignature/v1\ntime %d\n" % time + message
            if time >= 1 << 63:
                return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. Raises MalformedNote for a name that a line cannot carry."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not _nameable(self.name) or len(self.key_id) != 4 or not self.signature:
            raise MalformedNote("a signature line has a name, a key id of four bytes and a signature")

    @property
    def line(self) -> str:
        """`— <name> <base64(key id ‖ signature)>` and a newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it, by their own account. Raises MalformedNote for what would not be read back."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise MalformedNote("a note's text ends in a newline and has no other control characters")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise MalformedNote(f"a note has 1 to {MAX_SIGNATURES} signatures")
        if len(_utf8(self.text)) + sum(len(found.line.encode()) for found in self.signatures) >= MAX_NOTE_BYTES:
            raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")

    @property
    def data(self) -> bytes:
        """The note as it is stored and sent."""
        return f"{self.text}\n{''.join(found.line for found in self.signatures)}".encode()

    def with_signatures(self, added: Iterable[Signature]) -> Note:
        """The same note with further lines below those it has; lines that it has are not repeated."""
        return Note(self.text, tuple(dict.fromkeys([*self.signatures, *added])))


def signed_note(text: str, name: str, public_key: bytes, signature: bytes) -> Note:
    """A note with one Ed25519 signature over the UTF-8 of `text`.

    Raises BadSignature unless the signature is right: a wrong one must never be published. Raises MalformedNote for
    a text that a note cannot carry, and InvalidField for such a name.
    """
    key = VerifierKey(name, public_key)
    note = Note(text, (Signature(name, key.key_id, signature),))
    verify(note, [key])
    return note


def parse_note(data: bytes | str) -> Note:
    """Read a signed note, whose signatures remain to be verified. Raises MalformedNote."""
    raw = _utf8(data) if isinstance(data, str) else data
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise MalformedNote("a note is UTF-8") from None
    text, separator, lines = whole.rpartition("\n\n")
    if not separator:
        raise MalformedNote("a note has an empty line between text and signatures")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines alone, as a witness answers with them. Raises MalformedNote."""
    if not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
        raise MalformedNote(f"signatures are 1 to {MAX_SIGNATURES} lines, each with a newline")
    found = []
    for line in lines[:-1].split("\n"):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise MalformedNote("a signature line is an em dash, a name and base64, with single spaces")
        try:
            blob = from_base64(parts[2])
        except ValueError:
            raise MalformedNote("a signature is canonical base64") from None
        found.append(Signature(parts[1], blob[:4], blob[4:]))
    return tuple(found)


def verify(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, Signature]:
    """Who of these keys signed the note; each once, with its first line.

    Lines of other keys are ignored, even if they share a name or a key id with one of these.

    Raises BadSignature if any line of a known key is wrong, NotSigned if there is none.
    """
    known = {(key.name, key.key_id): key for key in keys}
    verified: dict[VerifierKey, Signature] = {}
    for found in note.signatures:
        key = known.get((found.name, found.key_id))
        if key is None:
            continue
        if not key.signed(note.text, found.signature):
            raise BadSignature("a signature of a known key does not verify")
        verified.setdefault(key, found)
    if not verified:
        raise NotSigned("no known key signed the note")
    return verified


def cosigned_at(signature: Signature) -> int:
    """When a witness signed, in seconds since 1970 by its clock. Only for a verified line of a COSIGNATURE key."""
    return int.from_bytes(signature.signature[:8], "big")


def parse_verifier_key(text: str) -> VerifierKey:
    """Read `name+hash+key`. Raises MalformedKey."""
    parts = _VERIFIER_KEY.fullmatch(text)
    if parts is None:
        raise MalformedKey("a verifier key is name+hash+key")
    try:
        blob = from_base64(parts[3])
        key = VerifierKey(parts[1], blob[1:], blob[0])
    except (ValueError, InvalidField):
        raise MalformedKey("a verifier key has a name, and a public key of 32 bytes behind its kind") from None
    if key.kind not in (ED25519, COSIGNATURE):
        raise MalformedKey("only Ed25519 keys (0x01) and cosignature keys (0x04) are known")
    if key.key_id.hex() != parts[2]:
        raise MalformedKey("the hash in the verifier key is not that of its name and key")
    return key


def key_hash(name: str, public_key: bytes) -> str:
    """The key id of a signature line, as eight hex digits. `public_key`: 32 bytes."""
    return VerifierKey(name, public_key).key_id.hex()


def verifier_key(name: str, public_key: bytes) -> str:
    """The verifier key, as note tools and witnesses take it.

    Raises InvalidField for a name that a note cannot carry: empty, or with white space or a plus sign in it.
    """
    return str(VerifierKey(name, public_key))


def ed25519_from_spki(der: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key. Raises ValueError for any other SubjectPublicKeyInfo."""
    if len(der) != len(_SPKI_PREFIX) + _KEY_BYTES or not der.startswith(_SPKI_PREFIX):
        raise ValueError("not the SubjectPublicKeyInfo of an Ed25519 key")
    return der[len(_SPKI_PREFIX) :]


def public_key_pem(public_key: bytes) -> str:
    """The key as `openssl pkey -pubin` reads it (RFC 7468 §13)."""
    body = base64.b64encode(_SPKI_PREFIX + public_key).decode()  # 60 characters: one line
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def from_base64(text: str) -> bytes:
    """RFC 4648 §4, canonical: with padding, and with its unused bits zero. Raises ValueError."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not canonical base64")
    return decoded


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedNote("a note is UTF-8") from None


def _nameable(name: str) -> bool:
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        return False
    return not any("\ud800" <= character <= "\udfff" for character in name)  # these have no UTF-8


def _check(name: str, public_key: bytes) -> None:
    if not _nameable(name):
        raise InvalidField("a key name is not empty and has neither white space nor a plus sign", field="name")
    if len(public_key) != _KEY_BYTES:
        raise InvalidField(f"an Ed25519 public key has {_KEY_BYTES} bytes", field="public_key")
