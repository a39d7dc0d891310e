# SPDX-License-Identifier: Apache-2.0
"""What Athena does for the saved queries, done by DuckDB over a copy of the bucket.

The adaptation, all of it: the columns' types are spelled DuckDB's way, partition projection becomes a glob for each
organisation, and the partition columns are read from the file's name. The queries run as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

QUERIES = Path(__file__).resolve().parents[2] / "infra" / "queries"
_PLACE = re.compile(r"s3://[^/]+/(\$\{org\}/\$\{day\}/)")


#: Something for each of the queries.
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


def records_table(
    bucket: Path, parameters: dict[str, str], columns: Sequence[dict[str, str]]
) -> duckdb.DuckDBPyConnection:
    """The table `records` over the files below `bucket`; `parameters` and `columns` are those of the Glue table."""
    place = _PLACE.fullmatch(parameters["storage.location.template"])
    assert place, parameters["storage.location.template"]
    days = place[1].replace("${day}", "????/??/??")
    globs = [f"{bucket}/{days.replace('${org}', org)}*" for org in parameters["projection.org.values"].split(",")]
    types = {column["Name"]: duck(column["Type"]) for column in columns}
    connection = duckdb.connect()
    connection.execute(
        f"""CREATE VIEW records AS SELECT * EXCLUDE (filename),
        regexp_extract(filename, '([^/]+)/(\\d{{4}}/\\d\\d/\\d\\d)/[^/]+$', 1) AS org,
        regexp_extract(filename, '([^/]+)/(\\d{{4}}/\\d\\d/\\d\\d)/[^/]+$', 2) AS day
        FROM read_json({globs}, format = 'newline_delimited', columns = {types}, filename = true)"""
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


def run(athena: duckdb.DuckDBPyConnection, query: str, *parameters: str) -> list[dict[str, Any]]:
    """The rows that a query's SQL gives."""
    done = athena.execute(query, parameters)
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]
