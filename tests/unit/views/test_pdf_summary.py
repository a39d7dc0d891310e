# SPDX-License-Identifier: Apache-2.0
"""The PDF states its range, its proof and its limits, and the same bundle gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from indelible.domain.anchors import AnchorFile
from indelible.domain.canonical import canonical_bytes
from indelible.domain.note import VerifierKey
from indelible.services.export import Bundle
from indelible.services.ranges import Range
from indelible.views import formats
from indelible.views.pdf_parts import legible
from tests.documents import ROOT
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.world import World
from tests.unit.services.test_export import exporter
from tests.unit.services.test_ledger_proof import ALICE, note_of, put

EVENTS: list[dict[str, Any]] = [
    {"event_type": "TOOL_CALL", "actor": "Zürich Ελλάδα Журнал"},
    {"event_type": "POLICY_EVALUATED", "actor": "policy-engine", "payload": {"gate": "REQUIRE_HUMAN"}},
    {
        "event_type": "HUMAN_DECISION",
        "actor": "officer-17",
        "regulatory": {"human_override": {"overridden": True, "operator": "officer-17", "reason": "Too much."}},
    },
    {"event_type": "TOOL_RESULT", "actor": "<b>bureau</b> & Co", "aow_context": {"outcome": "FAILURE"}},
]


def recorded() -> World:
    world = World()
    submission = replace(world.submission(1), events=tuple(map(canonical_bytes, EVENTS)))
    world.appender().append(submission)
    return world


def sealed_and_seen() -> World:
    """Four records under a checkpoint that Alice has seen in the ledger's log, and one more."""
    world = recorded()
    world.anchored()
    world.logged()
    put(world, 1, AnchorFile("cosignature", "alice"), ALICE.line(note_of(world, 1)).line.encode())
    world.record(5)
    return world


def packed(world: World) -> Bundle:
    """A bundle of the whole chain, with external anchors."""
    return exporter(world, anchored=lambda _: iter([(1, AnchorFile("cosignature", "alice"))])).bundle(ORG, Range())


def sha256_of(made: Bundle) -> str:
    return hashlib.sha256(b"".join(made.pieces())).hexdigest()


def pdf(world: World) -> bytes:
    made, out = packed(world), io.BytesIO()
    formats.write(formats.VIEWS["pdf"], made, out, bundle_sha256=sha256_of(made))
    return out.getvalue()


def text(data: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split())


def test_it_says_what_a_regulator_asks() -> None:
    world = sealed_and_seen()
    first, *_, last = world.sealed()
    said = text(pdf(world))
    key = world.signer.public_key()
    for expected in (
        "acme-corp, records 1 to 5",
        "Valid",
        "Ledger indelible",
        f"1, TOOL_CALL, 2026-03-20 14:22:01.481Z, SHA-256 {first.tx_hash}",
        f"5, AGENT_DECISION, 2026-03-20 14:22:01.481Z, SHA-256 {last.tx_hash}",
        "Checkpoint of 4 records",
        f"indelible/acme-corp, key id {VerifierKey(f'{LEDGER_NAME}/{ORG}', key).key_id.hex()}, by the ledger's key",
        str(VerifierKey(LEDGER_NAME, key)),
        "Not covered records from 5 on",
        "witness cosignature alice 1",
        "TOOL_CALL 1 20.0%",
        "Zürich Ελλάδα Журнал 1 20.0%",
        "FAILURE 1 20.0%",
        "ALLOW 0 0 BLOCK 0 0 REQUIRE_HUMAN 1 0",
        "Human overrides: 1",
        "officer-17 officer-17 Too much.",
        "Reported failures: 1",
        "<b>bureau</b> & Co FAILURE",
        f"sha256sum {ORG}-1-5.zip",
        f"indelible verify {ORG}-1-5.zip --key ledger.vkey",
        "What this summary cannot show",
        "This page proves nothing.",
        "page 1 of 2",
        "page 2 of 2",
    ):
        assert expected in said, (expected, said)


def test_it_names_the_bundle_that_proves_it_on_every_page_and_in_its_properties() -> None:
    world = sealed_and_seen()
    reader = PdfReader(io.BytesIO(pdf(world)))
    sha256 = sha256_of(packed(world))
    assert all(sha256 in page.extract_text() for page in reader.pages)
    assert reader.metadata is not None
    assert reader.metadata.subject == f"Proved by the evidence bundle with the SHA-256 {sha256}"
    assert reader.metadata["/CreationDate"] == reader.metadata["/ModDate"] == "D:20260320142201Z"


def test_a_broken_range_is_called_so_with_every_failure() -> None:
    world = sealed_and_seen()
    place = world.administrator.key_of(ORG, 2)
    world.administrator.rewrite(place, world.sealed()[1].data.replace(b"policy-engine", b"policy-engima"))
    said = text(pdf(world))
    assert "Not valid" in said
    assert "The first is at record" in said
    assert "3 BROKEN_LINK" in said
    assert "CHECKPOINT_MISMATCH" in said
    assert "the range was whole" not in said


def test_what_nobody_has_signed_or_seen_is_said_to_be_so() -> None:
    said = text(pdf(recorded()))
    assert "None covers these records yet" in said
    assert "None is in the bundle: times are the word of the ledger alone." in said


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("łąka Ελλάδα Журнал – 1 €", "łąka Ελλάδα Журнал – 1 €"),
        ("a\u202eb", "a‹U+202E›b"),
        ("שלום a", "‹U+05E9 U+05DC U+05D5 U+05DD› a"),
        ("中", "‹U+4E2D›"),
        ("a\nb\x00", "a‹U+000A›b‹U+0000›"),
        ("🂡", "‹U+1F0A1›"),
    ],
)
def test_what_cannot_be_shown_as_it_is_is_spelled_out(written: str, shown: str) -> None:
    assert legible(written) == shown


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another process, too, with another hash seed, time zone, locale, day and place."""
    world = sealed_and_seen()
    ours = pdf(world)
    assert ours == pdf(world)
    make = "import sys; from tests.unit.views import test_pdf_summary as t; "
    make += "sys.stdout.buffer.write(t.pdf(t.sealed_and_seen()))"
    paths = os.pathsep.join([str(ROOT / "layers/ledger/python"), str(ROOT)])
    other = {"PYTHONPATH": paths, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "5"}
    done = subprocess.run(
        [sys.executable, "-c", make], env={**os.environ, **other}, cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == ours


def test_other_records_give_another_file() -> None:
    assert pdf(recorded()) != pdf(sealed_and_seen())
