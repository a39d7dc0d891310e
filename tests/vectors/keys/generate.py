# SPDX-License-Identifier: Apache-2.0
"""Key statements and rings of them: right ones, and ones that must be refused after one named change each.

`python -m tests.vectors.keys.generate` writes them. Knows docs/format.md, and nothing of Indelible's code.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).parent
LEDGER = "indelible"
TIMES = ("2026-03-20T14:25:00.000Z", "2028-03-20T10:20:00.000Z", "2030-03-20T10:20:00.000Z")
SEEDS = (0x67, 0x68, 0x69)
"""Each key's private half is 32 times this byte."""


def private(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def public(seed: int) -> bytes:
    return private(seed).public_key().public_bytes_raw()


def key_id(seed: int, name: str = LEDGER) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public(seed)).digest()[:4]


def vkey(seed: int, name: str = LEDGER) -> str:
    encoded = base64.b64encode(b"\x01" + public(seed)).decode()
    return f"{name}+{key_id(seed, name).hex()}+{encoded}"


def text(generation: int, before: str, *, seed: int | None = None, at: str | None = None, name: str = LEDGER) -> str:
    """Generation n by the book; `before` is the text of the statement before."""
    named = hashlib.sha256(before.encode()).hexdigest() if before else "GENESIS"
    key = vkey(SEEDS[generation - 1] if seed is None else seed, name)
    lines = ["indelible/signing-key@v1", name, str(generation), key, at or TIMES[generation - 1], named]
    return "".join(f"{line}\n" for line in lines)


def note(of: str, *seeds: int, name: str = LEDGER) -> str:
    """The text and a signature line by each."""
    lines = [
        f"— {name} {base64.b64encode(key_id(seed, name) + private(seed).sign(of.encode())).decode()}\n"
        for seed in seeds
    ]
    return f"{of}\n{''.join(lines)}"


ONE = text(1, "")
TWO = text(2, ONE)
THREE = text(3, TWO)
A, B, C = SEEDS
X = 0x78
"""A stranger's."""
GOOD = [note(ONE, A), note(TWO, B, A), note(THREE, C, B)]


def statements() -> list[tuple[str, str]]:
    """Texts that are no key statement, well signed."""
    lines = TWO.split("\n")

    def with_line(number: int, line: str) -> str:
        return "\n".join([*lines[: number - 1], line, *lines[number:]])

    changed = [
        ("format-of-version-2", with_line(1, "indelible/signing-key@v2")),
        ("format-in-capitals", with_line(1, "Indelible/signing-key@v1")),
        ("ledger-name-empty", with_line(2, "")),
        ("ledger-name-not-that-of-the-key", with_line(2, "other")),
        ("ledger-name-with-a-slash", text(2, ONE, name=f"{LEDGER}/acme-corp")),
        ("generation-zero", with_line(3, "0")),
        ("generation-with-leading-zero", with_line(3, "02")),
        ("generation-negative", with_line(3, "-2")),
        ("generation-in-other-digits", with_line(3, "٢")),
        ("generation-of-five-digits", with_line(3, "10000")),
        ("generation-one-with-a-predecessor", with_line(3, "1")),
        ("key-missing", with_line(4, "")),
        ("key-with-another-hash", with_line(4, vkey(B).replace("+50d935cb+", "+50d935cc+"))),
        ("key-under-another-name", with_line(4, vkey(B, "indelible/acme-corp"))),
        ("key-of-a-witness", with_line(4, witness(B))),
        ("key-in-hex", with_line(4, public(B).hex())),
        ("time-without-milliseconds", with_line(5, "2028-03-20T10:20:00Z")),
        ("time-with-an-offset", with_line(5, "2028-03-20T11:20:00.000+01:00")),
        ("time-in-lower-case", with_line(5, "2028-03-20t10:20:00.000z")),
        ("time-that-is-none", with_line(5, "2028-02-30T10:20:00.000Z")),
        ("time-as-a-number", with_line(5, "1837160400000")),
        ("predecessor-missing", with_line(6, "")),
        ("predecessor-genesis-in-the-second", with_line(6, "GENESIS")),
        ("predecessor-in-capitals", with_line(6, lines[5].upper())),
        ("predecessor-cut-short", with_line(6, lines[5][:-1])),
        ("line-added", TWO + "more\n"),
        ("line-missing", TWO.replace(TIMES[1] + "\n", "")),
        ("lines-swapped", "\n".join([*lines[:4], lines[5], lines[4], ""])),
    ]
    return [(name, note(of, B, A)) for name, of in changed]


def witness(seed: int) -> str:
    hashed = hashlib.sha256(LEDGER.encode() + b"\n\x04" + public(seed)).digest()[:4]
    encoded = base64.b64encode(b"\x04" + public(seed)).decode()
    return f"{LEDGER}+{hashed.hex()}+{encoded}"


def rings() -> list[tuple[str, int, list[str], str]]:
    """Name, the pinned key, the statements, and how the walk is refused."""
    one, two, three = GOOD
    other_one = text(1, "", at="2026-03-20T14:25:00.001Z")
    mine, not_one = text(2, ONE, seed=X), text(1, "", seed=X)
    broken = [
        ("generation-missing-in-the-middle", A, [one, three]),
        ("generation-missing-at-the-start", B, [two, three]),
        ("generation-stated-twice", A, [one, two, two, three]),
        ("two-successors", A, [one, two, note(mine, X, A)]),
        ("two-successors-the-other-way", A, [one, note(mine, X, A), two]),
        ("order-turned", A, [two, one]),
        ("another-ledgers", A, [note(text(1, "", name="other"), A, name="other")]),
        ("pinned-key-not-among-them", X, GOOD),
        ("nothing", A, []),
        ("wrong-predecessor", B, [one, note(text(2, THREE), B, A)]),
        ("predecessors-time-changed", B, [note(other_one, A), two]),
        (
            "old-key-rewrites-what-came-before-it",
            C,
            [note(not_one, X), note(text(2, not_one), B, X), three],
        ),
        ("stranger-before-the-pinned-key", B, [note(not_one, X), note(TWO, B, A, X)]),
        ("fork-seen-from-the-newer-key", B, [one, note(mine, X, A)]),
        ("valid-from-as-before", B, [one, note(text(2, ONE, at=TIMES[0]), B, A)]),
        ("valid-from-earlier", B, [one, note(text(2, ONE, at="2026-03-20T14:24:59.999Z"), B, A)]),
        ("key-returns", B, [one, two, note(text(3, TWO, seed=A), A, B)]),
        ("key-follows-itself", A, [one, note(text(2, ONE, seed=A), A)]),
    ]
    unsigned = [
        ("not-by-the-predecessor", B, [one, note(TWO, B)]),
        ("not-by-itself", A, [one, note(TWO, A)]),
        ("by-a-stranger-for-the-predecessor", B, [one, note(TWO, B, X)]),
        ("first-not-by-itself", B, [note(ONE, B), two]),
        ("by-the-generation-before-the-last", C, [one, two, note(THREE, C, A)]),
        ("signed-under-another-name", A, [note(ONE, A, name="other")]),
    ]
    forged = [
        ("predecessors-signature-of-another-text", B, [one, note(TWO, B) + note(ONE, A).split("\n\n")[1]]),
        ("text-changed-after-signing", B, [one, two.replace("2028-", "2029-")]),
        ("first-text-changed-after-signing", B, [one.replace("14:25", "14:26"), two]),
    ]
    malformed = [("no-note", A, ["rubbish"]), ("a-checkpoint", A, [note(f"{LEDGER}\n1\n{'A' * 43}=\n", A)])]
    return [
        *((name, seed, notes, "BrokenRing") for name, seed, notes in broken),
        *((name, seed, notes, "NotSigned") for name, seed, notes in unsigned),
        *((name, seed, notes, "BadSignature") for name, seed, notes in forged),
        *((name, seed, notes, "MalformedNote") for name, seed, notes in malformed),
    ]


def content() -> dict[str, Any]:
    """Both files."""
    source = "tests/vectors/keys/generate.py"
    accepted = [
        {"generation": place, "public_key": public(seed).hex(), "valid_from": TIMES[place - 1], "note": GOOD[place - 1]}
        for place, seed in enumerate(SEEDS, start=1)
    ]
    return {
        "accepted.json": {"source": source, "ledger_name": LEDGER, "statements": accepted},
        "refused.json": {
            "source": source,
            "ledger_name": LEDGER,
            "statements": [{"name": name, "note": of} for name, of in statements()],
            "rings": [
                {"name": name, "pinned": public(seed).hex(), "notes": notes, "error": error}
                for name, seed, notes, error in rings()
            ],
        },
    }


if __name__ == "__main__":
    for file, made in content().items():
        (HERE / file).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
