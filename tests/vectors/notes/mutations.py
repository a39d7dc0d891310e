# SPDX-License-Identifier: Apache-2.0
"""Notes, checkpoints and proof files that must be refused: right ones, after one named change each.

`python -m tests.vectors.notes.mutations` writes them. Knows the formats (C2SP) and nothing of Indelible.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VECTORS = Path(__file__).parents[1]
SEED = bytes([1]) * 32
LOG = "example.com/log"
ROOT = base64.b64encode(hashlib.sha256(b"record 5").digest()).decode()
EMPTY = base64.b64encode(hashlib.sha256(b"").digest()).decode()
TEXT = f"{LOG}\n5\n{ROOT}\n"
ORG = "indelible/acme-corp"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_id(name: str, seed: bytes = SEED) -> bytes:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def line(text: str, name: str = LOG, seed: bytes = SEED) -> str:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"— {name} {b64(key_id(name, seed) + signature)}\n"


def signed(text: str, name: str = LOG) -> str:
    return f"{text}\n{line(text, name)}"


def notes() -> list[tuple[str, str | bytes, str]]:
    """Named notes, and how a reader who knows the log's key refuses them."""
    good, mine = signed(TEXT), line(TEXT)
    encoded = mine.rsplit(" ", 1)[1].rstrip("\n")
    blob = base64.b64decode(encoded)
    shape: list[tuple[str, str | bytes]] = [
        ("nothing", ""),
        ("text-only", TEXT),
        ("no-empty-line", TEXT + mine),
        ("no-signature", TEXT + "\n"),
        ("signature-only", mine),
        ("empty-text", "\n" + mine),
        ("last-newline-missing", good[:-1]),
        ("newline-added", good + "\n"),
        ("garbage-after-the-signatures", good + "x"),
        ("line-after-the-signatures", good + "x\n"),
        ("empty-line-between-signatures", good + "\n" + mine + "\n"),
        ("hyphen-for-the-dash", good.replace("— ", "- ")),
        ("en-dash-for-the-dash", good.replace("— ", "– ")),
        ("no-space-after-the-dash", good.replace("— ", "—")),
        ("two-spaces-after-the-dash", good.replace("— ", "—  ")),
        ("two-spaces-before-the-signature", good.replace(" " + encoded, "  " + encoded)),
        ("space-after-the-signature", good[:-1] + " \n"),
        ("space-before-the-dash", good.replace("— ", " — ")),
        ("name-missing", good.replace(f"— {LOG} ", "— ")),
        ("plus-in-the-name", good.replace(f"— {LOG} ", f"— {LOG}+ ")),
        ("no-break-space-in-the-name", good.replace(f"— {LOG} ", f"— {LOG}\u00a0 ")),
        ("signature-missing", good.replace(" " + encoded, "")),
        ("key-id-only", good.replace(encoded, b64(blob[:4]))),
        ("key-id-cut-short", good.replace(encoded, b64(blob[:3]))),
        ("base64-without-padding", good.replace(encoded, b64(blob[:-1]).rstrip("="))),
        ("base64-with-spare-padding", good.replace(encoded, encoded + "====")),
        ("base64-with-spare-bits", good.replace(encoded, b64(blob + b"\0")[:-3] + "B==")),
        ("base64-of-the-url-alphabet", good.replace(encoded, encoded[:8] + "-_" + encoded[10:])),
        ("carriage-returns", good.replace("\n", "\r\n")),
        ("tab-in-the-text", signed(TEXT.replace("5\n", "5\t\n"))),
        ("null-in-the-text", signed(TEXT.replace("5\n", "5\0\n"))),
        ("null-at-the-end", good + "\0"),
        ("byte-order-mark-before-the-dash", good.replace("— ", "\ufeff— ")),
        ("latin-1", signed("é\n").encode("latin-1", "replace")),
        ("cut-inside-the-dash", TEXT.encode() + b"\n\xe2\x80"),
        ("surrogate-in-utf-8", good.encode() + b"\xed\xa0\x80\n"),
        ("overlong-utf-8", good.encode().replace(b"\n5\n", b"\n\xc0\xb5\n")),
        ("hundred-and-one-signatures", TEXT + "\n" + mine * 101),
        ("over-a-million-bytes", signed("x" * 1_000_000 + "\n")),
    ]
    text: list[tuple[str, str | bytes]] = [
        ("text-changed", good.replace("\n5\n", "\n6\n")),
        ("empty-line-added-to-the-text", good.replace("\n\n", "\n\n\n")),
        ("byte-order-mark", "\ufeff" + good),
        ("signature-of-another-text", f"{TEXT}\n{line(TEXT + TEXT)}"),
        ("signature-flipped", good.replace(encoded, b64(blob[:10] + bytes([blob[10] ^ 1]) + blob[11:]))),
        ("signature-cut-short", good.replace(encoded, b64(blob[:-1]))),
        ("signature-too-long", good.replace(encoded, b64(blob + b"\0"))),
        ("signature-all-zero", good.replace(encoded, b64(blob[:4] + bytes(64)))),
        ("second-line-of-the-key-wrong", good + f"— {LOG} {b64(blob[:4] + bytes(64))}\n"),
        ("first-line-of-the-key-wrong", f"{TEXT}\n— {LOG} {b64(blob[:4] + bytes(64))}\n{mine}"),
        ("key-id-of-this-key-signature-of-another", good.replace(encoded, b64(blob[:4] + other_signature()[4:]))),
    ]
    nobody: list[tuple[str, str | bytes]] = [
        ("signed-by-another-key", f"{TEXT}\n{line(TEXT, LOG, bytes([2]) * 32)}"),
        ("signed-under-another-name", f"{TEXT}\n{line(TEXT, LOG + '/x')}"),
        ("name-changed-on-the-line", good.replace(f"— {LOG} ", f"— {LOG}x ")),
        ("key-id-flipped", good.replace(encoded, b64(bytes([blob[0] ^ 1]) + blob[1:]))),
    ]
    return [
        *((name, data, "MalformedNote") for name, data in shape),
        *((name, data, "BadSignature") for name, data in text),
        *((name, data, "NotSigned") for name, data in nobody),
    ]


def other_signature() -> bytes:
    return base64.b64decode(line(TEXT, LOG, bytes([2]) * 32).rsplit(" ", 1)[1])


def checkpoints() -> list[tuple[str, str | bytes, str]]:
    """Named notes whose signature is right, except for the last ones: it is the checkpoint that is wrong."""
    texts = [
        ("root-missing", f"{LOG}\n5\n"),
        ("size-missing", f"{LOG}\n{ROOT}\n"),
        ("origin-missing", f"5\n{ROOT}\n"),
        ("origin-empty", f"\n5\n{ROOT}\n"),
        ("size-empty", f"{LOG}\n\n{ROOT}\n"),
        ("root-empty", f"{LOG}\n5\n\n"),
        ("size-with-leading-zero", f"{LOG}\n05\n{ROOT}\n"),
        ("size-of-two-zeros", f"{LOG}\n00\n{EMPTY}\n"),
        ("size-with-plus", f"{LOG}\n+5\n{ROOT}\n"),
        ("size-negative", f"{LOG}\n-5\n{ROOT}\n"),
        ("size-with-space", f"{LOG}\n5 \n{ROOT}\n"),
        ("size-hexadecimal", f"{LOG}\n0x5\n{ROOT}\n"),
        ("size-with-underscore", f"{LOG}\n1_000\n{ROOT}\n"),
        ("size-in-other-digits", f"{LOG}\n٥\n{ROOT}\n"),
        ("size-of-two-to-the-63", f"{LOG}\n{2**63}\n{ROOT}\n"),
        ("size-of-five-thousand-digits", f"{LOG}\n{'9' * 5000}\n{ROOT}\n"),
        ("root-of-31-bytes", f"{LOG}\n5\n{b64(bytes(31))}\n"),
        ("root-of-33-bytes", f"{LOG}\n5\n{b64(bytes(33))}\n"),
        ("root-without-padding", f"{LOG}\n5\n{ROOT.rstrip('=')}\n"),
        ("root-with-spare-bits", f"{LOG}\n5\n{b64(bytes(32))[:-2]}B=\n"),
        ("root-in-hex", f"{LOG}\n5\n{'5e' * 32}\n"),
        ("root-with-space", f"{LOG}\n5\n{ROOT} \n"),
        ("empty-extension-line", f"{LOG}\n5\n{ROOT}\n\n"),
        ("empty-line-before-an-extension", f"{LOG}\n5\n{ROOT}\n\nextension\n"),
        ("empty-tree-with-another-root", f"{LOG}\n0\n{ROOT}\n"),
    ]
    elsewhere = TEXT.replace(LOG, "example.com/other")
    return [
        *((name, signed(text), "MalformedCheckpoint") for name, text in texts),
        ("another-logs", signed(elsewhere, "example.com/other"), "WrongOrigin"),
        ("another-logs-signed-with-this-name", signed(elsewhere), "WrongOrigin"),
        ("origin-with-slash-added", signed(TEXT.replace(LOG, LOG + "/")), "WrongOrigin"),
        ("origin-in-capitals", signed(TEXT.replace(LOG, LOG.upper())), "WrongOrigin"),
        ("signed-with-another-name", signed(TEXT, "example.com/other"), "NotSigned"),
        ("size-changed", signed(TEXT).replace("\n5\n", "\n6\n"), "BadSignature"),
        ("root-changed", signed(TEXT).replace(ROOT, EMPTY), "BadSignature"),
        ("extension-added", signed(TEXT).replace("\n\n", "\nextension\n\n"), "BadSignature"),
    ]


def proofs() -> list[tuple[str, str | bytes, str]]:
    """Named proof files for leaf 511 of 1,000 (`in-the-middle` in accepted.json)."""
    accepted = {
        case["name"]: case["proof"] for case in json.loads((VECTORS / "proofs/accepted.json").read_text())["proofs"]
    }
    good, extra = accepted["in-the-middle"], accepted["with-extra-data"]
    head, _, checkpoint = good.partition("\n\n")
    hashes = head.split("\n")[2:]
    text = checkpoint.partition("\n\n")[0] + "\n"

    def with_hashes(*lines: str) -> str:
        return "\n".join([*head.split("\n")[:2], *lines]) + "\n\n" + checkpoint

    first = base64.b64decode(hashes[0])
    shape = [
        ("nothing", ""),
        ("checkpoint-only", checkpoint),
        ("header-missing", good.partition("\n")[2]),
        ("header-of-version-2", good.replace("@v1\n", "@v2\n")),
        ("header-with-space", good.replace("@v1\n", "@v1 \n")),
        ("byte-order-mark", "\ufeff" + good),
        ("newline-first", "\n" + good),
        ("carriage-returns", good.replace("\n", "\r\n")),
        ("index-missing", good.replace("index 511\n", "")),
        ("index-empty", good.replace("index 511", "index ")),
        ("index-with-leading-zero", good.replace("index 511", "index 0511")),
        ("index-with-plus", good.replace("index 511", "index +511")),
        ("index-negative", good.replace("index 511", "index -1")),
        ("index-with-two-spaces", good.replace("index 511", "index  511")),
        ("index-in-other-digits", good.replace("index 511", "index ٥")),
        ("index-of-two-to-the-63", good.replace("index 511", f"index {2**63}")),
        ("index-twice", good.replace("index 511\n", "index 511\nindex 511\n")),
        ("extra-after-the-index", extra.replace("extra ", "extr_ ").replace("index 512\n", "index 512\nextra YQ==\n")),
        ("extra-empty", good.replace("index", "extra \nindex")),
        ("extra-without-space", extra.replace("extra ", "extra")),
        ("extra-not-base64", extra.replace("extra ", "extra !")),
        ("extra-twice", extra.replace("index", "extra YQ==\nindex")),
        ("unknown-line", good.replace("index", "note YQ==\nindex")),
        ("hash-of-31-bytes", with_hashes(b64(first[:31]), *hashes[1:])),
        ("hash-of-33-bytes", with_hashes(b64(first + b"\0"), *hashes[1:])),
        ("hash-in-hex", with_hashes(first.hex(), *hashes[1:])),
        ("hash-without-padding", with_hashes(hashes[0].rstrip("="), *hashes[1:])),
        ("hash-with-space", with_hashes(hashes[0] + " ", *hashes[1:])),
        ("sixty-four-hashes", with_hashes(*[hashes[0]] * 64)),
        ("extra-over-64-kib", good.replace("index", f"extra {b64(bytes(65537))}\nindex")),
        ("empty-line-missing", good.replace("\n\n", "\n", 1)),
    ]
    note = [
        ("empty-line-twice", good.replace("\n\n", "\n\n\n", 1), "MalformedCheckpoint"),
        ("checkpoint-missing", head + "\n\n", "MalformedNote"),
        ("checkpoint-without-signature", head + "\n\n" + text + "\n", "MalformedNote"),
        ("garbage-at-the-end", good + "x", "MalformedNote"),
        ("newline-at-the-end", good + "\n", "MalformedNote"),
        ("cut-by-a-byte", good[:-1], "MalformedNote"),
        ("checkpoint-of-another-log", _signed_for(head, text, "indelible/globex"), "WrongOrigin"),
        ("checkpoint-of-the-ledgers-own-log", _signed_for(head, text, "indelible"), "WrongOrigin"),
        ("size-changed", good.replace("\n1000\n", "\n1001\n"), "BadSignature"),
    ]
    path = [
        ("index-of-the-leaf-before", good.replace("index 511", "index 510")),
        ("index-of-the-leaf-after", good.replace("index 511", "index 512")),
        ("index-of-the-size", good.replace("index 511", "index 1000")),
        ("index-beyond-the-tree", good.replace("index 511", "index 1511")),
        ("no-hashes", with_hashes()),
        ("first-hash-missing", with_hashes(*hashes[1:])),
        ("last-hash-missing", with_hashes(*hashes[:-1])),
        ("hash-added-at-the-end", with_hashes(*hashes, hashes[0])),
        ("hash-added-at-the-start", with_hashes(hashes[0], *hashes)),
        ("hashes-reversed", with_hashes(*hashes[::-1])),
        ("first-two-hashes-swapped", with_hashes(hashes[1], hashes[0], *hashes[2:])),
        ("one-hash-changed", with_hashes(b64(bytes([first[0] ^ 1]) + first[1:]), *hashes[1:])),
        ("proof-of-another-leaf", accepted["first-leaf"]),
        ("smaller-tree-and-signed", _signed_for(head, text.replace("\n1000\n", "\n512\n"), ORG)),
        ("another-root-and-signed", _signed_for(head, f"{ORG}\n1000\n{ROOT}\n", ORG)),
    ]
    return [
        *((name, data, "MalformedProof") for name, data in shape),
        *note,
        *((name, data, "ProofInvalid") for name, data in path),
    ]


def _signed_for(head: str, text: str, origin: str) -> str:
    return head + "\n\n" + signed(text.replace(ORG, origin), origin)


FILES = {
    "notes/refused.json": notes,
    "notes/refused-checkpoints.json": checkpoints,
    "proofs/refused.json": proofs,
}


def content(cases: list[tuple[str, str | bytes, str]]) -> str:
    """The file for these cases. Data is base64; long repetitions are not worth a megabyte and stay out of the file."""
    listed: list[dict[str, Any]] = []
    for name, data, error in cases:
        raw = data.encode() if isinstance(data, str) else data
        if len(raw) < 20_000:
            listed.append({"name": name, "error": error, "data": b64(raw)})
    return json.dumps({"source": "tests/vectors/notes/mutations.py", "cases": listed}, indent=1) + "\n"


if __name__ == "__main__":
    for file, cases in FILES.items():
        (VECTORS / file).write_text(content(cases()))
