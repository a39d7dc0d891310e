# SPDX-License-Identifier: Apache-2.0
"""`README.txt` of an evidence bundle: explains it to a first-time reader, with commands that work as printed.

Invariant: the text depends on the manifest alone, so the same range gives the same bytes.
"""

from __future__ import annotations

from indelible.domain.bundle import Exported, LastCheckpoint, LastRecord

_WIDTH = 100


def readme(
    *,
    ledger_name: str,
    org_id: str,
    first: int,
    last: int,
    lines: int,
    head: LastRecord | None,
    checkpoint: LastCheckpoint | None,
    exported: Exported,
    page: str,
) -> bytes:
    """The text (UTF-8). `page` is the paragraph about `evidence.html`, or about why there is none."""
    parts = [
        f"EVIDENCE BUNDLE  {ledger_name}/{org_id}, records {first} to {last}\n{'=' * _WIDTH}",
        _about(ledger_name, lines, head),
        *([_broken(exported)] if not exported.valid else []),
        page,
        _CONTENTS,
        _commands(first, head),
        _signature(ledger_name, org_id, checkpoint),
        _LIMITS,
    ]
    return ("\n\n".join(part.strip("\n") for part in parts) + "\n").encode()


def _about(ledger_name: str, lines: int, head: LastRecord | None) -> str:
    end = (
        ""
        if head is None
        else f"\nThe last one is record {head.sequence} of {head.timestamp}, with the hash\n{head.tx_hash}."
    )
    return f"""\
These are {lines:,} records of the audit ledger '{ledger_name}', byte for byte as they lie in its bucket, and what
is needed to check them without the bucket, without the ledger and without a network.{end}"""


def _broken(exported: Exported) -> str:
    at = "" if exported.first_broken_at is None else f", the first at record {exported.first_broken_at}"
    return f"""\
THIS RANGE IS NOT WHOLE: whoever exported it met {exported.failures_total:,} failure(s){at}.
"exported" in manifest.json lists them. The bundle is evidence of that; the checks below show
where, but for what a copy does not show: locks, and what was laid over a record in the bucket."""


_CONTENTS = """\
WHAT IS IN IT

  manifest.json      what the bundle is about, and the SHA-256 of every other file
  records.jsonl      the records, one a line
  predecessor.json   the record before the first one, where there is one: the first names its hash
  receipts.jsonl     for each line of records.jsonl, what the ledger gave its word for
  keys/              the ledger's statements about its signing keys
  log/               checkpoints that the ledger signed over its records, and parts of the Merkle tree under them
  ledger/            what anchors these checkpoints: the ledger's own log, and its external anchors"""


def _commands(first: int, head: LastRecord | None) -> str:
    line = 1 if head is None else max(1, head.sequence - first + 1)
    return f"""\
CHECK IT YOURSELF

Unpack it, and in its directory (sha256sum, jq and openssl are all it takes):

1. Every file is the one that the manifest lists:

      jq -r '.files | to_entries[] | "\\(.value.sha256)  \\(.key)"' manifest.json | sha256sum --check --quiet

2. The hash of a record is the hash of its line. For the last one:

      sed -n {line}p records.jsonl | tr -d '\\n' | sha256sum
      sed -n {line}p receipts.jsonl | jq -r .tx_hash

   And every record names the hash of the one before, so that none can be changed, dropped or put between:

      while IFS= read -r record; do printf %s "$record" | sha256sum | cut -c 1-64; done < records.jsonl > hashes.txt
      jq -r .tx_hash receipts.jsonl | cmp - hashes.txt
      jq -r .prev_hash records.jsonl | sed 1d > links.txt
      sed '$d' hashes.txt | cmp - links.txt && echo 'every record names the one before'"""


def _signature(ledger_name: str, org_id: str, checkpoint: LastCheckpoint | None) -> str:
    if checkpoint is None:
        return """\
3. No signed checkpoint covers these records yet: nobody's signature shows when they were there, and a chain
   written anew from its first record could not be told from this one. Export the range again in some minutes."""
    origin, path = f"{ledger_name}/{org_id}", f"log/checkpoints/{checkpoint.size:012d}"
    return f"""\
3. The ledger signed a checkpoint over its first {checkpoint.size:,} records. ledger.pem is the public key that it
   signed with: the one that you have kept since you began to trust the ledger, which must not come from here, or
   one that the statements in keys/ lead to from there:

      sed '/^$/,$d' {path} > text
      grep '^— {origin} ' {path} |
        head -n 1 | cut -d ' ' -f 3 | base64 --decode | tail -c 64 > signature
      openssl pkeyutl -verify -pubin -inkey ledger.pem -rawin -in text -sigfile signature

The program `indelible verify evidence.zip --key KEY` checks all of this and the rest: that the records lead to the
root that was signed, that the key was the ledger's at the time, and what external anchors say of it."""


_LIMITS = """\
WHAT IT CANNOT SHOW

A copy does not show locks, nor what an administrator may have laid over the originals in the bucket. Records after
the range are not here. Records after the last signed checkpoint could still be cut off, unless you hold a receipt.
What a record says is what its sender said: the ledger shows that it was said, when, and that it was not changed."""
