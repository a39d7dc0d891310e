# SPDX-License-Identifier: Apache-2.0
"""Bundles as somebody makes them who does not mean well: other files, other archives, other manifests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from indelible.domain import archive as archives
from indelible.domain import bundle
from indelible.domain.archive import archive, entry_of
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import tx_hash


def files_of(data: bytes) -> dict[str, bytes]:
    """The files of a bundle, in their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def listing(files: Mapping[str, bytes], **changed: Any) -> dict[str, bytes]:
    """The same files, with a manifest that lists them as they are."""
    listed = {
        name: {"bytes": len(data), "sha256": tx_hash(data)} for name, data in files.items() if name != bundle.MANIFEST
    }
    manifest = {**json.loads(files[bundle.MANIFEST]), "files": listed, **changed}
    return {**files, bundle.MANIFEST: canonical_bytes(manifest)}


def packed(files: Mapping[str, bytes]) -> bytes:
    """A bundle of these files, as the ledger would pack them."""
    return b"".join(archive((entry_of(name, data), [data]) for name, data in files.items()))


@dataclass(frozen=True, slots=True)
class Lie:
    """What an archive says, shows and hides that a bundle's does not."""

    before: bytes = b""
    between: Mapping[str, bytes] = field(default_factory=dict)
    """Before the entry of this name."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Names in local headers."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Sizes in the directory."""
    crcs: Mapping[str, int] = field(default_factory=dict)
    """In the directory and the local header."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Entries that have no bytes of their own: they lie where another one does."""
    comment: bytes = b""
    behind: bytes = b""

    def told(self, files: Mapping[str, bytes]) -> bytes:
        """The archive. Every ordinary reader of ZIP files is content with most of them."""
        out, directory, places = self.before, [], {}
        for name, data in files.items():
            out += self.between.get(name, b"")
            entry = entry_of(name, data)
            entry = replace(entry, crc32=self.crcs.get(name, entry.crc32))
            places[name] = len(out) if name not in self.shared else places[self.shared[name]]
            if name not in self.shared:
                out += archives.local_header(replace(entry, path=self.named.get(name, name))) + data
            said = replace(entry, size=self.sizes.get(name, entry.size))
            directory.append(archives._central(said, places[name]))
        end = archives._end(len(directory), sum(map(len, directory)), len(out))
        end = end[:-2] + len(self.comment).to_bytes(2, "little") + self.comment
        return out + b"".join(directory) + end + self.behind
