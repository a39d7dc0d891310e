# SPDX-License-Identifier: Apache-2.0
"""One small bucket, whole: two organisations, their logs, the ledger's own log, two signing keys and a witness.

Invariant: imports nothing of indelible; the same bytes every time. See README.md for the file format.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.vectors.format_v1 import GENESIS, Made, instant, text_of
from tests.vectors.keys import generate as keys
from tests.vectors.signed_log import Log, cosignature, sha256
from tests.vectors.stored_chain import made_at

LEDGER = "_ledger"
FIRST_KEY, SECOND_KEY = keys.SEEDS[:2]
SIZES = {"acme-corp": (5, 256, 260, 270), "globex": (3,)}
ROTATED_AFTER = 260
"""Records of acme-corp up to here are from before the second key."""
ANCHORED = 4
"""The size of the ledger's own log that the witness has signed."""
KEPT = "2035-03-21T00:00:00.000Z"
"""Of every file of a log: no earlier than the longest lock among the records."""


def chain(org_id: str) -> list[Made]:
    """The records: most of a day in 2026, and some of a day in 2028 after the rotation."""
    made: list[Made] = []
    for sequence in range(1, SIZES[org_id][-1] + 1):
        start = "2026-03-20T23:58:00.000Z" if sequence <= ROTATED_AFTER else "2028-03-21T08:00:00.000Z"
        timestamp = text_of(instant(start) + timedelta(seconds=sequence))
        event = {"event_type": "X", "payload": {"n": sequence}}
        previous = made[-1].tx_hash if made else GENESIS
        made.append(made_at(sequence, previous, timestamp=timestamp, org_id=org_id, event=event))
    return made


@dataclass
class StoredLedger:
    """The bucket as it is published. `records` may be changed, and the logs' files; logs follow from honest records."""

    chains: dict[str, list[Made]] = field(default_factory=lambda: {org_id: chain(org_id) for org_id in SIZES})
    logs: dict[str, Log] = field(init=False)
    own: Log = field(init=False)
    statements: list[bytes] = field(default_factory=lambda: [note.encode() for note in keys.GOOD[:2]])

    def __post_init__(self) -> None:
        """Publish every checkpoint, in the order of rounds, and take each up into the ledger's own log."""
        self.logs = {org_id: Log(f"{keys.LEDGER}/{org_id}") for org_id in SIZES}
        for org_id, log in self.logs.items():
            log.leaves = [bytes.fromhex(made.tx_hash) for made in self.chains[org_id]]
        self.own = Log(keys.LEDGER)
        for seed, round_ in (
            (FIRST_KEY, [("acme-corp", 5), ("globex", 3)]),
            (FIRST_KEY, [("acme-corp", 256), ("acme-corp", 260)]),
            (SECOND_KEY, [("acme-corp", 270)]),
        ):
            self._round(seed, round_)
        text = self.own.text(ANCHORED)
        signed = cosignature(text, 1_774_100_000)
        self.own.files[f"anchors/{ANCHORED:012d}/witness-witness.example.com_w1.cosignature"] = signed.encode()
        # Of two notes of one size, that with more lines is the newer.
        self.own.latest.insert(2, self.own.latest[1] + signed.encode())
        self.own.files |= {f"keys/{place:04d}": note for place, note in enumerate(self.statements, start=1)}

    def _round(self, seed: int, published: list[tuple[str, int]]) -> None:
        self.own.leaves += [sha256(self.logs[org_id].publish(size, seed)) for org_id, size in published]
        size = len(self.own.leaves)
        self.own.publish(size, seed)
        for index, (org_id, covered) in enumerate(published, start=size - len(published)):
            self.logs[org_id].files[f"ledger/{covered:012d}.tlog-proof"] = self.own.proof(index, size)

    def objects(self) -> Iterator[tuple[str, bytes, str, str]]:
        """Key, bytes, lock mode, retain until: every version, in the order of keys and oldest first."""
        found: list[tuple[str, bytes, str, str]] = []
        for org_id, records in self.chains.items():
            found += [(made.key, made.data, made.fields["lock_mode"], made.fields["retain_until"]) for made in records]
            found += self._files(org_id, self.logs[org_id])
        yield from sorted([*found, *self._files(LEDGER, self.own)], key=lambda one: one[0])

    def _files(self, owner: str, log: Log) -> Iterator[tuple[str, bytes, str, str]]:
        for path, data in log.files.items():
            yield f"{owner}/_log/{path}", data, "COMPLIANCE", KEPT
        for note in log.latest:
            yield f"{owner}/_log/checkpoint", note, "COMPLIANCE", KEPT

    def as_lines(self) -> bytes:
        """One JSON object a line for each version."""
        lines = []
        for number, (key, data, mode, until) in enumerate(self.objects(), start=1):
            shown: dict[str, Any] = {
                "key": key,
                "version_id": f"v{number:03d}",
                "data": base64.b64encode(data).decode(),
                "sha256": hashlib.sha256(data).hexdigest(),
                "lock": {"mode": mode, "retain_until": until},
            }
            lines.append(json.dumps(shown).encode() + b"\n")
        return b"".join(lines)

    def versions(self) -> dict[str, str]:
        """The version id of every record, as `as_lines` numbers them."""
        return {key: f"v{number:03d}" for number, (key, *_) in enumerate(self.objects(), start=1)}
