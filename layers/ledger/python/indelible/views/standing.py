# SPDX-License-Identifier: Apache-2.0
"""What stands behind a range, as the files of its bundle say: the signed root over it, and who else has seen the log.

Nothing is verified here: whether a signature or a timestamp is good is for whoever verifies the bundle.
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
    """A signature line. `verifier_key` is the ledger's own, where a statement in the bundle has the key of this id."""

    name: str
    key_id: str
    verifier_key: str | None


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """The largest checkpoint in the bundle: `size` records under `root_hash` (hex). `signers` are as the note says."""

    size: int
    root_hash: str
    signers: tuple[Signer, ...]


def signed_root(manifest: Manifest, read: ReadFile) -> SignedRoot | None:
    """None where no checkpoint covers the range, or where what is there is none."""
    if manifest.checkpoint is None:
        return None
    data = read(f"{bundle.LOG}checkpoints/{manifest.checkpoint.size:012d}")
    try:
        note = parse_note(data or b"")
        found = parse_checkpoint(note.text)
    except NoteError:
        return None
    keys = _stated(manifest, read)
    signers = (Signer(line.name, line.key_id.hex(), _named(keys, line.name, line.key_id)) for line in note.signatures)
    return SignedRoot(found.size, found.root.hex(), tuple(signers))


def anchors(manifest: Manifest) -> list[tuple[int, AnchorFile]]:
    """What others have given about checkpoints of the ledger's own log, each with that checkpoint's size."""
    paths = (path.removeprefix(bundle.LEDGER) for path in sorted(manifest.files) if path.startswith(bundle.LEDGER))
    return [found for found in map(parse_anchor_path, paths) if found is not None]


def _stated(manifest: Manifest, read: ReadFile) -> list[VerifierKey]:
    keys: list[VerifierKey] = []
    for path in sorted(manifest.files):
        if path.startswith(bundle.KEYS):
            with suppress(NoteError):
                keys.append(parse_statement(parse_note(read(path) or b"").text).key)
    return keys


def _named(keys: list[VerifierKey], name: str, key_id: bytes) -> str | None:
    """The key id depends on the name: a key has another one in each log."""
    return next((str(key) for key in keys if VerifierKey(name, key.public_key).key_id == key_id), None)
