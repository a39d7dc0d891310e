# SPDX-License-Identifier: Apache-2.0
"""A range of a chain, and where it ends among the keys of the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from indelible.domain import record
from indelible.domain.record import RecordKey
from indelible.ports import KeyVersions


@dataclass(frozen=True, slots=True)
class Range:
    """Sequences or instants (Unix ms), both ends included; None is open."""

    start_seq: int | None = None
    end_seq: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def ends_before(self, found: RecordKey) -> bool:
        """Whether this record, and so every later one, is after the range."""
        if self.end_seq is not None and found.sequence > self.end_seq:
            return True
        return self.to_ms is not None and found.timestamp_ms > self.to_ms


@dataclass(slots=True)
class End:
    """The end of a range. `reached` is the highest sequence in it so far, `beyond` the first record after it, once met.

    A key ends the range only if it is that of a record and continues from the keys before it. Any other (a sequence
    that was there already, a time or a place that its audit_id does not have) could have been added by an attacker to
    cut the range short; it counts as a key of the range. `beyond_keys` are the versions under the key of `beyond`.
    """

    within: Range
    reached: int = 0
    beyond: RecordKey | None = None
    beyond_keys: KeyVersions | None = None

    def until(self, keys: Iterable[KeyVersions]) -> Iterator[KeyVersions]:
        """The keys up to the end of the range."""
        for entry in keys:
            found = record.parse_key(entry.s3_key)
            if found is not None and found.agrees:
                if self.within.ends_before(found) and found.sequence > self.reached:
                    self.beyond, self.beyond_keys = found, entry
                    return
                self.reached = max(self.reached, found.sequence)
            yield entry

    @property
    def last(self) -> int | None:
        """The last sequence of the range; None where it goes on to the end of the chain."""
        ends = [self.within.end_seq, self.beyond.sequence - 1 if self.beyond else None]
        return min((end for end in ends if end is not None), default=None)
