# SPDX-License-Identifier: Apache-2.0
"""A directory that was copied from the bucket: `aws s3 sync s3://bucket/org org`, or the whole bucket.

What was copied is what the bucket showed at that moment: of each key the newest version, and neither what lies under
it nor its lock. Files that operating systems leave in directories by themselves are not taken for evidence. A copy has
regular files and directories: links to directories, which may lead in circles, pipes and devices are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from indelible.audit import segment
from indelible.audit.files import bounded
from indelible.audit.segment import Expected, Segment
from indelible.audit.source import NotEvidence, Part, WalkSummary, proofs_at_hand
from indelible.domain import record
from indelible.domain.findings import Failure
from indelible.domain.record import MAX_OBJECT_BYTES
from indelible.domain.tiles import MAX_FILE_BYTES
from indelible.ports import KeyVersions, StoredVersion
from indelible.services.log import checkpoint_path

_PART = 256
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_SIZE = re.compile(r"[0-9]{12}", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)


class DirectorySource:
    """`path` has the organisation's records, or its directory beside those of others."""

    ends_at: int | None = None
    may_lack_statements: bool = True
    identity: str | None = None
    locks: bool = False
    starts_at = 1
    unchecked: Sequence[str] = (
        "locks: a copy does not show whether, and for how long, S3 keeps the objects",
        "what lies over a record in the bucket: a copy has the newest version of each key only",
        "S3's own checksums",
        "whether the newest signing key stated here was replaced: a copy can lack its successor's statement",
    )

    def __init__(self, path: Path, org_id: str | None = None) -> None:
        self.where = str(path)
        self.org_id, self._root = _organisation(path, org_id)
        self._ledger = path / "_ledger" if (path / "_ledger").is_dir() else path.parent / "_ledger"
        self.fingerprint = f"directory {path.resolve()} {self.org_id}"

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """Every file, in the order of keys."""
        for name in _files(self._root, "", after.removeprefix(f"{org_id}/")):
            if name >= "_":
                return
            yield KeyVersions(f"{org_id}/{name}", ("-",))

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """Read the files one after another: the operating system reads ahead."""
        for entry in keys:
            data = self._bytes(entry.s3_key, MAX_OBJECT_BYTES)
            yield entry, StoredVersion(entry.s3_key, "", data, None, None)

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """As StoredRecords."""
        found = (entry.s3_key for entry in self.versions(org_id, after=key))
        return next((name for name in found if record.parse_key(name)), None)

    def read(self, owner: str, path: str) -> bytes | None:
        """As StoredLogFiles."""
        try:
            return bounded(self._log(owner) / path, MAX_FILE_BYTES)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """As StoredLogFiles."""
        names = _names(self._log(owner) / "checkpoints")
        return (int(name) for name in names if _SIZE.fullmatch(name) and int(name) >= max(at_least, 1))

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As StoredLogFiles."""
        notes = ((size, self.read(owner, checkpoint_path(size))) for size in self.sizes(owner, at_least=at_least))
        return ((size, note) for size, note in notes if note is not None)

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """See ListedLogFiles."""
        return proofs_at_hand(self, owner, at_least)

    def names(self, owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        """See Source."""
        below = prefix[: prefix.rfind("/") + 1]
        return (name for name in _files(self._log(owner), below, after) if name.startswith(prefix))

    def parts(self, *, after: str) -> Iterator[Part]:
        """See Source."""
        listed = self.versions(self.org_id, after=after)
        while keys := [entry.s3_key for entry in islice(listed, _PART)]:
            yield Part(keys, len(keys), keys[-1])

    def keys_of(self, part: Part) -> Iterator[KeyVersions]:
        """See Source."""
        return (KeyVersions(key, ("-",)) for key in part.place)

    def scan(self, part: Part, expected: Expected) -> Segment | None:
        """See Source."""
        data = [self._bytes(key, record.MAX_RECORD_BYTES) for key in part.place]
        if max(map(len, data)) > record.MAX_RECORD_BYTES:
            return None
        found = segment.read(data, expected)
        return segment.segment_of(found, expected) if found and found.keys(expected.org_id) == part.place else None

    def count(self) -> int | None:
        """None: not known before all directories are read."""
        return None

    def noticed(self) -> list[Failure]:
        """No failures: keys are the paths of the files."""
        return []

    def own_failures(self, summary: WalkSummary) -> Iterator[Failure]:  # noqa: ARG002 -- nothing binds the files together
        """No failures: nothing in a copy binds its files together."""
        return iter(())

    def _bytes(self, key: str, most: int) -> bytes:
        return bounded(self._root / key.removeprefix(f"{self.org_id}/"), most)

    def _log(self, owner: str) -> Path:
        return (self._ledger if owner == "_ledger" else self._root) / "_log"


def _organisation(path: Path, org_id: str | None) -> tuple[str, Path]:
    """The organisation, and the directory that is `{org_id}/`."""
    if not path.is_dir():
        raise NotEvidence(f"{path} is neither a directory nor a bundle")
    if org_id is not None and (path / org_id).is_dir():
        return org_id, path / org_id
    if _has_days(path):
        return org_id or _says(path), path
    found = [name for name in _names(path) if name != "_ledger" and _has_days(path / name)]
    if len(found) == 1 and org_id in (None, found[0]):
        return found[0], path / found[0]
    if found and org_id is None:
        raise NotEvidence(f"{path} has the records of {', '.join(found)}: say which with --org")
    if org_id is not None:
        return org_id, path / org_id  # nothing is there: what a receipt or a checkpoint promises is missing
    raise NotEvidence(
        f"{path} has no records: expected {{org}}/{{year}}/{{month}}/{{day}}/… or the same without {{org}}"
    )


def _has_days(path: Path) -> bool:
    return path.is_dir() and any(_YEAR.fullmatch(name) for name in _names(path))


def _says(path: Path) -> str:
    """The organisation of the first record that can be read."""
    for name in islice(_files(path, "", ""), 100):
        try:
            return record.read(bounded(path / name, record.MAX_RECORD_BYTES)).org_id
        except record.UnknownFormat:
            continue
    raise NotEvidence(f"{path}: no record says whose it is: say it with --org")


def _names(path: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if name not in _LITTER)  # noqa: PTH208 -- names are enough
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files(root: Path, below: str, after: str) -> Iterator[str]:
    """Paths of files below `root`, with `/` between the parts, in the order of keys; those that sort after `after`."""
    above = [_listed(root, below)]  # and no recursion: directories can be nested deeper than the interpreter's calls
    while above:
        path = next(above[-1], None)
        if path is None:
            above.pop()
        elif not path.endswith("/"):
            if path > after:
                yield path
        elif path > after or after.startswith(path):
            above.append(_listed(root, path))


def _listed(root: Path, below: str) -> Iterator[str]:
    """The entries of one directory, in the order of keys."""
    try:
        with os.scandir(root / below) as found:
            entries = sorted(_named(entry) for entry in found if entry.name not in _LITTER)
    except (FileNotFoundError, NotADirectoryError):
        entries = []
    return map(below.__add__, entries)


def _named(entry: os.DirEntry[str]) -> str:
    """The name, with a slash after a directory's. Raises NotEvidence for a link to a directory."""
    if not entry.is_dir():
        return entry.name
    if entry.is_symlink():
        raise NotEvidence(f"{entry.path} is a link to a directory, and a copy of a bucket has none")
    return f"{entry.name}/"
