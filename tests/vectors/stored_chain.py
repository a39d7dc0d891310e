# SPDX-License-Identifier: Apache-2.0
"""A chain as a versioned, locked bucket holds it, and what can be done to it. See README.md for the file format."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from typing import Any

from tests.vectors.format_v1 import GENESIS, Made, make, seal

ORG = "acme-corp"
GOVERNOR = bytes.fromhex("67" * 32)
LAST = 12

TIMES = [
    "2026-03-20T09:00:00.000Z",
    "2026-03-20T09:00:00.000Z",  # two in one millisecond
    "2026-03-20T09:00:00.001Z",
    "2026-03-20T11:30:00.250Z",
    "2026-03-20T14:22:01.481Z",
    "2026-03-20T14:22:01.500Z",
    "2026-03-20T23:59:59.999Z",  # the day's last millisecond
    "2026-03-21T00:00:00.000Z",  # and the next day's first
    "2026-03-21T08:15:00.000Z",
    "2026-03-21T08:15:00.100Z",
    "2026-03-21T08:15:00.100Z",
    "2026-03-21T17:45:30.999Z",
]


def event_of(sequence: int) -> dict[str, Any]:
    """A short event, different for each sequence."""
    return {
        "event_type": "AGENT_DECISION",
        "level": "decision",
        "payload": {"decision": "APPROVED", "number": sequence, "note": 'naïve ☂ "quoted"'},
        "reason": f"score {sequence / 16} is over the threshold",
    }


def base_chain(org_id: str = ORG) -> list[Made]:
    """The untouched records 1 to 12."""
    chain: list[Made] = []
    for sequence, timestamp in enumerate(TIMES, start=1):
        prev_hash = chain[-1].tx_hash if chain else GENESIS
        chain.append(made_at(sequence, prev_hash, timestamp=timestamp, org_id=org_id))
    return chain


def made_at(sequence: int, prev_hash: str, *, timestamp: str, random: int | None = None, **more: Any) -> Made:
    """A record of the chain; `more` goes to `make` (org_id, event, lock_mode, days)."""
    event = more.pop("event", event_of(sequence))
    seeded = sequence * 0x1234567 if random is None else random
    return make(
        event,
        sequence=sequence,
        prev_hash=prev_hash,
        timestamp=timestamp,
        random=seeded,
        governor=GOVERNOR,
        **{"org_id": ORG, **more},
    )


def relinked(chain: list[Made], position: int, change: Callable[[dict[str, Any]], None]) -> list[Made]:
    """The history with one record changed and everything after it linked anew: hashes and signatures all fit."""
    result = list(chain[: position - 1])
    for made in chain[position - 1 :]:
        fields = copy.deepcopy(made.fields)
        if result:
            fields["prev_hash"] = result[-1].tx_hash
        if made is chain[position - 1]:
            change(fields)
        result.append(seal(fields, GOVERNOR))
    return result


class Stored:
    """Object versions by key, oldest first, and the head that somebody keeps elsewhere."""

    def __init__(self, chain: list[Made], *, head: Made | None = None) -> None:
        self.org_id = ORG
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.chain = chain
        for made in chain:
            self.insert(made)
        last = head or chain[-1]
        self.head = {
            "sequence": last.fields["sequence"],
            "tx_hash": last.tx_hash,
            "timestamp": last.fields["timestamp"],
        }

    def insert(self, made: Made, *, key: str | None = None, data: bytes | None = None) -> None:
        """Lay a version with a fresh checksum and the lock that the record promises."""
        content = made.data if data is None else data
        self.push(
            key or made.key,
            {
                "data": content,
                "sha256": hashlib.sha256(content).hexdigest(),
                "lock": {"mode": made.fields["lock_mode"], "retain_until": made.fields["retain_until"]},
            },
        )

    def push(self, key: str, version: dict[str, Any]) -> None:
        """Lay any version, or `{"delete_marker": True}`, on top."""
        number = sum(len(stack) for stack in self.objects.values()) + 1
        self.objects.setdefault(key, []).append({"version_id": f"v{number:03d}", **version})

    def key(self, sequence: int) -> str:
        """The key of the honest record with this sequence."""
        return self.chain[sequence - 1].key

    def sealed(self, sequence: int) -> dict[str, Any]:
        """Its oldest version."""
        return self.objects[self.key(sequence)][0]

    def rot(self, sequence: int, old: bytes, new: bytes) -> None:
        """Change bytes in place; the stored checksum stays."""
        data = self.sealed(sequence)["data"]
        if data.count(old) != 1 or old == new:
            raise ValueError(f"{old!r} is not there exactly once")
        self.sealed(sequence)["data"] = data.replace(old, new)

    def replace(self, sequence: int, data: bytes) -> None:
        """Other bytes under the key, with a checksum that fits them."""
        self.sealed(sequence).update(data=data, sha256=hashlib.sha256(data).hexdigest())

    def remove(self, *sequences: int) -> None:
        """Every version gone, as after the end of a lock."""
        for sequence in sequences:
            del self.objects[self.key(sequence)]

    def as_json(self) -> dict[str, Any]:
        """What goes into the file."""
        objects = []
        for key, stack in sorted(self.objects.items()):
            versions = []
            for version in stack:
                shown = dict(version)
                if "data" in shown:
                    shown["data"] = base64.b64encode(shown["data"]).decode()
                versions.append(shown)
            objects.append({"key": key, "versions": versions})
        return {"org_id": self.org_id, "head": self.head, "objects": objects}
