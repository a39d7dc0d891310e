# SPDX-License-Identifier: Apache-2.0
"""One self-contained `evidence.html` from its parts.

Invariant: the same parts give the same bytes, and the browser recovers every record byte for byte. The page runs one
script, whose hash is in its Content Security Policy, and makes no requests; records are inert text.

Records are embedded as text, not as base64: the file can be read and searched without running anything, and is a
quarter smaller. RFC 8785 leaves no control characters in a record, so once `&`, `<` and `>` are escaped an HTML parser
changes none of its characters. Other bytes under a record's key (truncated, damaged, not UTF-8) would not survive the
parser, and are embedded as base64.
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
"""Files of `script/`, in the order in which they are concatenated."""
STYLES = ("base.css", "report.css", "tables.css", "filters.css", "records.css", "detail.css", "print.css")
"""Files of `style/`, in order."""

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_CONTROL = re.compile(r"[\x00-\x1f]")
_BASE64 = "base64:"
_NO_CONTENT = "-"


def render(parts: PageParts) -> bytes:
    """The page (UTF-8). It adds about 200 bytes to each record."""
    style, script = _style(), _script()
    content: Mapping[str, Iterator[str]] = {
        "policy": iter([_policy(style, script)]),
        "title": iter([_escape(_title(parts))]),
        "style": iter([style]),
        "script": iter([script]),
        "facts": iter([_escape(json.dumps(_facts(parts), ensure_ascii=False, indent=1))]),
        "records": _lines(parts),
    }
    page: list[str] = []
    for position, piece in enumerate(_PLACEHOLDER.split(_source("template.html"))):
        page.extend(content[piece] if position % 2 else [piece])
    return "".join(page).encode()


def _title(parts: PageParts) -> str:
    last = parts.last_sequence or parts.first_sequence + len(parts.records) - 1
    return f"Evidence: {parts.ledger_name}/{parts.org_id}, records {parts.first_sequence} to {last}"


def _policy(style: str, script: str) -> str:
    """Allows this script and this style only: no network, no forms, no HTML from strings."""
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
    """One line for each record: key, checksum and version as a JSON array, a tab, and the record."""
    for record in parts.records:
        about = json.dumps([record.s3_key, record.stored_sha256, record.version_id], separators=(",", ":"))
        yield f"{_escape(about)}\t{_escape(_line(record))}\n"


def _line(record: StoredObject) -> str:
    if record.data is None:
        return _NO_CONTENT
    return _text(record.data)


def _text(data: bytes) -> str:
    """Bytes as text, or as base64 with a prefix if an HTML parser would change them."""
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
    """A note as text; in base64 if it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _style() -> str:
    return "".join(_source(f"style/{name}") for name in STYLES)


@cache
def _script() -> str:
    """The scripts in one function scope, so that they define no global names."""
    inner = "".join(_source(f"script/{name}") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{inner}}})();\n'


def _source(name: str) -> str:
    # The browser normalizes line ends before it hashes a script, so a CRLF checkout would break the policy's hash.
    text = resources.files("indelible.page").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
