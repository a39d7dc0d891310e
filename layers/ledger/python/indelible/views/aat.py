# SPDX-License-Identifier: Apache-2.0
"""Agent Audit Trail (IETF draft-sharif-agent-audit-trail-06) as JSON Lines: twelve mandatory fields, chained.

Each session's first record has no parent; each later one has the id of the record before it and the SHA-256 of its
RFC 8785 form. This chain is not evidence, because anyone can make one; `action_detail.indelible` says what proves a
record. Mandatory fields that a record does not state are given default values, and listed in `assumed`.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import Any, BinaryIO
from urllib.parse import quote

from indelible.domain.canonical import canonical_bytes
from indelible.views.outcomes import ESCALATED, FAILED, first, outcome_of, row, words
from indelible.views.source import Entry, Proof

_TOOL = "TOOL TOOLS"
_GATE = "GATE GATES GATED"
_ACTIONS = (
    row("tool_response", _TOOL, "RESULT RESULTS RESPONSE RESPONSES"),
    row("tool_response", "TOOLRESULT TOOLRESPONSE"),
    row("tool_call", f"{_TOOL} TOOLCALL"),
    row("delegation", "DELEGATE DELEGATES DELEGATED DELEGATION DELEGATIONS"),
    *(("escalation", groups) for _, groups in ESCALATED),
    row("error", FAILED),
    row("decision", f"DECISION DECISIONS DECIDE DECIDED POLICY POLICIES {_GATE}"),
)
_SEMVER = re.compile(r"\d+\.\d+\.\d+([-+].*)?")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:indelible:session")


def write(entries: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """Write one line for each record."""
    last: dict[str, tuple[str, str]] = {}
    for entry in entries:
        record = _record(entry, proof)
        parent, prev_hash = last.get(record["session_id"], (None, None))
        record |= {"parent_record_id": parent, "prev_hash": prev_hash}
        line = canonical_bytes(record)
        last[record["session_id"]] = (record["record_id"], hashlib.sha256(line).hexdigest())
        out.write(line + b"\n")


def _record(entry: Entry, proof: Proof) -> dict[str, Any]:
    event, context, payload = entry.event, entry.part("aow_context"), entry.part("payload") or entry.part("detail")
    version, trust = payload.get("agent_version"), payload.get("trust_level")
    stated = {
        "agent_id": context.get("agent_urn"),
        "agent_version": version if isinstance(version, str) and _SEMVER.fullmatch(version) else None,
        "outcome": outcome_of(context.get("outcome") or payload.get("outcome") or payload.get("decision")),
        "trust_level": trust if trust in ("L0", "L1", "L2", "L3", "L4") else None,
        "record_phase": "pre_execution" if words(entry.event_type) & set(_GATE.split()) else None,
    }
    assumed = {
        "agent_id": f"urn:indelible:{proof.org_id}:{quote(str(event.get('actor') or 'unknown'), safe='')}",
        "agent_version": "0.0.0",
        "outcome": "success",
        "trust_level": "L0",
        "record_phase": "post_execution",
    }
    missing = sorted(name for name, value in stated.items() if value is None)
    return {
        "record_id": entry.sealed.audit_id,
        "timestamp": entry.members["timestamp"],
        "session_id": _session(proof.org_id, event.get("trace_id")),
        "action_type": _action(entry),
        **{name: assumed[name] if value is None else value for name, value in stated.items()},
        "action_detail": {
            **{name: value for name, value in event.items() if name != "aow_context"},
            **({"aow_context": context} if context else {}),
            "assumed": missing,
            "indelible": {
                "sequence": entry.sealed.sequence,
                "tx_hash": entry.sealed.tx_hash,
                "proved_by": proof.as_dict(),
            },
        },
    }


def _action(entry: Entry) -> str:
    if entry.event.get("level") == "decision":
        return "decision"
    return first(_ACTIONS, words(entry.event_type)) or "lifecycle"


def _session(org_id: str, trace_id: object) -> str:
    """The trace id if it is a UUID, else a UUID derived from it. Records without a trace form one session."""
    try:
        return str(uuid.UUID(str(trace_id)))
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, f"{org_id}/{trace_id or ''}"))
