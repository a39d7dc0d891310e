# SPDX-License-Identifier: Apache-2.0
"""The saved queries, run by DuckDB over real records in the bucket's own layout, with the table of the template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from indelible.domain import record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import EMPTY_CHAIN, Record
from tests.fakes.chains import GOVERNOR, RETENTION
from tests.fakes.machine import MIDNIGHT
from tests.infra.duckdb_athena import EVENTS, QUERIES, records_table, run
from tests.infra.synth import Synthesized


def table(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Glue::Table"]
    described: dict[str, Any] = found["TableInput"]
    return described


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
    return records_table(tmp_path, parameters, described["StorageDescriptor"]["Columns"])


def saved(query: str) -> str:
    return (QUERIES / f"{query}.sql").read_text()


DAYS = ("2026/03/20", "2026/03/21")


def test_the_columns_are_the_members_of_a_record(audited: Synthesized) -> None:
    columns = [column["Name"] for column in table(audited.template("auditor"))["StorageDescriptor"]["Columns"]]
    assert columns == sorted(json.loads(written()[0].data))


def test_decisions_without_human_override(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, saved("decisions_without_human_override"), "acme-corp", *DAYS)
    assert [(row["sequence"], row["actor"], row["reason"]) for row in found] == [
        (1, "loan-officer", "Income covers it."),
        (4, "gate", "rule 7"),
    ]
    assert found[0]["confidence"] == 0.93
    assert found[0]["audit_id"] == written()[0].audit_id
    first_day_only = run(athena, saved("decisions_without_human_override"), "acme-corp", DAYS[0], DAYS[0])
    assert [row["sequence"] for row in first_day_only] == [1]


def test_one_trace(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, saved("one_trace"), "globex", *DAYS, "t1")
    assert [row["sequence"] for row in found] == [1, 2]
    assert json.loads(found[0]["payload"]) == EVENTS[0]["payload"]


def test_agent_daily_counts(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, saved("agent_daily_counts"), "acme-corp", *DAYS)
    assert [tuple(row.values()) for row in found] == [
        ("2026/03/20", "loan-officer", 2, 2, 1),
        ("2026/03/21", "gate", 1, 1, 0),
        ("2026/03/21", "nobody named", 1, 0, 0),
    ]


def test_failures(athena: duckdb.DuckDBPyConnection) -> None:
    found = run(athena, saved("failures"), "acme-corp", *DAYS)
    assert [(row["sequence"], row["outcome"], row["policy_urn"]) for row in found] == [
        (3, "failure", None),
        (4, "BLOCKED", "urn:axis:policy:7"),
    ]


def test_files_of_the_log_and_other_organisations_are_no_rows(athena: duckdb.DuckDBPyConnection) -> None:
    assert athena.execute("SELECT org, count(*) FROM records GROUP BY org ORDER BY org").fetchall() == [
        ("acme-corp", 4),
        ("globex", 4),
    ]
