# SPDX-License-Identifier: Apache-2.0
"""Write the known answers: `python -m tests.vectors.generate`. The same bytes every time, whatever the clock says."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import rfc8785

from tests.vectors import bundle_v1, evidence, mutations_of_objects, mutations_of_order, signed_log, stored_ledger
from tests.vectors.catalogue import CATALOGUE
from tests.vectors.format_v1 import GENESIS, hkdf_sha256, hmac_sha256, make
from tests.vectors.stored_chain import GOVERNOR

HERE = Path(__file__).parent


def record_vectors() -> list[dict[str, Any]]:
    """Single records: the inputs, and the bytes, hash, id and key that must come of them."""
    previous = "5e" * 32
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("genesis", {"event_type": "GENESIS_EVENT"}, {"sequence": 1, "prev_hash": GENESIS}),
        (
            "as-in-the-documentation",
            {
                "event_type": "AGENT_DECISION",
                "payload": {"agent": "document-classifier", "decision": "APPROVED", "tokens": 12500},
                "aow_context": {"intent_id": "document.classify", "outcome": "SUCCESS"},
            },
            {"sequence": 142, "random": 0x2_1234_5678},
        ),
        ("empty-payload", {"event_type": "X", "payload": {}}, {}),
        (
            "numbers",  # RFC 8785 Appendix B, and the edges of the safe integers
            {
                "event_type": "X",
                "payload": {
                    "n": [0, -0.0, 1.0, 1e21 / 1e6, 1e-7, 333333333.33333329, 4.5e15, 2**53 - 1, -(2**53) + 1, 0.1]
                },
            },
            {},
        ),
        (
            "strings",  # RFC 8785 §3.2.2.2: what is escaped, and how
            {"event_type": "X", "payload": {"s": '\u20ac$\u000f\u000aA\'B"\\\\"/\u0000\u007f\u2028'}},
            {},
        ),
        (
            "member-order",  # RFC 8785 §3.2.3: by UTF-16 code units, so a surrogate pair sorts before U+FB33
            {"event_type": "X", "payload": {"€": 1, "\r": 2, "דּ": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7}},
            {},
        ),
        ("twelve-digits", {"event_type": "X"}, {"sequence": 10**12 - 1, "random": 2**34 - 1}),
        ("twenty-nine-bits", {"event_type": "X"}, {"sequence": 2**28, "random": 1}),
        ("midnight-exactly", {"event_type": "X"}, {"timestamp": "2026-03-21T00:00:00.000Z"}),
        ("last-millisecond-of-a-day", {"event_type": "X"}, {"timestamp": "2026-03-20T23:59:59.999Z"}),
        ("leap-day", {"event_type": "X"}, {"timestamp": "2028-02-29T12:00:00.000Z", "days": 366}),
        ("governance-for-one-day", {"event_type": "X"}, {"lock_mode": "GOVERNANCE", "days": 1}),
        ("shortest-org", {"event_type": "X"}, {"org_id": "a0"}),
        ("longest-org", {"event_type": "X"}, {"org_id": "z" + "-" * 61 + "9"}),
    ]
    vectors = []
    for name, event, given in cases:
        inputs = {
            "org_id": "acme-corp",
            "sequence": 2,
            "prev_hash": previous,
            "timestamp": "2026-03-20T14:22:01.481Z",
            "random": 0,
            "lock_mode": "COMPLIANCE",
            "days": 2555,
            **given,
        }
        made = make(event, governor=GOVERNOR, **inputs)
        vectors.append(
            {
                "name": name,
                "inputs": {**inputs, "event": rfc8785.dumps(event).decode(), "governor_secret": GOVERNOR.hex()},
                "data": base64.b64encode(made.data).decode(),
                "tx_hash": made.tx_hash,
                "audit_id": made.audit_id,
                "s3_key": made.key,
                "retain_until": made.fields["retain_until"],
            }
        )
    return vectors


def credential_vectors() -> list[dict[str, Any]]:
    """Derived secrets (RFC 5869) and signed arguments (RFC 2104 over RFC 8785)."""
    vectors = []
    for master, org_id, key_id in (
        (bytes(range(32)), "acme-corp", "k1"),
        (bytes(range(32)), "acme-corp", "k2"),
        (bytes(range(32)), "globex", "k1"),
        (b"\xff" * 64, "acme-corp", "k1"),
    ):
        secret = hkdf_sha256(master, f"indelible/org-hmac@v1/{org_id}/{key_id}".encode()).hex()
        arguments: dict[str, Any] = {
            "org_id": org_id,
            "event_type": "X",
            "payload": {"€": 1.0, "a": "ö"},
            "key_id": key_id,
        }
        vectors.append(
            {
                "master": master.hex(),
                "org_id": org_id,
                "key_id": key_id,
                "hmac_secret": secret,
                "governor_secret": hkdf_sha256(master, f"indelible/governor@v1/{org_id}/k1".encode()).hex(),
                "arguments": arguments,
                "signature": hmac_sha256(secret.encode(), rfc8785.dumps(arguments)).hex(),
            }
        )
    return vectors


def files() -> dict[str, bytes]:
    """Every checked-in file by its path below this directory."""
    made: dict[str, Any] = {"records.json": record_vectors(), "credentials.json": credential_vectors()}
    for name, (what, apply, expected) in sorted(CATALOGUE.items()):
        stored = apply().as_json()
        broken = [failure[1] for failure in expected if failure[1] is not None]
        verdict = {
            "valid": not expected,
            "first_broken_at": min(broken, default=None),
            "failures": expected,
        }
        made[f"chains/{name}.json"] = {"name": name, "what": what, "expected": verdict, **stored}
    made |= evidence.files()
    return {path: content if isinstance(content, bytes) else _json(content) for path, content in made.items()}


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=True).encode() + b"\n"


def main() -> None:
    """Write them all, and remove what is no longer made."""
    wanted = files()
    for stale in [*HERE.glob("chains/*"), *HERE.glob("bundles/*")]:
        if stale.relative_to(HERE).as_posix() not in wanted:
            stale.unlink()
    for path, content in wanted.items():
        target = HERE / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


CHAPTERS = (mutations_of_objects, mutations_of_order)
"""Importing them fills the catalogue."""
WHOLE = (signed_log, stored_ledger, bundle_v1, evidence)
"""What makes a whole bucket, and bundles of it."""


if __name__ == "__main__":
    main()
