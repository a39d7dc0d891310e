# SPDX-License-Identifier: Apache-2.0
"""The catalogue of whole pieces of evidence: what each is, what one types, and what must come of it.

Invariant: verdicts are written here by hand from docs/format.md and docs/bundle.md, never taken from the code under
test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.vectors.bundle_v1 import Bundle
from tests.vectors.keys import generate as keys
from tests.vectors.signed_log import line, witness_key
from tests.vectors.stored_ledger import FIRST_KEY, SECOND_KEY, StoredLedger

LEDGER = StoredLedger()
PINNED = keys.vkey(FIRST_KEY)
X = keys.X
"""A stranger's key."""
Made = tuple[Bundle, dict[str, Any]]
BUNDLES: dict[str, Callable[[], Made]] = {}


def _bundle(make: Callable[[], Made]) -> Callable[[], Made]:
    BUNDLES[make.__name__.replace("_", "-")] = make
    return make


def _verdict(
    what: str,
    *,
    records: tuple[int, int, int],
    failures: tuple[tuple[Any, ...], ...] = (),
    size: int | None,
    key: str = PINNED,
    more: tuple[str, ...] = (),
) -> dict[str, Any]:
    """`records`: how many there are, the first and the last. `size`: of the last root that they lead to."""
    count, first, last = records
    broken = [one[1] for one in failures if one[1] is not None]
    return {
        "what": what,
        "arguments": ["--key", key, *more],
        "exit_status": 1 if failures else 0,
        "expected": {
            "valid": not failures,
            "entries_checked": count,
            "first_sequence": first,
            "last_sequence": last,
            "first_broken_at": min(broken, default=None),
            "failures": [list(one) for one in failures],
            "checkpoint": size,
        },
    }


def bucket() -> dict[str, Any]:
    """The whole bucket: what is expected of each organisation, with either key."""
    return {
        "what": "a whole bucket: two organisations, their logs, the ledger's own, two keys, a witness",
        "organisations": {
            "acme-corp": _verdict("across a rotation", records=(270, 1, 270), size=270),
            "globex": _verdict("by the newer key alone", records=(3, 1, 3), size=3, key=keys.vkey(SECOND_KEY)),
        },
    }


@_bundle
def whole() -> Made:
    return Bundle(LEDGER, "globex", 1, 3), _verdict("all records of globex", records=(3, 1, 3), size=3)


@_bundle
def range_in_the_middle() -> Made:
    what = "records 100 to 200: the tree before from the log's files, the next signed root beyond the end"
    return Bundle(LEDGER, "acme-corp", 100, 200), _verdict(what, records=(101, 100, 200), size=256)


@_bundle
def rotated_keys() -> Made:
    what = "records 258 to 265: the second key signs from 261 on, and a full tile lies before the range"
    return Bundle(LEDGER, "acme-corp", 258, 265), _verdict(what, records=(8, 258, 265), size=270)


@_bundle
def witnessed() -> Made:
    what = "records 1 to 5; the first ledger checkpoint with external anchors is a later one than the proof's"
    more = ("--witness", witness_key(), "--check-anchors")
    return Bundle(LEDGER, "acme-corp", 1, 5), _verdict(what, records=(5, 1, 5), size=5, more=more)


@_bundle
def broken() -> Made:
    failures = (
        ("CONTENT_MISMATCH", 2),
        ("BROKEN_LINK", 3),
        ("SHADOWED", 3),
        ("CHECKPOINT_MISMATCH", 5),
        ("MISSING", 7),
    )
    told = [{"code": code, "sequence": sequence, "detail": "as in the vector"} for code, sequence in failures]
    made = Bundle(LEDGER, "acme-corp", 1, 8, failures=told)
    made.lines[1].data = made.lines[1].data.replace(b'"n":2', b'"n":3')
    del made.lines[6]
    what = "records 1 to 8: bytes of 2 changed, 7 lost, and something over 3 that only the exporter could see"
    return made, _verdict(what, records=(7, 1, 8), failures=failures, size=None)


@_bundle
def end_cut_off() -> Made:
    told = [{"code": "TRUNCATED", "sequence": 251, "detail": "as in the vector"}]
    made = Bundle(LEDGER, "acme-corp", 200, 256, failures=told)
    del made.lines[-6:]
    what = "records 200 to 256, of which the last six are not there: the checkpoint of 256 promises them"
    failures = (("TRUNCATED", 251, 256),)
    return made, _verdict(what, records=(51, 200, 250), failures=failures, size=256)


@_bundle
def receipt_of_another_lock() -> Made:
    made = Bundle(LEDGER, "globex", 1, 3)
    honest = made.lines[1].made
    made.lines[1].made = replace(honest, fields={**honest.fields, "lock_mode": "GOVERNANCE"})
    what = "all records of globex; the receipt beside 2 names another lock mode than the record"
    return made, _verdict(what, records=(3, 1, 3), failures=(("CONTENT_MISMATCH", 2),), size=3)


def _signed_by(size: int, seed: int, name: str = "indelible/acme-corp") -> bytes:
    text = LEDGER.logs["acme-corp"].text(size)
    return f"{text}\n{line(name, seed, text)}".encode()


@_bundle
def signed_by_a_stranger() -> Made:
    told = [{"code": "BAD_SIGNATURE", "sequence": 5, "detail": "as in the vector"}]
    made = Bundle(LEDGER, "acme-corp", 1, 5, failures=told)
    made.files["log/checkpoints/000000000005"] = _signed_by(5, X)
    what = "records 1 to 5; a key that no statement introduces has signed the checkpoint"
    return made, _verdict(what, records=(5, 1, 5), failures=(("BAD_SIGNATURE", 5),), size=None)


@_bundle
def signed_by_a_key_that_had_ended() -> Made:
    told = [{"code": "BAD_SIGNATURE", "sequence": 270, "detail": "as in the vector"}]
    made = Bundle(LEDGER, "acme-corp", 258, 265, failures=told)
    made.files["log/checkpoints/000000000270"] = _signed_by(270, FIRST_KEY)
    del made.files["log/ledger/000000000270.tlog-proof"]
    what = "records 258 to 265; the first key signed the checkpoint of 270, after the second one had begun"
    return made, _verdict(what, records=(8, 258, 265), failures=(("BAD_SIGNATURE", 270),), size=260)


@_bundle
def older_ledger_proof_broken() -> Made:
    made = Bundle(LEDGER, "acme-corp", 258, 265)
    path = "log/ledger/000000000260.tlog-proof"
    old = made.files[path]
    made.files[path] = old.replace(b"index 3\n", b"index 2\n")
    assert made.files[path] != old
    what = "records 258 to 265; the proof that the ledger's log holds the checkpoint of 260 is of another leaf"
    return made, _verdict(what, records=(8, 258, 265), failures=(("CHECKPOINT_MISMATCH", 260),), size=270)


@_bundle
def pinned_key_of_nobody() -> Made:
    what = "all records of globex, and a pinned key that no statement is about"
    key = keys.vkey(X)
    failures = (("BAD_SIGNATURE", 3),)
    return Bundle(LEDGER, "globex", 1, 3), _verdict(what, records=(3, 1, 3), failures=failures, size=None, key=key)


def files() -> dict[str, bytes | dict[str, Any]]:
    """Every file of these by its path; JSON as an object."""
    made: dict[str, bytes | dict[str, Any]] = {"bucket.jsonl": LEDGER.as_lines(), "bucket.json": bucket()}
    for name, make in BUNDLES.items():
        packed, verdict = make()
        data = packed.packed()
        made[f"bundles/{name}.zip"] = data
        made[f"bundles/{name}.json"] = {"sha256": hashlib.sha256(data).hexdigest(), **verdict}
    return made
