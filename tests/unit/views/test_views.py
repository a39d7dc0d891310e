# SPDX-License-Identifier: Apache-2.0
"""Views contain what the records say and what proves it, and nothing in them can be executed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from indelible.cli.export import VIEWS
from indelible.domain import record
from indelible.domain.bundle import Exported, Manifest
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.views import csv_table
from indelible.views.formats import require
from indelible.views.rows import COLUMNS
from indelible.views.source import NotInstalled, Proof, entries
from tests.fakes.chains import GOVERNOR, ORG, RETENTION
from tests.fakes.machine import MIDNIGHT
from tests.fakes.unpacked import MadeBundle

TRACE = "0b9f6f0e-5d0c-4a57-9b5e-0a3f3a0d9c11"
EVENTS: list[dict[str, Any]] = [
    {
        "event_type": "AGENT_DECISION",
        "level": "decision",
        "actor": "loan-officer-agent",
        "action": "approve",
        "target": '=HYPERLINK("https://evil.example")',
        "reason": "Income covers the instalments.",
        "trace_id": TRACE,
        "payload": {"größe": 1.5, "agent_version": "2.1.0", "trust_level": "L2"},
        "aow_context": {"agent_urn": "urn:axis:agent:classifier", "outcome": "SUCCESS"},
        "regulatory": {"regulations": ["GDPR"], "confidence": 0.93, "human_override": {"overridden": False}},
    },
    {"event_type": "TOOL_RESULT", "trace_id": TRACE, "payload": {"text": "line\nline"}},
    {"event_type": "POLICY_GATE", "payload": {"decision": "BLOCK"}, "actor": "@gate"},
    {"event_type": "TOOL_CALL", "trace_id": "run-7", "payload": {}},
]
MANDATORY = {
    "record_id", "timestamp", "agent_id", "agent_version", "session_id", "action_type", "action_detail", "outcome",
    "trust_level", "parent_record_id", "prev_hash", "record_phase",
}  # fmt: skip


def sealed(events: list[dict[str, Any]]) -> Iterator[tuple[bytes, bytes]]:
    head: Head = EMPTY_CHAIN
    for number, event in enumerate(events):
        built = record.build(
            canonical_bytes(event),
            org_id=ORG,
            head=head,
            now_ms=MIDNIGHT + number,
            retention=RETENTION,
            governor=GOVERNOR,
            random=number,
        )
        head = built.head
        yield built.data, json.dumps({"s3_key": built.s3_key, "s3_version_id": f"v{number}"}).encode()


LINES = list(sealed(EVENTS))
MADE = MadeBundle(
    Manifest(
        ledger_name="indelible",
        org_id=ORG,
        first_sequence=1,
        last_sequence=len(LINES),
        records=len(LINES),
        head=None,
        checkpoint=None,
        exported=Exported(valid=True, first_broken_at=None, failures_total=0, failures=[]),
        files={},
    )
)
PROOF = Proof("ab" * 32, "indelible", ORG, 1, len(LINES), len(LINES), record.tx_hash(LINES[-1][0]), True, 0, None)


def viewed(name: str, lines: list[tuple[bytes, bytes]] = LINES) -> bytes:
    out = io.BytesIO()
    VIEWS[name](entries(lines), PROOF, MADE, out)
    return out.getvalue()


def documents(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in viewed(name).splitlines()]


def table() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(viewed("csv").decode(), newline="")))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_always_the_same_and_says_what_proves_it(name: str) -> None:
    assert viewed(name) == viewed(name)
    assert PROOF.bundle_sha256.encode() in viewed(name)


@pytest.mark.parametrize("name", VIEWS)
def test_what_is_no_record_is_left_out(name: str) -> None:
    junk = (b"", b'{"s3_key":"x","s3_version_id":"v","tx_hash":"y","data":""}')
    assert viewed(name, [LINES[0], junk, *LINES[1:]]) == viewed(name)


def test_jsonl_has_the_bytes_that_were_hashed() -> None:
    first, *rest = viewed("jsonl").split(b"\n")[:-1]
    assert json.loads(first)["proved_by"]["bundle_sha256"] == PROOF.bundle_sha256
    for line, (raw, _) in zip(rest, LINES, strict=True):
        assert raw in line
        assert json.loads(line)["tx_hash"] == hashlib.sha256(raw).hexdigest()
        assert hashlib.sha256(rfc8785.dumps(json.loads(line)["record"])).hexdigest() == json.loads(line)["tx_hash"]


def test_csv_has_a_row_for_each_record() -> None:
    rows = table()
    assert list(rows[0])[: len(COLUMNS)] == list(COLUMNS)
    assert [row["sequence"] for row in rows] == ["1", "2", "3", "4"]
    assert (rows[0]["confidence"], rows[0]["human_overridden"], rows[0]["regulations"]) == ("0.93", "false", '["GDPR"]')
    assert json.loads(rows[1]["payload"]) == {"text": "line\nline"}
    assert rows[3]["bundle_head"] == PROOF.head


def test_csv_runs_nothing() -> None:
    rows = table()
    assert rows[0]["target"] == '\'=HYPERLINK("https://evil.example")'
    assert rows[2]["actor"] == "'@gate"


@given(st.text())
def test_no_cell_begins_a_formula_and_none_is_lost(text: str) -> None:
    cell = csv_table.cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert cell.removeprefix("'") == text


def test_parquet_is_typed_and_says_what_proves_it() -> None:
    import pyarrow.parquet as pq

    found = pq.read_table(io.BytesIO(viewed("parquet")))
    assert found.column_names == list(COLUMNS)
    assert found["sequence"].to_pylist() == [1, 2, 3, 4]
    assert found["confidence"].to_pylist() == [0.93, None, None, None]
    assert found["human_overridden"].to_pylist() == [False, None, None, None]
    assert found["target"].to_pylist()[0] == EVENTS[0]["target"], "no spreadsheet, no apostrophe"
    assert json.loads(found.schema.metadata[b"indelible"])["bundle_sha256"] == PROOF.bundle_sha256


def test_a_database_reads_both_tables_alike(tmp_path: Path) -> None:
    """DuckDB with its defaults: types from the Parquet file, and a CSV file with line breaks in its cells."""
    for name in ("csv", "parquet"):
        (tmp_path / f"view.{name}").write_bytes(viewed(name))
    with duckdb.connect() as database:
        typed = database.sql(f"SELECT * FROM read_parquet('{tmp_path}/view.parquet') ORDER BY sequence")
        plain = database.sql(f"SELECT * FROM read_csv('{tmp_path}/view.csv', all_varchar = true) ORDER BY sequence")
        kinds = dict(zip(typed.columns, map(str, typed.types), strict=True))
        names = plain.columns
        values, texts = typed.fetchall(), plain.fetchall()

    assert (kinds["sequence"], kinds["confidence"], kinds["human_overridden"]) == ("BIGINT", "DOUBLE", "BOOLEAN")
    assert names[: len(COLUMNS)] == list(kinds) == list(COLUMNS)
    cells = [tuple(text or "" for text in row[: len(COLUMNS)]) for row in texts]  # it takes an empty cell for no value
    assert cells == [tuple(csv_table.cell(value) for value in row) for row in values]


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("pdf", "reportlab")])
def test_what_a_view_needs_is_asked_for_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch, form: str, library: str
) -> None:
    require(form)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NotInstalled, match=rf"{form} needs {library}: pip install '\.\[{form}\]'"):
        require(form)
    require("csv")


def test_aat_has_its_twelve_fields_and_their_values() -> None:
    for made in documents("aat"):
        assert set(made) == MANDATORY
        assert made["action_type"] in {
            "tool_call", "tool_response", "decision", "delegation", "escalation", "error", "lifecycle"
        }  # fmt: skip
        assert made["outcome"] in {"success", "failure", "timeout", "denied", "escalated"}
        assert made["trust_level"] in {"L0", "L1", "L2", "L3", "L4"}
        assert made["record_phase"] in {"pre_execution", "post_execution", "concurrent"}


def test_aat_maps_what_is_said_and_lists_what_is_assumed() -> None:
    decision, result, gate, call = documents("aat")
    assert (decision["action_type"], decision["agent_id"]) == ("decision", "urn:axis:agent:classifier")
    assert (decision["agent_version"], decision["trust_level"], decision["outcome"]) == ("2.1.0", "L2", "success")
    assert decision["action_detail"]["assumed"] == ["record_phase"]
    assert (result["action_type"], call["action_type"]) == ("tool_response", "tool_call")
    assert (gate["outcome"], gate["record_phase"], gate["agent_id"]) == (
        "denied",
        "pre_execution",
        "urn:indelible:acme-corp:%40gate",
    )
    assert "outcome" in call["action_detail"]["assumed"]


def test_aat_is_chained_within_each_session() -> None:
    sessions: dict[str, list[dict[str, Any]]] = {}
    for made in documents("aat"):
        sessions.setdefault(made["session_id"], []).append(made)
    assert [len(session) for session in sessions.values()] == [2, 1, 1]
    assert TRACE in sessions
    for first, *rest in sessions.values():
        assert (first["parent_record_id"], first["prev_hash"]) == (None, None)
        before = first
        for made in rest:
            assert made["parent_record_id"] == before["record_id"]
            assert made["prev_hash"] == hashlib.sha256(rfc8785.dumps(before)).hexdigest()
            before = made


def test_ocsf_has_what_base_event_demands() -> None:
    for made in documents("ocsf"):
        required = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
        assert required <= set(made)
        assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]
        assert made["metadata"]["version"] == "1.9.0"
        assert {"product", "version"} <= set(made["metadata"])
        assert "record_integrity" in made["metadata"]["profiles"]
        assert hashlib.sha256(made["raw_data"].encode()).hexdigest() == made["raw_data_hash"]["value"]
    assert [made["status_id"] for made in documents("ocsf")] == [1, 0, 0, 0]


OCSF = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0"))
"""The newest version that this package has: the one before the view's, which added the attestation."""


def test_ocsf_is_valid_but_for_what_1_9_added() -> None:
    event = Draft202012Validator(OCSF.get_class_schema(class_name="base_event"))
    fingerprint = Draft202012Validator(OCSF.get_object_schema(object_name="fingerprint"))
    for made in documents("ocsf"):
        attestation = made.pop("attestation")
        event.validate(made)
        fingerprint.validate(attestation["fingerprint"])
        for wrong in ({"status_id": 7}, {"metadata": {}}, {"time": "now"}, {"attestation": attestation}):
            assert not event.is_valid(made | wrong), wrong


def test_ocsf_s_attestation_is_over_all_but_itself() -> None:
    before = None
    for made in documents("ocsf"):
        fingerprint = made["attestation"].pop("fingerprint")
        assert fingerprint["algorithm_id"] == 3
        assert fingerprint["value"] == hashlib.sha256(rfc8785.dumps(made)).hexdigest()
        assert made["attestation"].get("prev_event", {}).get("fingerprint") == before
        before = fingerprint
