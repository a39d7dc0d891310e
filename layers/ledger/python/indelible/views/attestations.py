# SPDX-License-Identifier: Apache-2.0
"""The signed root and the external anchors in a bundle's files, for display.

Nothing is verified here; that is what verifying the bundle does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from indelible.domain import bundle
from indelible.domain.anchors import AnchorFile, parse_anchor_path
from indelible.domain.bundle import Manifest
from indelible.domain.checkpoint import parse_checkpoint
from indelible.domain.keyring import parse_statement
from indelible.domain.note import NoteError, VerifierKey, parse_note

ReadFile = Callable[[str], bytes | None]
"""A file of the bundle by its path."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A signature line. `verifier_key` is the ledger's key with this id, if a key statement in the bundle has it."""

    name: str
    key_id: str
    verifier_key: str | None


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """The largest checkpoint in the bundle: `size` records under `root_hash` (hex), with unverified `signers`."""

    size: int
    root_hash: str
    signers: tuple[Signer, ...]


def signed_root(manifest: Manifest, read: ReadFile) -> SignedRoot | None:
    """The bundle's largest checkpoint; None if it has none, or one that is malformed."""
    if manifest.checkpoint is None:
        return None
    data = read(f"{bundle.LOG}checkpoints/{manifest.checkpoint.size:012d}")
    try:
        note = parse_note(data or b"")
        found = parse_checkpoint(note.text)
    except NoteError:
        return None
    keys = _stated_keys(manifest, read)
    signers = (
        Signer(line.name, line.key_id.hex(), _verifier_key(keys, line.name, line.key_id)) for line in note.signatures
    )
    return SignedRoot(found.size, found.root.hex(), tuple(signers))


def anchors(manifest: Manifest) -> list[tuple[int, AnchorFile]]:
    """The external anchors of the ledger's own log, each with its checkpoint's size."""
    paths = (path.removeprefix(bundle.LEDGER) for path in sorted(manifest.files) if path.startswith(bundle.LEDGER))
    return [found for found in map(parse_anchor_path, paths) if found is not None]


def _stated_keys(manifest: Manifest, read: ReadFile) -> list[VerifierKey]:
    keys: list[VerifierKey] = []
    for path in sorted(manifest.files):
        if path.startswith(bundle.KEYS):
            with suppress(NoteError):
                keys.append(parse_statement(parse_note(read(path) or b"").text).key)
    return keys


def _verifier_key(keys: list[VerifierKey], name: str, key_id: bytes) -> str | None:
    """The key under the ledger's name. A key's id depends on the name, so it differs in each log."""
    return next((str(key) for key in keys if VerifierKey(name, key.public_key).key_id == key_id), None)
