# SPDX-License-Identifier: Apache-2.0
"""One self-contained `evidence.html` from its parts.

Invariant: the same parts give the same bytes, and the browser gets back every record byte for byte. The page runs one
script, whose hash its Content Security Policy names, and reaches nothing outside itself; records are inert text.

Records are embedded as text, not as base64: the file stays readable (and can be searched) without running anything,
and is a quarter smaller. RFC 8785 leaves no control characters in a record, so after `&`, `<` and `>` are escaped an
HTML parser changes none of its characters. Whatever else is found under a record's key (cut short, rotten, no UTF-8)
would not survive that, and goes in as base64.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from indelible.domain.bundle import Exported
from indelible.domain.findings import StoredObject
from indelible.domain.merkle import Subtree
from indelible.page.parts import AnchoredCheckpoint, PageCheckpoint, PageParts

SCRIPTS = (
    "bytes.js",
    "record.js",
    "chain.js",
    "merkle.js",
    "notes.js",
    "keyring.js",
    "evidence.js",
    "signed.js",
    "der.js",
    "anchors.js",
    "verify.js",
    "dom.js",
    "words.js",
    "events.js",
    "filters.js",
    "rows.js",
    "timeline.js",
    "detail.js",
    "report.js",
    "checkpoints.js",
    "held.js",
    "print.js",
    "main.js",
)
"""Of `script/`, in the order in which they follow each other."""
STYLES = ("base.css", "report.css", "tables.css", "filters.css", "records.css", "detail.css", "print.css")
"""Of `style/`."""

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_CONTROL = re.compile(r"[\x00-\x1f]")
_BASE64 = "base64:"
_NO_CONTENT = "-"


def render(parts: PageParts) -> bytes:
    """The page. It is about as long as the records are, and 200 bytes for each."""
    style, script = _style(), _script()
    content: Mapping[str, Iterator[str]] = {
        "policy": iter([_policy(style, script)]),
        "title": iter([_escaped(_title(parts))]),
        "style": iter([style]),
        "script": iter([script]),
        "facts": iter([_escaped(json.dumps(_facts(parts), ensure_ascii=False, indent=1))]),
        "records": _lines(parts),
    }
    page: list[str] = []
    for position, piece in enumerate(_PLACE.split(_source("template.html"))):
        page.extend(content[piece] if position % 2 else [piece])
    return "".join(page).encode()


def _title(parts: PageParts) -> str:
    last = parts.last_sequence or parts.first_sequence + len(parts.records) - 1
    return f"Evidence: {parts.ledger_name}/{parts.org_id}, records {parts.first_sequence} to {last}"


def _policy(style: str, script: str) -> str:
    """No network, no other script than this one, no HTML made from text, nowhere to send anything."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash_source(script)}'",
            f"style-src '{_hash_source(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash_source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _lines(parts: PageParts) -> Iterator[str]:
    """One line a record: what the store says of it as a JSON array, a tab, its bytes."""
    for record in parts.records:
        about = json.dumps([record.s3_key, record.stored_sha256, record.version_id], separators=(",", ":"))
        yield f"{_escaped(about)}\t{_escaped(_line(record))}\n"


def _line(record: StoredObject) -> str:
    if record.data is None:
        return _NO_CONTENT
    return _text(record.data)


def _text(data: bytes) -> str:
    """Bytes as text which the reader can tell from base64, and which an HTML parser leaves alone."""
    if data.startswith(b"{"):
        try:
            text = data.decode()
        except UnicodeDecodeError:
            pass
        else:
            if not _CONTROL.search(text):
                return text
    return _BASE64 + base64.b64encode(data).decode()


def _facts(parts: PageParts) -> dict[str, object]:
    return {
        "ledger_name": parts.ledger_name,
        "org_id": parts.org_id,
        "first_sequence": parts.first_sequence,
        "last_sequence": parts.last_sequence,
        "predecessor": None if parts.predecessor is None else _text(parts.predecessor),
        "exported": None if parts.exported is None else _exported(parts.exported),
        "checkpoints": [_checkpoint(found) for found in parts.checkpoints],
        "left": [_subtree(found) for found in parts.left],
        "right": [_subtree(found) for found in parts.right],
        "keys": [_note(statement) for statement in parts.keys],
        "anchored": None if parts.anchored is None else _anchored(parts.anchored),
    }


def _exported(found: Exported) -> dict[str, object]:
    failures = [{"code": one.code, "sequence": one.sequence, "detail": one.detail} for one in found.failures]
    return {"failures": failures, "failures_total": found.failures_total}


def _checkpoint(found: PageCheckpoint) -> dict[str, object]:
    proof = None if found.ledger_proof is None else _note(found.ledger_proof)
    return {"size": found.size, "note": _note(found.note), "ledger_proof": proof}


def _anchored(found: AnchoredCheckpoint) -> dict[str, object]:
    anchors = [
        {
            "kind": anchor.file.kind,
            "name": anchor.file.name,
            "height": anchor.file.height,
            "data": None if anchor.data is None else base64.b64encode(anchor.data).decode(),
        }
        for anchor in found.anchors
    ]
    proof = None if found.proof is None else _note(found.proof)
    return {"size": found.size, "covers": found.covers, "proof": proof, "anchors": anchors}


def _subtree(found: Subtree) -> list[object]:
    return [found.height, base64.b64encode(found.root).decode()]


def _note(data: bytes) -> str | dict[str, str]:
    """A note's text; the bytes in base64 where it is none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _style() -> str:
    return "".join(_source(f"style/{name}") for name in STYLES)


@cache
def _script() -> str:
    """The scripts in one scope of their own: nothing of the page is to be found under a global name."""
    inner = "".join(_source(f"script/{name}") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{inner}}})();\n'


def _source(name: str) -> str:
    # A checkout with other line ends would have another hash than the one that the browser computes.
    text = resources.files("indelible.page").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
