# SPDX-License-Identifier: Apache-2.0
"""Bundles of any size, made without a ledger: the bytes are those that one would have made."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import bundle, instants, note, record, tiles
from indelible.domain.archive import Entry, archive, entry_of
from indelible.domain.bundle import Exported, LastCheckpoint, LastRecord, Listed, Manifest
from indelible.domain.canonical import canonical_bytes
from indelible.domain.checkpoint import Checkpoint, signed_checkpoint
from indelible.domain.record import EMPTY_CHAIN, GovernorKey, Retention
from indelible.services.log import checkpoint_path
from indelible.services.spool import Spool

ORG, LEDGER = "acme-corp", "indelible"
EVENT_BYTES = 450
"""With what the ledger adds a record has about 900."""
_SIGNED_EVERY = 1000
_BEGIN_MS, _STEP_MS = 1_773_964_800_000, 700
_KEY = Ed25519PrivateKey.from_private_bytes(b"g" * 32)
_PUBLIC = _KEY.public_key().public_bytes_raw()
VERIFIER_KEY = note.verifier_key(LEDGER, _PUBLIC)


def bundle_of(count: int, place: Path) -> Path:
    """The bundle of so many records, made once."""
    path = place / f"bundle-{count}.zip"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".making")
        with making.open("wb") as out:
            _make(count, out)
        making.rename(path)
    return path


def _make(count: int, out: BinaryIO) -> None:
    records = Spool(bundle.RECORDS, TemporaryFile())  # noqa: SIM115 -- the spool closes it
    receipts = Spool(bundle.RECEIPTS, TemporaryFile())  # noqa: SIM115
    small: dict[str, bytes] = {bundle.README: b"Made by a benchmark.\n"}
    chance, head, edge, leaves, signed = random.Random(7), EMPTY_CHAIN, tiles.EMPTY, list[bytes](), b""
    event = canonical_bytes({"event_type": "AGENT_DECISION", "payload": {"text": "x" * (EVENT_BYTES - 50)}})
    for number in range(count):
        made = record.build(
            event,
            org_id=ORG,
            head=head,
            now_ms=_BEGIN_MS + number * _STEP_MS,
            retention=Retention("COMPLIANCE", 2555),
            governor=GovernorKey("k1", b"g" * 32),
            random=chance.getrandbits(34),
        )
        head = made.head
        records.write(made.data + b"\n")
        line = bundle.receipt_line(
            made, s3_key=made.s3_key, version_id="3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", stored_sha256=None, data=made.data
        )
        receipts.write(line + b"\n")
        leaves.append(bytes.fromhex(made.tx_hash))
        if len(leaves) == _SIGNED_EVERY or number == count - 1:
            edge, _ = tiles.grow(edge, leaves)
            leaves = []
            checkpoint = Checkpoint(f"{LEDGER}/{ORG}", edge.size, edge.root())
            signature = _KEY.sign(checkpoint.text.encode())
            signed = signed_checkpoint(checkpoint, _PUBLIC, signature).note.data
            small[f"{bundle.LOG}{checkpoint_path(edge.size)}"] = signed
    listed = {path: Listed(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) for path, data in small.items()}
    small[bundle.MANIFEST] = Manifest(
        ledger_name=LEDGER,
        org_id=ORG,
        first_sequence=1,
        last_sequence=count,
        records=count,
        head=LastRecord(sequence=count, tx_hash=head.tx_hash, timestamp=instants.to_text(head.timestamp_ms)),
        checkpoint=LastCheckpoint(size=edge.size, sha256=hashlib.sha256(signed).hexdigest()),
        exported=Exported(valid=True, first_broken_at=None, failures_total=0, failures=[]),
        files={**listed, bundle.RECORDS: records.listed, bundle.RECEIPTS: receipts.listed},
    ).data
    files: dict[str, tuple[Entry, Iterator[bytes]]] = {
        path: (entry_of(path, data), iter([data])) for path, data in small.items()
    }
    files |= {spool.entry.path: (spool.entry, spool.pieces()) for spool in (records, receipts)}
    for piece in archive(files[path] for path in sorted(files, key=bundle.file_order)):
        out.write(piece)
