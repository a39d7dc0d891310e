# SPDX-License-Identifier: Apache-2.0
"""Find, for an organisation's checkpoints, the external anchors of the ledger's own log that vouch for them.

    checkpoints of the organisation     leaves of the ledger's log     anchors, by the ledger checkpoint they are about
    newest ──────────────────────────▶  index, first size L  ───────▶  those of size L or more, earliest first
      ▲ by steps that double, then by halves: the newest for which an anchor that the auditor trusts verifies

The newest anchors are often not complete: it takes hours until Bitcoin has a proof. So for each provider that the
auditor demands, the search finds the newest checkpoint that it vouches for; and of the anchors that vouch for that one,
it reports the earliest, because that says most about when the records were there.

Invariant: an anchor counts only for a ledger checkpoint that is proven to include the organisation's. The number of
reads is bounded however long the logs are: anchors are listed in windows of `_MOST_FILES`, each twice as far from the
leaf as the one before it, and in a window `_TRIES` anchors of each provider are read. The numbers of windows and of
checkpoints are logarithmic.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TypeAlias, TypeVar

from indelible.audit.anchors import KINDS, AnchorChecks, ExternalAnchor, Trust
from indelible.audit.ledger_inclusion import IncludedCheckpoint, LedgerInclusion
from indelible.audit.source import Source
from indelible.domain import merkle, tiles
from indelible.domain.anchors import DIRECTORY, AnchorFile, parse_anchor_path, safe_name
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.ledger import leaf_data
from indelible.domain.note import BadSignature, Note, NotSigned, VerifierKey
from indelible.errors import EvidenceBroken
from indelible.services.log import LEDGER, LogReader, checkpoint_path

_MOST_FILES = 1000
"""A page of an S3 listing: the anchors of hundreds of ledger checkpoints."""
_TRIES = 2
"""One anchor of each provider, and another in case the first is junk."""

_StoredAnchor: TypeAlias = tuple[int, AnchorFile]
"""A file, and the size of the ledger checkpoint that it is about."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Demand:
    """A kind of `ExternalAnchor` that the auditor demands; for kind `witness`, of this witness."""

    kind: str
    witness: VerifierKey | None = None

    def is_met(self, said: ExternalAnchor) -> bool:
        return said.checked and said.kind == self.kind and (self.witness is None or said.name == str(self.witness))

    def fits(self, file: AnchorFile) -> bool:
        """Whether the name of a file is that of the witness; the operator may have stored it under another."""
        return self.witness is None or file.name == safe_name(self.witness.name)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An organisation's checkpoint in the ledger's log, and windows of the anchors of what covers it, ascending."""

    included: IncludedCheckpoint
    windows: Sequence[Sequence[_StoredAnchor]]


class AnchorSearch:
    """For one verification. `report` is called with each failure once."""

    def __init__(
        self,
        source: Source,
        log: LogReader,
        inclusion: LedgerInclusion,
        trust: Trust,
        report: Callable[[Failure], None],
    ) -> None:
        self._source = source
        self._log = log
        self._inclusion = inclusion
        self._trust = trust
        self._report = report
        self._checks = AnchorChecks(source, trust)
        self._leaves: dict[int, _Leaf | None] = {}
        self._seen_from: int | None = None
        self._covering: dict[tuple[int, int], Note | None] = {}
        self._failed: set[tuple[FailureCode, str]] = set()

    def search(self, top: IncludedCheckpoint, *, first: int) -> list[ExternalAnchor]:
        """The anchors of checkpoints from size `first` up to `top`, after one for the ledger's own log.

        One for each provider: the best that verifies, otherwise what is stored about `top`.
        """
        newest = self._leaves[top.size] = _Leaf(top, [*self._windows(top.covering.size)])
        self._seen_from = top.covering.size
        known = array("Q", self._log.sizes(self._source.org_id, at_least=first))
        sizes = known[: bisect_right(known, top.size)] or [top.size]
        found: dict[str, list[ExternalAnchor]] = {}
        for demand in self._demands():
            best = _newest_that_holds(len(sizes), partial(self._best_at, demand, sizes))
            if best is not None:
                found.setdefault(best[0].track, []).append(best[1])
        held = {(said.kind, said.name) for several in found.values() for said in several}
        for track, anchors in _by_track(chain.from_iterable(newest.windows)).items():
            if track not in found:
                told = self._best_of_provider(newest, anchors)
                found[track] = [said for said in told if (said.kind, said.name) not in held]
        size, index, covering = top.size, top.proof.index, top.covering.size
        words = f"checkpoint {size:,} is leaf {index:,} of the ledger's own log of size {covering:,}"
        ledger = ExternalAnchor("ledger log", self._log.origin(LEDGER), covering, True, words, covers=size)
        return [ledger, *(said for _, several in sorted(found.items()) for said in several)]

    def _demands(self) -> Iterator[_Demand]:
        yield from (_Demand("witness", key) for key in self._trust.witnesses)
        if self._trust.tsa_roots:
            yield _Demand("timestamp")
        if self._trust.headers:
            yield _Demand("opentimestamps")

    def _leaf(self, size: int) -> _Leaf | None:
        """None where the ledger's log does not include this checkpoint (yet)."""
        if size not in self._leaves:
            included = self._inclusion.at(size)
            self._leaves[size] = _Leaf(included, [*self._windows(included.covering.size)]) if included else None
        return self._leaves[size]

    def _windows(self, first: int) -> Iterator[list[_StoredAnchor]]:
        """Of anchors from this size of the ledger's log on, ascending: the first ones, some between, the last ones.

        Of an older leaf only as far as the newest one's begin. Whoever is named today may have begun long after the
        records were made: hence those that are far.
        """
        start = seen = first
        beyond = self._seen_from
        while beyond is None or start < beyond:
            names = [*islice(self._source.names(LEDGER, DIRECTORY, after=f"{DIRECTORY}{start:012d}"), _MOST_FILES)]
            found = [parsed for parsed in map(parse_anchor_path, names) if parsed is not None]
            if len(names) == _MOST_FILES and found:
                yield found
                seen = found[-1][0] + 1
            elif start == seen or len(found) > _MOST_FILES // 2:
                yield found
                return
            else:  # too far: the last window is to have more in it
                beyond = start
            start = seen + (seen - first if beyond is None else (beyond - seen) // 2)

    def _best_at(self, demand: _Demand, sizes: Sequence[int], index: int) -> tuple[AnchorFile, ExternalAnchor] | None:
        """The earliest anchor that meets the demand for the checkpoint at this index, with its file."""
        leaf = self._leaf(sizes[index])
        if leaf is None:
            return None
        for size, file in self._candidates(demand, leaf):
            for said in self._check(leaf, size, file):
                if demand.is_met(said):
                    return file, said
        return None

    def _candidates(self, demand: _Demand, leaf: _Leaf) -> Iterator[_StoredAnchor]:
        """The stored anchors that could meet the demand, by their names."""
        for window in leaf.windows:
            able = [one for one in window if KINDS[one[1].kind] == demand.kind and self._steps_missing(*one) == 0]
            tried = Counter[str]()
            for size, file in sorted(able, key=lambda one: not demand.fits(one[1])):
                tried[file.track] += 1
                if tried[file.track] <= _TRIES:
                    yield size, file

    def _steps_missing(self, size: int, file: AnchorFile) -> int:
        """What an anchor lacks, by its name: 0 nothing, 1 the header of its block, 2 the block itself."""
        if file.kind == "pending":
            return 0 if file.path(size) in self._trust.completed else 2
        return int(file.kind == "bitcoin" and file.height not in self._trust.headers)

    def _best_of_provider(self, leaf: _Leaf, anchors: Sequence[_StoredAnchor]) -> list[ExternalAnchor]:
        """Of one provider: the first that verifies, otherwise the first of those nearest to it."""
        told: list[ExternalAnchor] = []
        nearest = min(self._steps_missing(*one) for one in anchors)
        for size, file in islice((one for one in anchors if self._steps_missing(*one) == nearest), _TRIES):
            said = self._check(leaf, size, file)
            if any(one.checked for one in said):
                return said
            told = told or said
        return told

    def _check(self, leaf: _Leaf, size: int, file: AnchorFile) -> list[ExternalAnchor]:
        of = leaf.included
        if (of.size, size) not in self._covering:
            self._covering[of.size, size] = self._covering_note(of, size)
        note = self._covering[of.size, size]
        return [replace(said, covers=of.size) for said in self._checks.check(size, file, note)] if note else []

    def _covering_note(self, leaf: IncludedCheckpoint, size: int) -> Note | None:
        """The ledger's checkpoint of this size, proven to include the leaf; None where that cannot be proven."""
        index = leaf.proof.index
        try:
            signed = self._log.opened(LEDGER, size)
            if size != leaf.covering.size:
                path = merkle.inclusion_proof(index, size, tiles.node_reader(size, self._log.reader(LEDGER)))
                hashed = merkle.leaf_hash(leaf_data(leaf.note))
                merkle.verify_inclusion(hashed, index, size, path, signed.checkpoint.root)
        except merkle.ProofInvalid as error:
            detail = f"the ledger's checkpoint of size {size} does not hold what an earlier one held: {error}"
            self._fail(FailureCode.CHECKPOINT_MISMATCH, leaf.size, checkpoint_path(size), detail)
            return None
        except (BadSignature, NotSigned) as error:
            detail = f"the ledger's checkpoint {size}: {error}"
            self._fail(FailureCode.BAD_SIGNATURE, leaf.size, checkpoint_path(size), detail)
            return None
        except (ValueError, EvidenceBroken):
            return None  # the source does not have what it takes, as a bundle of a small range may not
        return signed.note

    def _fail(self, code: FailureCode, sequence: int, path: str, detail: str) -> None:
        if (code, path) not in self._failed:
            self._failed.add((code, path))
            self._report(Failure(code, sequence, detail, s3_key=path))


def _newest_that_holds(count: int, holds: Callable[[int], T | None]) -> T | None:
    """What holds of the largest index below `count` of which anything does: by steps that double, then by halves.

    What holds of one holds of those before it; where it does not, this is one of those that it holds of, or none.
    """
    missing, there, step, found = count, count, 1, None
    while there > 0 and found is None:
        missing, there = there, max(count - step, 0)
        step *= 2
        found = holds(there)
    while found is not None and missing - there > 1:
        middle = (there + missing) // 2
        better = holds(middle)
        if better is None:
            missing = middle
        else:
            there, found = middle, better
    return found


def _by_track(anchors: Iterable[_StoredAnchor]) -> dict[str, list[_StoredAnchor]]:
    """The anchors of each provider, in the order given."""
    found: dict[str, list[_StoredAnchor]] = {}
    for size, file in anchors:
        found.setdefault(file.track, []).append((size, file))
    return found
