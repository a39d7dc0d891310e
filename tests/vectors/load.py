# SPDX-License-Identifier: Apache-2.0
"""Read the checked-in files, and put a stored chain into an in-memory bucket as it is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from indelible.domain import instants
from indelible.domain.findings import Failure, Lock
from indelible.domain.record import Head
from tests.fakes.bucket import Bucket, Marker, Version

HERE = Path(__file__).parent


def vectors(name: str) -> Any:
    """The content of a file."""
    return json.loads((HERE / name).read_bytes())


def chain_names() -> list[str]:
    """Every stored chain, by name."""
    return sorted(path.stem for path in (HERE / "chains").glob("*.json"))


def head_of(vector: dict[str, Any]) -> Head:
    """What somebody else remembers of the chain's end."""
    head = vector["head"]
    return Head(head["sequence"], head["tx_hash"], instants.from_text(head["timestamp"]))


def bucket_of(vector: dict[str, Any]) -> Bucket:
    """The bucket exactly as described."""
    bucket = Bucket()
    for stored in vector["objects"]:
        bucket.stacks[stored["key"]] = [_entry(version) for version in stored["versions"]]
    return bucket


def findings(failures: list[Failure]) -> list[list[Any]]:
    """Failures in the form of the files, sorted: the order in which a verifier finds them is its own affair."""
    return ordered(
        [[f.code.value, f.sequence] if f.through is None else [f.code.value, f.sequence, f.through] for f in failures]
    )


def ordered(found: list[list[Any]]) -> list[list[Any]]:
    """Sorted by sequence, then by code."""
    return sorted(found, key=lambda failure: (failure[1] or 0, failure[0], failure[2:]))


def _entry(version: dict[str, Any]) -> Version | Marker:
    if version.get("delete_marker"):
        return Marker(version["version_id"])
    lock = version["lock"]
    return Version(
        version_id=version["version_id"],
        data=base64.b64decode(version["data"]),
        sha256=version["sha256"],
        lock=Lock(lock["mode"], instants.from_text(lock["retain_until"])) if lock else None,
    )
