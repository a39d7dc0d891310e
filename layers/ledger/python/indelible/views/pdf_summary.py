# SPDX-License-Identifier: Apache-2.0
"""PDF: a summary for people, which names the bundle that proves it.

Invariant: the same bundle gives the same bytes, independent of clock, locale and compressor: the document's dates are
that of its last record, and its streams are not compressed.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.platypus import CondPageBreak, KeepTogether, SimpleDocTemplate, Spacer  # type: ignore[import-untyped]

from indelible.domain.anchors import AnchorFile
from indelible.domain.bundle import Manifest
from indelible.views.attestations import SignedRoot, anchors, signed_root
from indelible.views.pdf_parts import (
    CODE,
    HEADING,
    MARGIN,
    MUTED,
    NOTE,
    PADDING,
    REGULAR,
    SUBTITLE,
    TITLE,
    badge,
    facts,
    legible,
    listing,
    point,
    tally,
    words,
)
from indelible.views.source import Entry, Proof
from indelible.views.summary import GATES, Mark, Marks, Summary

if TYPE_CHECKING:
    from indelible.views.formats import Packed

_MOST_ROWS = 20
_KINDS = {
    "cosignature": "witness cosignature",
    "token": "RFC 3161 timestamp",
    "pending": "OpenTimestamps, pending",
    "bitcoin": "OpenTimestamps, in Bitcoin block {height:,}",
}
_LIMITS = (
    "This page proves nothing. It was made from the bundle that is named above; verify that, and count again.",
    "The verdict is what the exporting program found. No signature, timestamp or cosignature counts for you until you "
    "have checked it with a key that you have from elsewhere.",
    "Whether an event is true, or whether something was never recorded. A record shows what was said, in which order, "
    "and that it was not changed since.",
    "Times are those of the ledger, unless an external anchor vouches for them.",
    "What came before and after the range. Records after the last signed root could still be cut off.",
    "Gates, outcomes, overrides and failures are counted where a record names them in the fields that the ledger knows "
    "(aow_context.outcome, payload.gate or payload.decision, regulatory.human_override).",
)


def write(found: Iterable[Entry], proof: Proof, made: Packed, out: BinaryIO) -> None:
    """Write the document: about two pages of A4, more for many different events."""
    summary = Summary.of(found)
    pages = _build(summary, proof, made, io.BytesIO(), pages=0)
    _build(summary, proof, made, out, pages=pages)


def _build(summary: Summary, proof: Proof, made: Packed, out: BinaryIO, *, pages: int) -> int:
    """Build the document and return its number of pages, which a second build prints on each page."""
    about = f"{proof.ledger_name}/{proof.org_id}, records {proof.first_sequence:,} to {proof.last_sequence:,}"
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN - PADDING,
        rightMargin=MARGIN - PADDING,
        topMargin=18 * mm,
        bottomMargin=22 * mm,
        title=f"Audit summary: {about}",
        author=proof.ledger_name,
        subject=f"Proved by the evidence bundle with the SHA-256 {proof.bundle_sha256}",
        creator="indelible",
        producer="indelible",
        lang="en",
        invariant=1,
        pageCompression=0,
    )
    when = _pdf_date(made.manifest)

    def footer(canvas: Any, _: Any) -> None:  # noqa: ANN401 -- reportlab has no types
        canvas.setDateFormatter(lambda *_: when)
        if canvas.getPageNumber() == 1:
            # reportlab makes the file's /ID from this; otherwise it would depend on SOURCE_DATE_EPOCH.
            canvas._doc.signature = hashlib.md5(proof.bundle_sha256.encode(), usedforsecurity=False)
        canvas.setFont(REGULAR, 7.5)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, 12 * mm, legible(about))
        canvas.drawString(MARGIN, 8.5 * mm, f"proved by the bundle with the SHA-256 {proof.bundle_sha256}")
        canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"page {canvas.getPageNumber()} of {pages}")

    document.build(list(_story(summary, proof, made)), onFirstPage=footer, onLaterPages=footer)
    return int(document.page)


def _story(summary: Summary, proof: Proof, made: Packed) -> Iterable[Any]:
    manifest = made.manifest
    root = signed_root(manifest, made.file)
    yield words("Audit summary", TITLE)
    yield words(f"{proof.org_id}, records {proof.first_sequence:,} to {proof.last_sequence:,}", SUBTITLE)
    yield _verdict(manifest)
    yield Spacer(0, 3 * mm)
    yield facts(_range(summary, proof))
    if manifest.exported.failures:
        yield from _failures(manifest)
    yield from _signatures(root, manifest)
    yield from _counts(summary)
    yield from _verification(proof)
    yield KeepTogether([words("What this summary cannot show", HEADING), *map(point, _LIMITS)])


def _heading(title: str) -> Iterable[Any]:
    yield CondPageBreak(32 * mm)  # never at the bottom of a page with nothing below it
    yield words(title, HEADING)


def _verdict(manifest: Manifest) -> Any:  # noqa: ANN401
    exported = manifest.exported
    if exported.valid:
        return badge(
            "Valid",
            ["When it was exported, the range was whole: every record once, unchanged, linked to the one before."],
            good=True,
        )
    where = "" if exported.first_broken_at is None else f" The first is at record {exported.first_broken_at:,}."
    return badge(
        "Not valid", [f"{exported.failures_total:,} failure(s) were found in the evidence.{where}"], good=False
    )


def _range(summary: Summary, proof: Proof) -> Iterable[tuple[str, str]]:
    yield "Organisation", proof.org_id
    yield "Ledger", proof.ledger_name
    yield "Records", f"{summary.records:,}, sequences {proof.first_sequence:,} to {proof.last_sequence:,}"
    if summary.first is not None and summary.last is not None:
        yield "Time", f"{_time(summary.first)} to {_time(summary.last)}, by the ledger's clock"
        yield "First record", _named(summary.first)
        yield "Last record", _named(summary.last)
    if summary.records != proof.records:
        yield "Left out", f"{proof.records - summary.records:,} object(s) that are no records; the bundle has them"


def _named(mark: Mark) -> str:
    return f"{mark.sequence:,}, {_short(mark.event_type)}, {_time(mark)}, SHA-256 {mark.tx_hash}"


def _time(mark: Mark) -> str:
    """With a space, so that a line can break between date and time."""
    return mark.timestamp.replace("T", " ")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _failures(manifest: Manifest) -> Iterable[Any]:
    exported = manifest.exported
    rows = [
        ("" if one.sequence is None else f"{one.sequence:,}", one.code.value, one.detail) for one in exported.failures
    ]
    yield from _heading("What is wrong")
    yield listing(("record", "failure", "what was found"), rows, (20, 48))
    if exported.failures_total > len(rows):
        yield words(f"… and {exported.failures_total - len(rows):,} more.", NOTE)


def _signatures(root: SignedRoot | None, manifest: Manifest) -> Iterable[Any]:
    rows: list[tuple[str, str]] = []
    if root is None:
        rows.append(("Signed root", "None covers these records yet. Export the range again in some minutes."))
    else:
        rows += [("Checkpoint", f"of {root.size:,} records"), ("Merkle root", root.root_hash)]
        for signer in root.signers:
            known = f", by the ledger's key {signer.verifier_key}" if signer.verifier_key else ""
            rows.append(("Signature line", f"{signer.name}, key id {signer.key_id}{known}"))
        if root.size < manifest.last_sequence:
            rows.append(("Not covered", f"records from {root.size + 1:,} on, which are signed later"))
    yield from _heading("What was signed")
    yield facts(rows)
    given = [(_kind(file), file.name, f"{size:,}") for size, file in anchors(manifest)]
    yield from _heading("External anchors")
    if given:
        yield listing(("kind", "given by", "about the ledger's checkpoint of size"), given, (76, 54))
        yield words("As the bundle has them; whether they are good is found when it is verified.", NOTE)
    else:
        yield words("None is in the bundle: times are the word of the ledger alone.")


def _kind(file: AnchorFile) -> str:
    return _KINDS[file.kind].format(height=file.height)


def _counts(summary: Summary) -> Iterable[Any]:
    yield from _heading("What happened")
    if not summary.records:
        yield words("The range has no record that can be read.")
        return
    for name, counted in (
        ("event type", summary.event_types),
        ("agent", summary.agents),
        ("outcome", summary.outcomes),
    ):
        if counted.total:
            yield tally(name, counted, most=_MOST_ROWS, of=summary.records)
            yield Spacer(0, 3 * mm)
    gates = [(gate, f"{summary.gates[gate]:,}", f"{summary.shadow_gates[gate]:,}") for gate in GATES]
    heads = ("policy gate", "records", "only tried out (shadow mode)")
    yield KeepTogether([listing(heads, gates, (60, 30))])
    yield from _marks("Human overrides", summary.overrides, ("record", "time", "agent", "by", "reason"))
    yield from _marks("Reported failures", summary.failures, ("record", "time", "agent", "outcome", "reason"))


def _marks(title: str, marks: Marks, heads: tuple[str, ...]) -> Iterable[Any]:
    yield from _heading(f"{title}: {marks.count:,}")
    if not marks.count:
        yield words("No record says so.")
        return
    rows = [
        (f"{one.sequence:,}", _time(one), _short(one.agent), _short(one.cause), _short(one.reason, 160))
        for one in marks.first
    ]
    yield listing(heads, rows, (18, 27, 40, 32))
    if marks.count > len(rows):
        yield words(f"… and {marks.count - len(rows):,} more.", NOTE)


def _verification(proof: Proof) -> Iterable[Any]:
    bundle = f"{proof.org_id}-{proof.first_sequence}-{proof.last_sequence}.zip"
    yield KeepTogether(
        [
            words("How to verify it", HEADING),
            words("This summary was made from one evidence bundle. Ask for that file; its SHA-256 is"),
            words(proof.bundle_sha256, CODE),
            words("and these commands check that it is the one, and that everything in it holds. ledger.vkey is the "
                  "ledger's public key, which you need to have from elsewhere. Neither the ledger nor a network is "
                  "needed, and README.txt in the bundle does the same without the program."),
            words(f"sha256sum {bundle}", CODE),
            words(f"indelible verify {bundle} --key ledger.vkey", CODE),
        ]
    )  # fmt: skip


def _pdf_date(manifest: Manifest) -> str:
    """The last record's timestamp, in the format of ISO 32000-2, 7.9.4."""
    timestamp = manifest.head.timestamp if manifest.head else "1980-01-01T00:00:00.000Z"
    return f"D:{re.sub('[^0-9]', '', timestamp)[:14]}Z"
