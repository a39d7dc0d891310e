# SPDX-License-Identifier: Apache-2.0
"""Receipts that the auditor has: files with one receipt, with many, or with answers of the API as they came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from indelible.audit.source import NotEvidence
from indelible.domain import record
from indelible.domain.findings import ExpectedHash
from indelible.domain.receipt import Receipt

Receipts = dict[int, tuple[ExpectedHash, ...]]


def read_receipts(paths: Iterable[Path], org_id: str) -> Receipts:
    """The receipts in these files, by sequence. Raises NotEvidence for a file without, or of another organisation."""
    found: Receipts = {}
    for path in paths:
        for receipt in _receipts(path):
            key = record.parse_key(receipt.s3_key)
            if key is None or (key.sequence, key.audit_id) != (receipt.sequence, receipt.audit_id):
                raise NotEvidence(f"{path}: the receipt contradicts itself: its s3_key is not that of its record")
            if key.org_id != org_id:
                raise NotEvidence(f"{path} has a receipt of {key.org_id}; {org_id} is what is verified")
            held = found.get(receipt.sequence, ())
            if receipt not in {other.receipt for other in held}:
                expected = ExpectedHash(receipt.sequence, receipt.tx_hash, f"the receipt in {path.name}", receipt)
                found[receipt.sequence] = (*held, expected)
    return found


def _receipts(path: Path) -> Iterator[Receipt]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotEvidence(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NotEvidence(f"{path} is not text") from None
    none = True
    try:
        for said in _values(path, text):
            for one in _of(said):
                none = False
                yield msgspec.convert(one, Receipt)
    except (msgspec.ValidationError, UnicodeError) as error:  # a lone surrogate where a number should be
        raise NotEvidence(f"{path} has no proper receipt: {error}") from None
    except RecursionError:
        raise NotEvidence(f"{path} is nested too deeply") from None
    if none:
        raise NotEvidence(f"{path} has no receipt in it")


def _values(path: Path, text: str) -> Iterator[Any]:
    """JSON values one after another, on one line each or not."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            raise NotEvidence(f"{path} is not JSON") from None
        yield value


def _of(said: Any) -> Iterator[Any]:  # noqa: ANN401 -- any JSON
    """The receipts in an answer: of recording, of a batch, of proving, of an MCP call, or bare."""
    if isinstance(said, list):
        for one in said:
            yield from _of(one)
    elif isinstance(said, dict):
        if "tx_hash" in said and "s3_key" in said:
            yield said
        else:
            for name in ("receipt", "receipts", "structuredContent", "result"):
                yield from _of(said.get(name))
