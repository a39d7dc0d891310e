# SPDX-License-Identifier: Apache-2.0
"""Find one record, or those of one trace, in a source."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from indelible.audit.source import NotEvidence, Source
from indelible.domain import record
from indelible.domain.contents import contents
from indelible.domain.record import Record
from indelible.ports import StoredVersion
from indelible.services.locate import Locator

_DIGITS = 12
"""The most digits of a sequence."""
_TOLD = 500
"""Records between two calls of `progress`."""
_TX_HASH = re.compile("[0-9a-fA-F]{64}", re.ASCII)
_LEVELS = ("pipeline", "agent", "decision")


@dataclass(frozen=True, slots=True)
class Found:
    """A record as it is stored, and its event."""

    stored: StoredVersion
    record: Record
    event: dict[str, Any]


def one(source: Source, named: str, progress: Callable[[int, int | None], None] = lambda _, __: None) -> Found:
    """The record of this sequence, audit_id or tx_hash. Raises NotEvidence.

    For a hash every record is read: no trustworthy index says where it is. `progress` as for `all_of_trace`.
    """
    if _TX_HASH.fullmatch(named):
        for read in _all(source, progress):
            if record.tx_hash(read.data) == named.lower():
                return _found(read)
        raise NotEvidence(f"{source.where} has no record {named}")
    if named.isascii() and named.isdigit() and len(named) <= _DIGITS and int(named):
        sequence = int(named)
        after = Locator(source, source.org_id).key_before(sequence, time.time_ns() // 1_000_000)
        key = None
    else:
        try:
            key = record.key_for(source.org_id, named.lower())
        except ValueError:
            raise NotEvidence(f"{named} is neither a sequence nor an audit_id or a tx_hash") from None
        sequence, after = int(key.rpartition("/")[2][:12]), key[:-1]
    listed = (entry for entry in source.versions(source.org_id, after=after) if _is(entry.s3_key, sequence, key))
    for _, stored in source.read_all(listed):
        if stored is not None:
            return _found(stored)
    raise NotEvidence(f"{source.where} has no record {named}")


def all_of_trace(
    source: Source, trace_id: str, progress: Callable[[int, int | None], None] = lambda _, __: None
) -> Iterator[Found]:
    """Every record whose event has this `trace_id`, in order.

    `progress` is called with the number of records read, and the number that there are at least, if it is known.
    """
    try:
        needle = b'"trace_id":' + json.dumps(trace_id, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # an argument that is no text
        return
    for stored in _all(source, progress):
        if needle in stored.data:
            found = _found(stored)
            if found.event.get("trace_id") == trace_id:
                yield found


def _all(source: Source, progress: Callable[[int, int | None], None]) -> Iterator[StoredVersion]:
    of = source.count() or max(source.sizes(source.org_id, at_least=1), default=None)
    listed = source.versions(source.org_id, after=f"{source.org_id}/")
    for done, (_, stored) in enumerate(source.read_all(listed)):
        if done % _TOLD == 0:
            progress(done, of)
        if stored is not None:
            yield stored


@dataclass(slots=True)
class Step:
    """A record of a trace, and the steps below it."""

    found: Found
    below: list[Step]


def history(records: Iterator[Found]) -> list[Step]:
    """The steps of a run: agents under the pipeline, decisions under their agent.

    A record belongs under the one that its `correlation_id` names; else under the last one before it of a higher level,
    its own actor's where there is one. What belongs nowhere stands by itself.
    """
    roots: list[Step] = []
    named: dict[str, Step] = {}
    by_level: dict[int, list[Step]] = {}
    for found in records:
        step, level = Step(found, []), _level(found.event)
        parent = named.get(str(found.event.get("correlation_id"))) or _above(by_level, level, found.event.get("actor"))
        (parent.below if parent else roots).append(step)
        named[found.record.audit_id] = step
        by_level.setdefault(level, []).append(step)
    return roots


def _above(by_level: dict[int, list[Step]], level: int, actor: object) -> Step | None:
    for higher in range(level - 1, -1, -1):
        steps = by_level.get(higher, [])
        own = next((step for step in reversed(steps) if higher and step.found.event.get("actor") == actor), None)
        if own is not None or steps:
            return own or steps[-1]
    return None


def _level(event: dict[str, Any]) -> int:
    level = event.get("level")
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)


def _is(key: str, sequence: int, wanted: str | None) -> bool:
    parsed = record.parse_key(key)
    return parsed is not None and parsed.sequence == sequence and wanted in (None, key)


def _found(stored: StoredVersion) -> Found:
    try:
        return Found(stored, record.read(stored.data), contents(stored.data)["event"])
    except record.UnknownFormat:
        raise NotEvidence(f"{stored.s3_key} is no record of a known format; run indelible verify") from None
