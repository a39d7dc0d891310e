# SPDX-License-Identifier: Apache-2.0
"""Public keys in the format of C2SP signed notes (c2sp.org/signed-note), and in PEM.

A verifier key is `name+hash+key`: `hash` is the first four bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ public key) in hex,
`key` is base64(kind ‖ public key). The name is part of the identity: the same public key under another name is another
verifier key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from indelible.errors import InvalidField

ED25519 = 0x01
"""An Ed25519 key that signs the note's text."""
COSIGNATURE = 0x04
"""A witness's key: `u64be(time) ‖ Ed25519` over a header with the time and the text (c2sp.org/tlog-cosignature)."""

ML_DSA_44 = 0x06
"""A cosigner's FIPS 204 key: `u64be(time) ‖ ML-DSA-44` over a structure, not over the text (tlog-cosignature)."""

_KEY_BYTES = 32
_ML_DSA_44_BYTES = 1312
_PUBLIC_KEY_BYTES = {ED25519: _KEY_BYTES, COSIGNATURE: _KEY_BYTES, ML_DSA_44: _ML_DSA_44_BYTES}
_SUBTREE = b"subtree/v1\n\0"
_TREE_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""The twelve bytes before the key in the SubjectPublicKeyInfo of every Ed25519 key (RFC 8410 §4)."""
_ML_DSA_44_SPKI_PREFIX = bytes.fromhex("30820532300b06096086480165030403110382052100")
"""The 22 bytes before the key in that of every ML-DSA-44 key (RFC 9881 §4)."""
_VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class NoteError(ValueError):
    """Base of all errors about keys, notes, checkpoints and proof files."""


class MalformedKey(NoteError):
    """The text is not a verifier key of a known kind."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key of a kind under a name. Raises InvalidField for a name, kind or length that a note cannot have."""

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise InvalidField("a key name is not empty and has neither white space nor a plus sign", field="name")
        size = _PUBLIC_KEY_BYTES.get(self.kind)
        if size is None:
            raise InvalidField("only kinds 0x01, 0x04 (Ed25519) and 0x06 (ML-DSA-44) are known", field="kind")
        if len(self.public_key) != size:
            raise InvalidField(f"a public key of this kind has {size} bytes", field="public_key")

    @property
    def key_id(self) -> bytes:
        """The key's id in signature lines: four bytes."""
        hashed = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return hashlib.sha256(hashed).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this is the key's signature of a note with this text."""
        if self.kind == ML_DSA_44:
            return self._cosigned(text, signature)
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

    def _cosigned(self, text: str, signature: bytes) -> bool:
        # Imported here because such keys are rare, and the module would slow down every cold start.
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        time = int.from_bytes(signature[:8], "big")
        try:
            message = subtree_message(self.name, time, text)
            MLDSA44PublicKey.from_public_bytes(self.public_key).verify(signature[8:], message)
        except (InvalidSignature, ValueError):
            return False
        return True


def subtree_message(name: str, time: int, text: str) -> bytes:
    """What the cosigner of this name signs with ML-DSA-44 for a checkpoint with this text, at this time (Unix seconds).

    The whole tree as a subtree: start 0, end its size. Extension lines are not part of it. Raises ValueError for a text
    that is not a checkpoint, and for a name, an origin or a number that does not fit.
    """
    origin, size, root, *_ = [*text.split("\n"), "", ""]
    decoded = from_base64(root)
    names = [part.encode() for part in (name, origin)]
    if _TREE_SIZE.fullmatch(size) is None or len(decoded) != _KEY_BYTES or max(time, int(size)) >= 1 << 63:
        raise ValueError("not a checkpoint")
    if any(not 1 <= len(part) <= 255 for part in names):
        raise ValueError("names have 1 to 255 bytes")
    cosigner, log = (bytes([len(part)]) + part for part in names)
    numbers = [number.to_bytes(8, "big") for number in (time, 0, int(size))]
    return _SUBTREE + cosigner + numbers[0] + log + numbers[1] + numbers[2] + decoded


def parse_verifier_key(text: str) -> VerifierKey:
    """Parse `name+hash+key`. Raises MalformedKey."""
    parts = _VERIFIER_KEY.fullmatch(text)
    if parts is None:
        raise MalformedKey("a verifier key is name+hash+key")
    try:
        blob = from_base64(parts[3])
        key = VerifierKey(parts[1], blob[1:], blob[0])
    except (ValueError, InvalidField):
        raise MalformedKey("a verifier key has a name, and a kind that is known before a public key of it") from None
    if key.key_id.hex() != parts[2]:
        raise MalformedKey("the hash in the verifier key is not that of its name and key")
    return key


def key_hash(name: str, public_key: bytes) -> str:
    """The key id of a signature line, as eight hex digits. `public_key`: 32 bytes."""
    return VerifierKey(name, public_key).key_id.hex()


def verifier_key(name: str, public_key: bytes) -> str:
    """The verifier key as text, for note tools and witnesses.

    Raises InvalidField for a name that a note cannot carry: empty, or with white space or a plus sign.
    """
    return str(VerifierKey(name, public_key))


def ed25519_from_spki(der: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key. Raises ValueError for any other SubjectPublicKeyInfo."""
    if len(der) != len(_SPKI_PREFIX) + _KEY_BYTES or not der.startswith(_SPKI_PREFIX):
        raise ValueError("not the SubjectPublicKeyInfo of an Ed25519 key")
    return der[len(_SPKI_PREFIX) :]


def ml_dsa_44_from_spki(der: bytes) -> bytes:
    """The 1,312 bytes of an ML-DSA-44 public key. Raises ValueError for any other SubjectPublicKeyInfo."""
    prefix = _ML_DSA_44_SPKI_PREFIX
    if len(der) != len(prefix) + _ML_DSA_44_BYTES or not der.startswith(prefix):
        raise ValueError("not the SubjectPublicKeyInfo of an ML-DSA-44 key")
    return der[len(prefix) :]


def public_key_pem(public_key: bytes) -> str:
    """The key as `openssl pkey -pubin` reads it (RFC 7468 §13)."""
    body = base64.b64encode(_SPKI_PREFIX + public_key).decode()  # 60 characters: one line
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def from_base64(text: str) -> bytes:
    """Decode canonical base64 (RFC 4648 §4): with padding, and with unused bits zero. Raises ValueError."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not canonical base64")
    return decoded


def is_name(name: str) -> bool:
    """Whether a key in a signature line can have this name."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        return False
    return not any("\ud800" <= character <= "\udfff" for character in name)  # lone surrogates have no UTF-8 form
