# SPDX-License-Identifier: Apache-2.0
"""OCSF 1.9.0 events with the record_integrity profile, as JSON Lines.

The class is Base Event, the only class of 1.9 whose required attributes every record can fill (API Activity requires a
source endpoint, and 1.9 has no class for the actions of agents). Members without an OCSF attribute are in `unmapped`.
The attestation's fingerprint is the hash of the event's RFC 8785 form without it. The attestations' chain is not
evidence; `unmapped.indelible` says what proves an event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from indelible import __version__
from indelible.domain import instants
from indelible.domain.canonical import canonical_bytes
from indelible.views.source import Entry, Proof

VERSION = "1.9.0"
_OTHER = 99
_INFORMATIONAL = 1
_STATUS = {"SUCCESS": (1, "Success"), "FAILURE": (2, "Failure")}
_UNKNOWN = (0, "Unknown")


def write(entries: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """Write one line for each record."""
    before: dict[str, Any] | None = None
    for entry in entries:
        event = _event(entry, proof)
        event["attestation"] = {
            "authority_uid": proof.ledger_name,
            "chain_uid": f"{proof.ledger_name}/{proof.org_id}",
            **({"prev_event": before} if before else {}),
        }
        fingerprint = _fingerprint(hashlib.sha256(canonical_bytes(event)).hexdigest())
        event["attestation"]["fingerprint"] = fingerprint
        before = {"uid": entry.sealed.audit_id, "type_uid": event["type_uid"], "fingerprint": fingerprint}
        out.write(canonical_bytes(event) + b"\n")


def _event(entry: Entry, proof: Proof) -> dict[str, Any]:
    event = entry.event
    outcome = entry.part("aow_context").get("outcome")
    status_id, status = _STATUS.get(str(outcome).upper(), (_OTHER, str(outcome)) if outcome else _UNKNOWN)
    words = [str(event[name]) for name in ("actor", "action", "target", "reason") if event.get(name)]
    return {
        "class_uid": 0,
        "class_name": "Base Event",
        "category_uid": 0,
        "category_name": "Uncategorized",
        "activity_id": _OTHER,
        "activity_name": entry.event_type,
        "type_uid": _OTHER,
        "type_name": "Base Event: Other",
        "severity_id": _INFORMATIONAL,
        "severity": "Informational",
        "status_id": status_id,
        "status": status,
        "time": entry.sealed.timestamp_ms,
        "message": " · ".join(words) or entry.event_type,
        "metadata": {
            "version": VERSION,
            "profiles": ["record_integrity"],
            "product": {"name": "Indelible", "vendor_name": "Indelible", "version": __version__},
            "uid": entry.sealed.audit_id,
            "event_code": entry.event_type,
            "sequence": entry.sealed.sequence,
            "tenant_uid": proof.org_id,
            "log_name": f"{proof.ledger_name}/{proof.org_id}",
            "original_time": event.get("occurred_at") or instants.to_text(entry.sealed.timestamp_ms),
            **({"correlation_uid": event["trace_id"]} if event.get("trace_id") else {}),
        },
        "raw_data": entry.raw.decode(),
        "raw_data_hash": _fingerprint(entry.sealed.tx_hash),
        "unmapped": {
            "event": event,
            "indelible": {"tx_hash": entry.sealed.tx_hash, "proved_by": proof.as_dict()},
        },
    }


def _fingerprint(value: str) -> dict[str, Any]:
    return {"algorithm_id": 3, "algorithm": "SHA-256", "value": value}
