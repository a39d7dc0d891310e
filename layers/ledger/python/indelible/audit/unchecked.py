# SPDX-License-Identifier: Apache-2.0
"""The limits of a verdict: what was not checked, each as a clause for people.

Invariant: `valid` says nothing about what is listed here. Nothing that could not be checked is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indelible.audit.anchors import ExternalAnchor
from indelible.audit.fast_walk import FastWalk
from indelible.audit.keys import Pinned
from indelible.audit.resume import State
from indelible.audit.source import Source
from indelible.domain.findings import ExpectedHash
from indelible.services.ranges import Range

_MOST_NAMED = 5


def limits(walk: FastWalk, signing: Sequence[str], anchors: Sequence[ExternalAnchor]) -> Iterator[str]:
    """Everything that this walk and these anchors leave open. `signing`: the clauses about keys and signed roots."""
    yield from _earlier_run(walk.resume_from)
    yield from walk.source.unchecked
    yield from signing
    yield from _receipts_outside(walk.receipts_left_out)
    yield from _unsigned_and_unanchored(walk, anchors)
    if not walk.strict:
        yield "what is inside the events (--strict parses every record wholly)"


def signed_roots(source: Source, key: Pinned | None, *, whole: bool) -> list[str]:
    """Why signed roots cannot be checked; empty where they can. `whole`: everything in the source was asked for."""
    if next(source.sizes(source.org_id, at_least=1), None) is None:
        return ["signed roots: the source has no checkpoint of this organisation"]
    if key is None:
        return ["signatures and signed roots: no key was given, and the source names none; see --key"]
    if source.ends_at is not None and not whole:
        return ["signed roots: a bundle has what it takes for its own range only, not for a part of it"]
    return []


def absent(source: Source, within: Range) -> list[str]:
    """Records that were asked for and are before or after those that the source has."""
    found: list[str] = []
    if within.start_seq is not None and within.start_seq < source.starts_at:
        found.append(f"{_records(within.start_seq, source.starts_at - 1)}: not in this bundle")
    if within.end_seq is not None and source.ends_at is not None and within.end_seq > source.ends_at:
        found.append(f"{_records(source.ends_at + 1, within.end_seq)}: not in this bundle")
    return found


def _earlier_run(earlier: State | None) -> Iterator[str]:
    if earlier is not None:
        which = _records(earlier.first, earlier.last.sequence)
        them = "it" if earlier.first == earlier.last.sequence else "them"
        yield f"{which}: an earlier run read {them}, not this one; a change since then is not noticed"


def _receipts_outside(left_out: Sequence[ExpectedHash]) -> Iterator[str]:
    sequences = sorted({one.sequence for one in left_out})
    if sequences:
        named = ", ".join(f"{sequence:,}" for sequence in sequences[:_MOST_NAMED])
        more = " and more" if len(sequences) > _MOST_NAMED else ""
        yield f"receipts for records outside of the range: {named}{more}"


def _unsigned_and_unanchored(walk: FastWalk, anchors: Sequence[ExternalAnchor]) -> Iterator[str]:
    """What an attacker who can write to the source could have made up, or cut off."""
    end = walk.checker.next_sequence - 1
    signed = max(walk.roots.last.size if walk.roots.last else 0, walk.first - 1)
    if signed < end:
        yield (
            f"{_records(signed + 1, end)}: no signed root covers {'it' if signed + 1 == end else 'them'}, and a chain "
            "alone can be written by anybody who can write to the source"
        )
    received = max((one.sequence for one in walk.receipts_held), default=0)
    if max(signed, received) < end and walk.within.end_seq is None:
        yield (
            f"whether the chain went on after record {end:,}: no signed checkpoint or receipt reaches that far, and a "
            "chain does not notice that its end was cut off"
        )
    vouched = max((found.covers for found in anchors if found.checked and found.kind != "ledger log"), default=0)
    if vouched < end:
        first = max(vouched + 1, walk.first)
        were, them = ("was", "it") if first == end else ("were", "them")
        which = _records(first, end)
        yield f"when {which} {were} made, beyond the ledger's own word: no external anchor covers {them} here"


def _records(first: int, last: int) -> str:
    return f"record {first:,}" if first == last else f"records {first:,} to {last:,}"
