# SPDX-License-Identifier: Apache-2.0
"""The table's lesser items, in memory: index, news, organisations, and the master secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indelible.domain.organisation import OrgConfig
from indelible.domain.record import Record
from indelible.ports import Page

BUCKET_MS = 300_000


@dataclass(slots=True)
class FakeIndex:
    """Index."""

    entries: dict[tuple[str, str], str] = field(default_factory=dict)

    def put(self, record: Record) -> None:
        self.entries[record.org_id, record.tx_hash] = record.audit_id

    def find(self, org_id: str, tx_hash: str) -> str | None:
        return self.entries.get((org_id, tx_hash))

    def repair(self, records: Sequence[Record]) -> int:
        missing = [record for record in records if (record.org_id, record.tx_hash) not in self.entries]
        for record in missing:
            self.put(record)
        return len(missing)


@dataclass(slots=True)
class FakeNews:
    """News, in five-minute buckets as the table keeps it."""

    marks: set[tuple[int, str]] = field(default_factory=set)

    def mark(self, org_id: str, now_ms: int) -> None:
        self.marks.add((now_ms // BUCKET_MS, org_id))

    def recent(self, now_ms: int, after: str | None, *, limit: int) -> Page:
        now, _, last = after.partition(" ") if after else (str(now_ms // BUCKET_MS), "", "")
        newest = int(now)
        names = sorted({name for bucket, name in self.marks if newest - 3 <= bucket <= newest and name > last})
        return _page(names, limit, f"{newest} ")


@dataclass(slots=True)
class FakeRoundStarts:
    """RoundStarts."""

    started_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        self.started_ms = now_ms

    def last(self) -> int | None:
        return self.started_ms


@dataclass(slots=True)
class FakeOrganisations:
    """Organisations."""

    configs: dict[str, OrgConfig] = field(default_factory=dict)

    def get(self, org_id: str) -> OrgConfig | None:
        return self.configs.get(org_id)

    def create(self, config: OrgConfig) -> bool:
        return self.configs.setdefault(config.org_id, config) == config

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        assert old.org_id == new.org_id, "an organisation cannot be renamed"
        if self.configs.get(old.org_id) not in (old, new):
            return False
        self.configs[old.org_id] = new
        return True

    def all(self) -> Iterator[str]:
        yield from sorted(self.configs)

    def page(self, after: str | None, *, limit: int) -> Page:
        return _page([name for name in sorted(self.configs) if name > (after or "")], limit, "")

    def registered(self, org_id: str) -> bool:
        return org_id in self.configs


def _page(names: Sequence[str], limit: int, prefix: str) -> Page:
    assert limit > 0
    here = tuple(names[:limit])
    return Page(here, after=prefix + here[-1] if len(here) == limit else None)


@dataclass(frozen=True, slots=True)
class FakeSecretSource:
    """SecretSource."""

    secret: bytes = b"a master secret of 32 bytes len."

    def master(self) -> bytes:
        return self.secret
