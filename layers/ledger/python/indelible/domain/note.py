# SPDX-License-Identifier: Apache-2.0
"""Keys as C2SP signed notes write them (c2sp.org/signed-note), and as everybody else does (PEM).

A verifier key is `name+hash+key`: `hash` is the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key) in
hex, `key` is base64(0x01 ‖ public key); 0x01 stands for Ed25519. The name is part of the identity: the same public
key under another name is another verifier key.
"""

from __future__ import annotations

import base64
import hashlib

from indelible.errors import InvalidField

_ED25519 = b"\x01"
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 §4): always these twelve bytes."""
_KEY_BYTES = 32


def key_hash(name: str, public_key: bytes) -> str:
    """The key id of a signature line, as eight hex digits. `public_key`: 32 bytes."""
    _check(name, public_key)
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4].hex()


def verifier_key(name: str, public_key: bytes) -> str:
    """The verifier key, as note tools and witnesses take it.

    Raises InvalidField for a name that a note cannot carry: empty, or with white space or a plus sign in it.
    """
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{name}+{key_hash(name, public_key)}+{encoded}"


def ed25519_from_spki(der: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key. Raises ValueError for any other SubjectPublicKeyInfo."""
    if len(der) != len(_SPKI_PREFIX) + _KEY_BYTES or not der.startswith(_SPKI_PREFIX):
        raise ValueError("not the SubjectPublicKeyInfo of an Ed25519 key")
    return der[len(_SPKI_PREFIX) :]


def public_key_pem(public_key: bytes) -> str:
    """The key as `openssl pkey -pubin` reads it (RFC 7468 §13)."""
    body = base64.b64encode(_SPKI_PREFIX + public_key).decode()  # 60 characters: one line
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def _check(name: str, public_key: bytes) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise InvalidField("a key name is not empty and has neither white space nor a plus sign", field="name")
    if len(public_key) != _KEY_BYTES:
        raise InvalidField(f"an Ed25519 public key has {_KEY_BYTES} bytes", field="public_key")
