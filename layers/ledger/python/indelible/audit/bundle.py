# SPDX-License-Identifier: Apache-2.0
"""An evidence bundle, read in place: nothing is unpacked, and no more than a block is in memory.

Line n of `records.jsonl` and line n of `receipts.jsonl` speak of the same object. The receipt says under which key the
bucket has it, and with which checksum; like everything in a bundle it is the exporter's word, and the records, their
links and the signed roots have to bear it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from indelible.audit import segment
from indelible.audit.bundle_lines import Line, given, lines_of, said_of, version_in
from indelible.audit.manifest import describes, mismatch, read_manifest, reported
from indelible.audit.segment import Expected, Segment
from indelible.audit.source import NotEvidence, Part, WalkSummary, proofs_at_hand
from indelible.audit.stored_zip import StoredZip
from indelible.domain import bundle, record, tiles
from indelible.domain.bundle import MAX_RECEIPT_BYTES, MalformedBundle
from indelible.domain.findings import MAX_FAILURES, Failure, FailureCode
from indelible.ports import KeyVersions, StoredVersion
from indelible.services.log import checkpoint_path

_BY_LINES = frozenset({bundle.RECORDS, bundle.RECEIPTS})
_PREDECESSOR = "predecessor"
_LIKELY = 512
"""Bytes of a receipt, rounded up."""
_NOTHING: tuple[int, list[bytes], list[bytes]] = (-1, [], [])


@dataclass(frozen=True, slots=True)
class _Placed(KeyVersions):
    """A key, and where its bytes are. `line` is the line of `receipts.jsonl` beside them, `said` what it says."""

    start: int = 0
    end: int = 0
    line: bytes = b""
    said: Line | None = None


class BundleSource:
    """`org_id` must be that of the bundle, if given."""

    may_lack_statements: bool = False
    locks: bool = False
    unchecked: Sequence[str] = (
        "locks: a bundle does not show whether, and for how long, S3 keeps the objects",
        "what lies over a record in the bucket (delete markers, newer versions), beyond what the exporter reported",
        "whether the newest signing key stated here was replaced: a bundle can lack its successor's statement",
        "README.txt and evidence.html: words and a program of whoever made the bundle; nothing rests on them",
    )

    def __init__(self, path: Path, org_id: str | None = None) -> None:
        self.where, self._zip = str(path), StoredZip(path)
        try:
            self.manifest = read_manifest(self._zip)
        except MalformedBundle as error:
            raise NotEvidence(f"{path}: {error}") from None
        self.org_id, self.starts_at = self.manifest.org_id, self.manifest.first_sequence
        self._begin = f"{self.org_id}/0"
        self.ends_at: int | None = self.manifest.last_sequence
        if org_id not in (None, self.org_id):
            raise NotEvidence(f"{path} is a bundle of {self.org_id}, not of {org_id}")
        self.fingerprint = f"bundle {self._zip.sha256(bundle.MANIFEST)}"
        self.identity: str | None = self._zip.identity
        self._strange: dict[Failure, None] = {}
        self._counted = False
        self._ahead = _NOTHING

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """The record before the range, then every line, in the order of the file."""
        del org_id
        listed = (keys for part in self.parts(after=after) for keys in self.keys_of(part))
        return listed if after < self._begin else dropwhile(lambda keys: keys.s3_key <= after, listed)

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """As StoredRecords."""
        for entry in keys:
            if not isinstance(entry, _Placed) or not entry.versions:
                yield entry, None
                continue
            said = entry.said
            data = said.data if said and said.data is not None else self._zip.slice(entry.start, entry.end)
            self._hold(entry, data)
            yield entry, StoredVersion(entry.s3_key, entry.versions[0], data, said.tx_hash if said else None, None)

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """As StoredRecords."""
        found = (entry.s3_key for entry in self.versions(org_id, after=key))
        return next((name for name in found if record.parse_key(name)), None)

    def read(self, owner: str, path: str) -> bytes | None:
        """As StoredLogFiles."""
        return self._zip.read(_inside(owner, path), most=tiles.MAX_FILE_BYTES)

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """As StoredLogFiles."""
        place = _inside(owner, "checkpoints/")
        names = (name.removeprefix(place) for name in self._zip.names if name.startswith(place))
        return (size for size in sorted(map(int, names)) if size >= max(at_least, 1))

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As StoredLogFiles."""
        notes = ((size, self.read(owner, checkpoint_path(size))) for size in self.sizes(owner, at_least=at_least))
        return ((size, note) for size, note in notes if note is not None)

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """See ListedLogFiles."""
        return proofs_at_hand(self, owner, at_least)

    def names(self, owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        """See Source."""
        place = _inside(owner, prefix)
        cut = len(place) - len(prefix)
        return (name[cut:] for name in self._zip.names if name.startswith(place) and name[cut:] > after)

    def parts(self, *, after: str) -> Iterator[Part]:
        """See Source. A block of both files each, as far as the manifest counts; the record before the range alone."""
        before = self._zip.areas.get(bundle.PREDECESSOR)
        if before is not None and after < self._begin:
            yield Part([_PREDECESSOR], 0, after)
        records, receipts = self._zip.areas[bundle.RECORDS], self._zip.areas[bundle.RECEIPTS]
        place, start, lines, previous = records.start, receipts.start, 0, after
        for area, block in self._zip.line_blocks(bundle.RECORDS, longest=record.MAX_OBJECT_BYTES):
            left = lines_of(block)[: self.manifest.records - lines]
            if not left:
                break  # lines that nobody counted are one failure, however many they are
            while left:
                beside, end = self._beside(start, len(left))
                data = left[: len(beside)] if end < receipts.end else left
                left = left[len(data) :]
                place_end = min(area.end, place + sum(map(len, data)) + len(data))
                lines += len(data)
                last = self._last_key(beside)
                # Only what lies before the place to go on from is passed over; after that not a line is.
                if after < self._begin or last > after or previous > after:
                    self._ahead = place, data, beside
                    yield Part([place, place_end, start, end], len(data), last)
                    if last <= previous:
                        self._note(mismatch(bundle.RECEIPTS, "is not in the order of keys"))
                    previous = max(previous, last)
                start, place = end, place_end
        if lines != self.manifest.records or place < records.end or start < receipts.end:
            self._note(self._miscounted())
        self._counted = True

    def keys_of(self, part: Part) -> Iterator[KeyVersions]:
        """See Source."""
        if part.place[0] == _PREDECESSOR:
            yield from self._predecessor()
            return
        start, end, receipts, receipts_end = part.place
        lines = lines_of(self._zip.slice(receipts, receipts_end))
        place = start
        previous = ""
        for number, data in enumerate(lines_of(self._zip.slice(start, end))):
            placed = self._placed(place, place + len(data), data, lines[number] if number < len(lines) else b"")
            if placed.s3_key <= previous:
                self._note(mismatch(bundle.RECEIPTS, "is not in the order of keys"))
            yield placed
            place, previous = place + len(data) + 1, placed.s3_key

    def scan(self, part: Part, expected: Expected) -> Segment | None:
        """See Source."""
        if part.place[0] == _PREDECESSOR or not part.records:
            return None
        data, receipts = self._both(part)
        read = segment.read(data, expected, lambda at: version_in(receipts, at))
        if read is None or not given(read, expected.org_id, receipts):
            return None
        return segment.segment_of(read, expected)

    def count(self) -> int | None:
        """The number in the manifest."""
        return self.manifest.records

    def noticed(self) -> list[Failure]:
        """See Source: receipts that are not their record's, lines that are too many, too few or out of order."""
        found, self._strange = [*self._strange], {}
        return found

    def own_failures(self, summary: WalkSummary) -> Iterator[Failure]:
        """Files that differ from what the manifest lists, and a manifest that does not describe the bundle."""
        manifest = self.manifest
        for path, listed in manifest.files.items():
            if path in _BY_LINES and not summary.strict:
                continue  # their lines are checked one by one
            area = self._zip.areas[path]
            sha256, crc32 = self._zip.digests(path)
            if (area.size, sha256) != (listed.bytes, listed.sha256):
                yield mismatch(path, "is not what the manifest lists", expected=listed.sha256)
            elif crc32 != area.crc32:
                yield mismatch(path, "has not the CRC-32 that the archive says")
        if self._zip.digests(bundle.MANIFEST)[1] != self._zip.areas[bundle.MANIFEST].crc32:
            yield mismatch(bundle.MANIFEST, "has not the CRC-32 that the archive says")
        if summary.whole and not self._counted and not self._counts():
            yield self._miscounted()
        # A bundle of a broken chain has lines of other objects, too.
        if summary.whole and manifest.exported.valid and summary.entries != manifest.records:
            yield mismatch(bundle.RECORDS, f"has lines that belong to no record of the range: {summary.entries} do")
        if not describes(manifest, self._zip):
            yield mismatch(bundle.MANIFEST, "does not describe the records that are in the bundle")
        if summary.ledger_name not in (None, manifest.ledger_name):
            what = "names another ledger than the checkpoints, or than the key that you have pinned"
            yield mismatch(bundle.MANIFEST, what, expected=summary.ledger_name, found=manifest.ledger_name)
        yield from reported(manifest, summary)

    def _counts(self) -> bool:
        return self._zip.lines_in(bundle.RECORDS) == self._zip.lines_in(bundle.RECEIPTS) == self.manifest.records

    def _miscounted(self) -> Failure:
        records, receipts = self._zip.lines_in(bundle.RECORDS), self._zip.lines_in(bundle.RECEIPTS)
        counts = f"{records} records and {receipts} receipts; the manifest counts {self.manifest.records}"
        return mismatch(bundle.RECORDS, f"does not fit: there are {counts}")

    def _hold(self, entry: _Placed, data: bytes) -> None:
        """Compare the line beside a record with its receipt: every member of that follows from the record."""
        said = entry.said
        if said is None:
            return
        try:
            found = record.read(data)
        except record.UnknownFormat:
            found = None
        apart = said.data is not None  # and other tools read the line that then must be empty
        if (apart and entry.start < entry.end) or entry.line != bundle.receipt_line(
            found, s3_key=said.s3_key, version_id=said.s3_version_id, stored_sha256=said.tx_hash, data=data
        ):
            key = record.parse_key(entry.s3_key)
            detail = "the receipt in the bundle is not that of this record"
            sequence = key.sequence if key else None
            self._note(Failure(FailureCode.CONTENT_MISMATCH, sequence, detail, s3_key=entry.s3_key))

    def _note(self, failure: Failure) -> None:
        """Note a failure once, however often its part is read, and no more than a verdict lists."""
        if len(self._strange) < MAX_FAILURES:
            self._strange[failure] = None

    def _placed(self, start: int, end: int, data: bytes, line: bytes) -> KeyVersions:
        said = said_of(line)
        if said is not None:
            return _Placed(said.s3_key, (said.s3_version_id,), start=start, end=end, line=line, said=said)
        what = f"has {line[:60]!r} in the place of a receipt" if line else "ends before the records do"
        self._note(mismatch(bundle.RECEIPTS, what))
        try:
            key = record.read(data).s3_key
        except ValueError:
            key = f"{self.org_id}/?"
        return _Placed(key, ("-",), start=start, end=end)

    def _predecessor(self) -> Iterator[KeyVersions]:
        area = self._zip.areas[bundle.PREDECESSOR]
        if area.size > record.MAX_RECORD_BYTES:
            return
        try:
            key = record.read(self._zip.slice(area.start, area.end)).s3_key
        except ValueError:
            return  # the first record's link then has nothing to be held against, which is reported
        yield _Placed(key, ("-",), start=area.start, end=area.end)

    def _beside(self, start: int, count: int) -> tuple[list[bytes], int]:
        """`count` lines of `receipts.jsonl` from `start` on, and where they end."""
        end = self._zip.areas[bundle.RECEIPTS].end
        return self._zip.lines(start, end, count, likely=count * _LIKELY, longest=MAX_RECEIPT_BYTES)

    def _last_key(self, lines: list[bytes]) -> str:
        said = said_of(lines[-1]) if lines else None
        return said.s3_key if said else f"{self.org_id}/9~"

    def _both(self, part: Part) -> tuple[list[bytes], list[bytes]]:
        """The records of a part and the lines beside them; not read again if this process has just read them."""
        start, end, receipts, receipts_end = part.place
        ahead, data, beside = self._ahead
        if ahead == start:
            return data, beside
        return lines_of(self._zip.slice(start, end)), lines_of(self._zip.slice(receipts, receipts_end))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_ahead": _NOTHING}


def _inside(owner: str, path: str) -> str:
    if owner != "_ledger":
        return f"{bundle.LOG}{path}"
    return path if path.startswith(bundle.KEYS) else f"{bundle.LEDGER}{path}"
