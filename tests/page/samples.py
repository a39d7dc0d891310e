# SPDX-License-Identifier: Apache-2.0
"""Evidence to make pages of: a made-up lender's agents at work, sealed, logged and signed. The same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

import msgspec
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import audit_id, instants, record
from indelible.domain.checkpoint import Checkpoint, origin_of, signed_checkpoint
from indelible.domain.findings import StoredObject
from indelible.domain.keyring import KeyStatement, signed_statement
from indelible.domain.merkle import inclusion_proof, root_of
from indelible.domain.proof import TlogProof
from indelible.domain.receipt import Receipt
from indelible.domain.record import EMPTY_CHAIN, GovernorKey, Record, Retention
from indelible.domain.tiles import EMPTY, grow, node_reader
from indelible.page.parts import PageCheckpoint, PageParts, subtrees_around

LEDGER = "indelible"
ORG = "acme-corp"
START_MS = instants.from_text("2026-03-19T07:58:12.000Z")
KEY = Ed25519PrivateKey.from_private_bytes(b"the key of a ledger for pages...")
PUBLIC_KEY = KEY.public_key().public_bytes_raw()
_STATED = KeyStatement(LEDGER, 1, PUBLIC_KEY, START_MS)
STATEMENT = signed_statement(_STATED, [(PUBLIC_KEY, KEY.sign(_STATED.text.encode()))]).data
"""That the key signs for the ledger."""

_RETENTION = Retention(lock_mode="COMPLIANCE", days=2555)
_GOVERNOR = GovernorKey(key_id="k1", secret=b"g" * 32)
_WHY = [
    ("approve", "Income covers the instalments 2.4 times; no open defaults."),
    ("approve", "Existing customer for nine years, all loans repaid on time; amount within the standing limit."),
    ("decline", "Debt service would exceed 45 % of net income (rule CR-12)."),
    ("escalate", "Two pay slips disagree by 18 %; rule DQ-3 asks for a person."),
    ("retry", "The credit bureau answered with a timeout; the second request is within the allowed three."),
    ("request-document", "No proof of residence younger than three months is on file."),
]


def events(random: Random) -> Iterator[dict[str, Any]]:
    """Applications, one trace after the other, without end."""
    number = 1200
    while True:
        number += random.randrange(1, 4)
        trace = {"trace_id": f"loan-{number}", "correlation_id": f"application-{number}"}
        target = {"target": f"application-{number}"}
        yield {
            "event_type": "PIPELINE_SUBMITTED", "level": "pipeline", "actor": "branch-desk-" + random.choice("abc"),
            "action": "submit", "payload": {"priority": random.choice(["normal", "high"]), "channel": "web"},
            **target, **trace,
        }  # fmt: skip
        yield {
            "event_type": "TOOL_RESULT", "level": "agent", "actor": "document-classifier", "action": "classify",
            "payload": {
                "model": "classifier-7", "tokens": random.randrange(800, 16000),
                "output_hash": "sha256:" + hashlib.sha256(str(number).encode()).hexdigest(),
            },
            "aow_context": {"intent_id": "document.classify", "outcome": "SUCCESS"}, **target, **trace,
        }  # fmt: skip
        for _ in range(random.randrange(1, 4)):
            action, reason = random.choice(_WHY)
            rules: dict[str, Any] = {
                "regulations": ["EU-AI-ACT", "CCD-2"], "confidence": random.randrange(700, 999) / 1000,
            }  # fmt: skip
            if action == "escalate":
                rules["human_override"] = {
                    "overridden": random.random() < 0.5, "operator": "m.weber", "reason": "Called the employer.",
                }  # fmt: skip
            yield {
                "event_type": "AGENT_DECISION", "level": "decision", "actor": "loan-officer-agent", "action": action,
                "reason": reason, "payload": {"amount_eur": random.randrange(20, 400) * 100, "term_months": 48},
                "regulatory": rules, **target, **trace,
            }  # fmt: skip
        yield {
            "event_type": "PIPELINE_COMPLETED", "level": "pipeline", "actor": "loan-pipeline", "action": "complete",
            "payload": {"outcome": "SUCCESS"}, **target, **trace,
        }  # fmt: skip


@cache
def chain(count: int) -> tuple[Record, ...]:
    """The first records of the organisation."""
    random = Random(7)
    made: list[Record] = []
    source, head, now_ms = events(random), EMPTY_CHAIN, START_MS
    for _ in range(count):
        now_ms += random.choice([140, 900, 2_600, 9_000, 31_000]) + random.randrange(900)
        made.append(sealed(next(source), head=head, now_ms=now_ms, random=random))
        head = made[-1].head
    return tuple(made)


def sealed(event: dict[str, Any], *, head: record.Head, now_ms: int, random: Random) -> Record:
    """The record of an event after `head`."""
    return record.build(
        rfc8785.dumps(event),
        org_id=ORG,
        head=head,
        now_ms=now_ms,
        retention=_RETENTION,
        governor=_GOVERNOR,
        random=random.getrandbits(audit_id.RANDOM_BITS),
    )


def stored_object(found: Record) -> StoredObject:
    """What the bucket shows of it."""
    return StoredObject(found.s3_key, _version(found), found.data, stored_sha256=found.tx_hash)


def receipt(found: Record) -> dict[str, Any]:
    """What recording it was answered with."""
    return dict(msgspec.to_builtins(Receipt.of(found, _version(found))))


def _version(found: Record) -> str:
    return "v" + hashlib.sha256(found.s3_key.encode()).hexdigest()[:31]


def note(size: int, root: bytes, *, key: Ed25519PrivateKey = KEY, org_id: str = ORG) -> bytes:
    """A checkpoint, signed."""
    unsigned = Checkpoint(origin_of(LEDGER, org_id), size, root)
    public_key = key.public_key().public_bytes_raw()
    return signed_checkpoint(unsigned, public_key, key.sign(unsigned.text.encode())).note.data


def ledger_proof(leaf: bytes, index: int, size: int, *, origin: str = LEDGER) -> TlogProof:
    """That this is a leaf of the ledger's own log of that size, where the others are somebody else's."""
    leaves = [hashlib.sha256(number.to_bytes(2, "big")).digest() for number in range(size)]
    leaves[index] = leaf
    edge, files = grow(EMPTY, leaves)
    stored = {file.path: file.data for file in files}
    unsigned = Checkpoint(origin, size, edge.root())
    note = signed_checkpoint(unsigned, PUBLIC_KEY, KEY.sign(unsigned.text.encode())).note
    hashes = inclusion_proof(index, size, node_reader(size, stored.__getitem__))
    return TlogProof(index, tuple(hashes), note)


def parts_of(
    records: Sequence[Record], *, first: int = 1, last: int | None = None, sizes: Sequence[int] = ()
) -> PageParts:
    """A page over records `first` to `last` of a whole chain, with its checkpoints of these sizes."""
    last = len(records) if last is None else last
    edge, files, notes, grown = EMPTY, {}, [], 0
    for size in sizes:
        edge, new = grow(edge, [bytes.fromhex(one.tx_hash) for one in records[grown:size]])
        grown = size
        files.update({file.path: file.data for file in new})
        if size >= first:
            notes.append(PageCheckpoint(size, note(size, root_of(edge.subtrees()))))
    left, right = subtrees_around(first, last, grown, files.__getitem__) if sizes else ((), ())
    return PageParts(
        ledger_name=LEDGER,
        org_id=ORG,
        first_sequence=first,
        last_sequence=last,
        records=[stored_object(one) for one in records[first - 1 : last]],
        predecessor=records[first - 2].data if first > 1 else None,
        checkpoints=tuple(notes),
        left=left,
        right=right,
        keys=(STATEMENT,),
    )
