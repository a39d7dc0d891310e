# SPDX-License-Identifier: Apache-2.0
"""How long a function is held by the worst JSON that can be sent.

What the record function does in memory: for a stranger parse, validate, and the serialization that the signature is
over; for a member sanitize and serialize besides. Each case runs at the body's limit and at half of it; a ratio well
above 2 means more than linear work, the one thing that must not be.

Times are of the processor, so a busy machine changes them little.

    python -m benchmarks.parse [--runs 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from indelible.domain import credentials, event
from indelible.domain.canonical import canonical_bytes, parse
from indelible.domain.sanitize import sanitize
from indelible.entry.gateway import MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES
from indelible.entry.models import BatchRequest, RecordRequest
from indelible.errors import LedgerError

_SLACK = 256  # for what stands around the filler

Case = Callable[[int], bytes]


def _payload(filler: Callable[[int], str]) -> Case:
    return lambda size: f'{{"org_id":"acme-corp","event_type":"X","payload":{filler(size - _SLACK)}}}'.encode()


def _text(piece: str) -> Case:
    return _payload(lambda size: f'{{"a":"{piece * (size // len(piece.encode()))}"}}')


def _list(item: str) -> Case:
    return _payload(lambda size: f'{{"a":[{",".join([item] * (size // (len(item) + 1)))}]}}')


def _keys(size: int, shape: Callable[[int], str]) -> str:
    count = size // (len(shape(10**6)) + 1)
    return f"{{{','.join(shape(10**6 + number) for number in range(count))}}}"


def _nested(size: int) -> str:
    """Thirty levels, again and again, to the body's limit."""
    one = "[" * 30 + "]" * 30
    return f'{{"a":[{",".join([one] * (size // 61))}]}}'


CASES: dict[str, Case] = {
    "plain text": _text("audit "),
    "escapes \\u0041": _text(r"\u0041"),
    'escapes \\"': _text(r"\""),
    "surrogate pairs": _text(r"\ud83d\ude00"),
    "a lone surrogate at the end": _payload(lambda size: f'{{"a":"{"é" * (size // 2)}\\ud800"}}'),
    "emoji": _text("😀"),
    "brackets never closed": lambda size: b"[" * size,
    "objects never closed": lambda size: b'{"a":' * (size // 5),
    "thirty levels again and again": _payload(_nested),
    "empty arrays": _list("[]"),
    "empty objects": _list("{}"),
    "small numbers": _list("0"),
    "decimals": _list("0.1"),
    "exponents": _list("1e-9"),
    "nulls": _list("null"),
    "many keys": _payload(lambda size: _keys(size, lambda n: f'"k{n}":0')),
    "many keys beyond the BMP": _payload(lambda size: _keys(size, lambda n: f'"\\ud83d\\ude00{n}":0')),
    "many secrets": _payload(lambda size: _keys(size, lambda n: f'"k{n}_token":"x"')),
    "one key many times": _payload(lambda size: _keys(size, lambda _: '"k":0')),
    "pairs of duplicates": _payload(lambda size: _keys(size, lambda n: f'"{n // 2}":0')),
    "one very long key": _payload(lambda size: f'{{"{"a" * size}":0}}'),
    "one very long camelCase key": _payload(lambda size: f'{{"{"aB" * (size // 2)}":0}}'),
    "one very long key of words": _payload(lambda size: f'{{"{"pin_1" * (size // 5)}":0}}'),
    "one very long unknown field": lambda size: b'{"%b":0}' % (b"a" * (size - _SLACK)),
    "one very long integer": _payload(lambda size: f'{{"a":{"9" * size}}}'),
    "one very long fraction": _payload(lambda size: f'{{"a":0.{"1" * size}}}'),
    "one very small number": _payload(lambda size: f'{{"a":0.{"0" * size}1}}'),
    "one very long exponent": _payload(lambda size: f'{{"a":1e{"9" * size}}}'),
    "white space": lambda size: b" " * size,
    "not JSON at the very end": lambda size: b'{"a":[' + b"0," * (size // 2 - 8) + b"}",
    "eyJ- again and again": _text("eyJ-"),
    "eyJ. again and again": _text("eyJaaaaaaaaa."),
    "://a:b again and again": _text("://a:b"),
    "://a:b of the longest": _text("://" + "a" * 255 + ":" + "b" * 255),
    "-----BEGIN again and again": _text("-----BEGIN RSA PRIVATE KEY-----"),
    "-----BEGIN and words": _text("-----BEGIN A A A A A A A A A A A A A A A A "),
    "AKIA again and again": _text("AKIA"),
    "ghp_ of the longest": _text("ghp_" + "a" * 256 + " "),
    "sk- again and again": _text("sk-"),
    "glpat- again and again": _text("glpat-"),
    "Bearer and white space": _text("Bearer" + " " * 500),
    "white space after Bearer": _payload(lambda size: f'{{"a":"Bearer{" " * size}"}}'),
    "words after Basic": _text("Basic aaaaaaaaaaaaaaa "),
}


def handle(body: bytes, *, batch: bool) -> tuple[float, float, str]:
    """Milliseconds for a stranger and for a member, and what comes of it: `taken`, or the code of the refusal."""
    began = time.process_time()
    stranger, what = began, "taken"
    try:
        arguments = parse(body)
        event.validate(arguments, BatchRequest if batch else RecordRequest)
        credentials.sign(arguments, "0" * 64)
        stranger = time.process_time()
        for sent in arguments["events"] if batch else [arguments]:  # type: ignore[union-attr]
            canonical_bytes(sanitize(sent))  # type: ignore[arg-type]
    except LedgerError as error:
        what = error.code
    ended = time.process_time()
    return 1000 * ((stranger if what == "taken" else ended) - began), 1000 * (ended - began), what


def _as_batch(body: bytes) -> bytes:
    """The same event in a batch; what is no such event stays as it is."""
    begin = b'{"org_id":"acme-corp",'
    return begin + b'"events":[{' + body.removeprefix(begin) + b"]}" if body.startswith(begin) else body


def _medians(body: bytes, *, batch: bool, runs: int) -> tuple[float, float, str]:
    took = [handle(body, batch=batch) for _ in range(runs)]
    return statistics.median(t[0] for t in took), statistics.median(t[1] for t in took), took[0][2]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=3)
    runs = options.parse_args().runs
    print(f"{'medians of ' + str(runs) + ', ms':32}{'1 MiB: stranger':>16}{'member':>8}{'ratio':>6}", end="")
    print(f"{'5 MiB: stranger':>18}{'member':>8}{'ratio':>6}  outcome")
    for name, make in CASES.items():
        row, what = "", ""
        for limit, batch in ((MAX_BODY_BYTES, False), (MAX_BATCH_BODY_BYTES, True)):
            half, full = (_as_batch(make(size)) if batch else make(size) for size in (limit // 2, limit))
            _, before, _ = _medians(half, batch=batch, runs=runs)
            stranger, after, what = _medians(full, batch=batch, runs=runs)
            row += f"{stranger:{18 if batch else 16}.0f}{after:8.0f}{after / before:6.1f}"
        print(f"{name:32}{row}  {what}", flush=True)


if __name__ == "__main__":
    main()
