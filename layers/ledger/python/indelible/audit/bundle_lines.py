# SPDX-License-Identifier: Apache-2.0
"""The lines of `records.jsonl` and `receipts.jsonl`: split, parsed, and compared with each other."""

from __future__ import annotations

from operator import eq
from typing import Annotated

import msgspec
from msgspec import Meta

from indelible.audit.fast_reader import Read

_RECEIPT = (
    b'{"audit_id":"%%b","prev_hash":"%%b","retention_until":"%%b","s3_key":"%b/%%b/%%012d-%%b.json"'
    b',"s3_lock_mode":"%%b","s3_version_id":"%%b","sequence":%%d,"timestamp":"%%b","tx_hash":"%%b"}'
)
_LONGEST = 1024
_Name = Annotated[str, Meta(max_length=_LONGEST)]
"""The limit of S3 for keys and version ids."""
_VERSION, _AFTER_VERSION = b'"s3_version_id":"', b'","sequence":'
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
"""Characters of a version id that need no escape in JSON."""


class Line(msgspec.Struct):
    """The members that are read of a line of `receipts.jsonl`, a receipt or a substitute for one (docs/bundle.md)."""

    s3_key: _Name
    s3_version_id: _Name
    tx_hash: _Name
    data: bytes | None = None


def given(read: Read, org_id: str, lines: list[bytes]) -> bool:
    """Whether these lines are the receipts of these records, to the last byte."""
    if len(lines) != len(read.hashes):
        return False
    versions = [line[line.rfind(_VERSION) + len(_VERSION) : line.rfind(_AFTER_VERSION)] for line in lines]
    if not all(versions) or max(map(len, versions)) > _LONGEST or b"".join(versions).translate(None, _PLAIN):
        return False
    facts = zip(
        read.audit_ids,
        read.prev_hashes,
        read.retain_untils,
        read.days,
        read.sequences,
        read.audit_ids,
        read.lock_modes,
        versions,
        read.sequences,
        read.times,
        read.hashes,
        strict=True,
    )
    return all(map(eq, lines, map((_RECEIPT % org_id.encode()).__mod__, facts)))


def said_of(line: bytes) -> Line | None:
    """The parsed line; None where it is neither a receipt nor a substitute for one."""
    try:
        return msgspec.json.decode(line, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def version_in(lines: list[bytes], at: int) -> str | None:
    """The version id in the line of this index; None where there is none."""
    said = said_of(lines[at]) if at < len(lines) else None
    return None if said is None else said.s3_version_id


def lines_of(block: bytes) -> list[bytes]:
    """The lines of a block. They end in a newline and in nothing else."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines
