# SPDX-License-Identifier: Apache-2.0
"""The saved queries, run by DuckDB over real records in the bucket's own layout.

The table is made from the template. The adaptation to DuckDB, all of it: the columns' types are spelled its way,
partition projection becomes a glob for each organisation, and the partition columns are read from the file's name. The
queries run as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from indelible.domain import record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import EMPTY_CHAIN, Record
from tests.fakes.chains import GOVERNOR, RETENTION
from tests.fakes.machine import MIDNIGHT
from tests.infra.synth import Synthesized

QUERIES = Path(__file__).resolve().parents[2] / "infra" / "queries"


def table(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Glue::Table"]
    described: dict[str, Any] = found["TableInput"]
    return described


EVENTS: list[dict[str, Any]] = [
    {
        "event_type": "AGENT_DECISION",
        "level": "decision",
        "actor": "loan-officer",
        "action": "approve",
        "target": "application-1",
        "reason": "Income covers it.",
        "trace_id": "t1",
        "payload": {"model": "m7", "nested": {"a": [1, 2]}},
        "aow_context": {"outcome": "SUCCESS", "agent_urn": "urn:axis:agent:loan"},
        "regulatory": {"confidence": 0.93, "human_override": {"overridden": False}},
    },
    {
        "event_type": "AGENT_DECISION",
        "level": "decision",
        "actor": "loan-officer",
        "reason": "A person knew better.",
        "trace_id": "t1",
        "payload": {},
        "regulatory": {"human_override": {"overridden": True, "operator": "ann", "reason": "new evidence"}},
    },
    {"event_type": "TOOL_CALL", "trace_id": "t2", "payload": {"x": 1}, "aow_context": {"outcome": "failure"}},
    {"event_type": "GATE", "actor": "gate", "level": "decision", "reason": "rule 7", "payload": {},
     "aow_context": {"outcome": "BLOCKED", "policy_urn": "urn:axis:policy:7"}},
]  # fmt: skip


def written(org_id: str = "acme-corp") -> list[Record]:
    """Four records over two days."""
    chain: list[Record] = []
    for number, event in enumerate(EVENTS):
        chain.append(
            record.build(
                canonical_bytes(event),
                org_id=org_id,
                head=chain[-1].head if chain else EMPTY_CHAIN,
                now_ms=MIDNIGHT + (number // 2) * 86_400_000 + number,
                retention=RETENTION,
                governor=GOVERNOR,
                random=number,
            )
        )
    return chain


@pytest.fixture
def athena(tmp_path: Path, audited: Synthesized) -> duckdb.DuckDBPyConnection:
    """The bucket's layout on disk, and the table over it as the template describes it."""
    for org_id in ("acme-corp", "globex", "initech"):
        for entry in written(org_id):
            path = tmp_path / entry.s3_key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.data)
        for name in ("checkpoint", "checkpoints/000000000004", "tile/entries/000.p/4", "ledger/000000000004.json"):
            path = tmp_path / org_id / "_log" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no record")
    described = table(audited.template("auditor"))
    parameters = audited.render(described["Parameters"])
    place = parameters["storage.location.template"].partition("s3://<EvidenceBucket>/")[2]
    days = place.replace("${day}", "????/??/??")
    globs = [f"{tmp_path}/{days.replace('${org}', org)}*" for org in parameters["projection.org.values"].split(",")]
    columns = {column["Name"]: duck(column["Type"]) for column in described["StorageDescriptor"]["Columns"]}
    connection = duckdb.connect()
    connection.execute(
        f"""CREATE VIEW records AS SELECT * EXCLUDE (filename),
        regexp_extract(filename, '([^/]+)/(\\d{{4}}/\\d\\d/\\d\\d)/[^/]+$', 1) AS org,
        regexp_extract(filename, '([^/]+)/(\\d{{4}}/\\d\\d/\\d\\d)/[^/]+$', 2) AS day
        FROM read_json({globs}, format = 'newline_delimited', columns = {columns}, filename = true)"""
    )
    return connection


def duck(hive: str) -> str:
    """A Hive type as DuckDB spells it."""
    scalars = {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}
    if hive in scalars:
        return scalars[hive]
    if found := re.fullmatch(r"array<(.+)>", hive):
        return f"{duck(found[1])}[]"
    found = re.fullmatch(r"struct<(.+)>", hive)
    assert found, hive
    members, depth, start = [], 0, 0
    for at, character in enumerate(f"{found[1]},"):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            members.append(found[1][start:at])
            start = at + 1
    return f"STRUCT({', '.join(f'{name} {duck(kind)}' for name, _, kind in (m.partition(':') for m in members))})"


DAYS = ("2026/03/20", "2026/03/21")


def run(athena: duckdb.DuckDBPyConnection, query: str, *parameters: str) -> list[dict[str, Any]]:
    done = athena.execute((QUERIES / f"{query}.sql").read_text(), parameters)
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def test_the_columns_are_the_members_of_a_record(audited: Synthesized) -> None:
    columns = [column["Name"] for column in table(audited.template("auditor"))["StorageDescriptor"]["Columns"]]
    assert columns == sorted(json.loads(written()[0].data))


def test_decisions_without_human_override(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, "decisions_without_human_override", "acme-corp", *DAYS)
    assert [(row["sequence"], row["actor"], row["reason"]) for row in found] == [
        (1, "loan-officer", "Income covers it."),
        (4, "gate", "rule 7"),
    ]
    assert found[0]["confidence"] == 0.93
    assert found[0]["audit_id"] == written()[0].audit_id
    first_day_only = run(athena, "decisions_without_human_override", "acme-corp", DAYS[0], DAYS[0])
    assert [row["sequence"] for row in first_day_only] == [1]


def test_one_trace(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, "one_trace", "globex", *DAYS, "t1")
    assert [row["sequence"] for row in found] == [1, 2]
    assert json.loads(found[0]["payload"]) == EVENTS[0]["payload"]


def test_agent_daily_counts(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, "agent_daily_counts", "acme-corp", *DAYS)
    assert [tuple(row.values()) for row in found] == [
        ("2026/03/20", "loan-officer", 2, 2, 1),
        ("2026/03/21", "gate", 1, 1, 0),
        ("2026/03/21", "nobody named", 1, 0, 0),
    ]


def test_failures(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, "failures", "acme-corp", *DAYS)
    assert [(row["sequence"], row["outcome"], row["policy_urn"]) for row in found] == [
        (3, "failure", None),
        (4, "BLOCKED", "urn:axis:policy:7"),
    ]


def test_files_of_the_log_and_other_organisations_are_no_rows(athena: duckdb.DuckDBPyConnection) -> None:
    assert athena.execute("SELECT org, count(*) FROM records GROUP BY org ORDER BY org").fetchall() == [
        ("acme-corp", 4),
        ("globex", 4),
    ]
