# SPDX-License-Identifier: Apache-2.0
"""A demonstration with a running ledger: record, prove, verify, then tamper as an administrator.

Invariant: every printed statement was checked just before; a false one ends the demo with an error. Tampering happens
in an organisation of its own, so that acme-corp's chain stays valid.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from indelible.client import LedgerClient, LedgerRefusal
from indelible.domain.canonical import canonical_bytes
from local.deploy import create_org
from local.env import Outputs, use_emulator
from local.state import LocalError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SAMPLE = Path(__file__).parent / "sample-run.jsonl"
_OVERLAID, _HIDDEN = 3, 5

console = Console(highlight=False)


def run(outputs: Outputs) -> None:
    """Run the demo. Raises LocalError if the ledger does not behave as expected."""
    use_emulator(os.environ, outputs.endpoint_url)
    events = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    session = boto3.session.Session(region_name=outputs.region)
    s3 = session.client("s3")
    try:
        with _client(outputs, outputs.org_id, outputs.hmac_secret) as ledger:
            receipts = _record(ledger, events)
            _prove(ledger, s3, outputs.bucket, events, receipts)
            _title("Verifying the chain", "every version is read from the bucket again, hashed and linked")
            _verify(ledger, outputs.org_id, at_least=len(events))
            _tamper(outputs, s3, events)
            _title(f"Verifying {outputs.org_id} again", "it is not affected by the other organisation")
            _verify(ledger, outputs.org_id, at_least=len(events))
    except LedgerRefusal as error:
        raise LocalError(f"the ledger refused ({error.status}): {error}") from error
    _what_next(outputs)


def _record(ledger: LedgerClient, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    _title("Recording an agent run", "a loan application, decided by three agents and one person")
    begun = time.monotonic()
    receipts = [ledger.record(event) for event in track(events, "  recording", console=console, transient=True)]
    took = time.monotonic() - begun
    first, last = receipts[0], receipts[-1]
    _expect(last["sequence"] - first["sequence"] == len(events) - 1, "sequences are contiguous")
    _expect(
        all(one["tx_hash"] == two["prev_hash"] for one, two in itertools.pairwise(receipts)),
        "each record names the hash of the one before",
    )
    _say(
        f"  {len(events)} events are sealed as records {first['sequence']} to {last['sequence']} in {took:.1f} s, "
        f"each locked in S3 ({last['s3_lock_mode']}) until {last['retention_until'][:10]}."
    )
    return receipts


def _prove(
    ledger: LedgerClient, s3: S3Client, bucket: str, events: list[dict[str, Any]], receipts: list[dict[str, Any]]
) -> None:
    # The record in which a person overruled the machine.
    index = next(i for i, event in enumerate(events) if event["event_type"] == "HUMAN_DECISION")
    receipt = receipts[index]
    _title("Proving one record", f"number {receipt['sequence']}: why was the amount reduced?")
    proof = ledger.prove(audit_id=receipt["audit_id"])
    record = proof["record"]
    _expect(
        hashlib.sha256(canonical_bytes(record)).hexdigest() == receipt["tx_hash"], "the proof hashes to the receipt"
    )
    version: dict[str, Any] = {"Bucket": bucket, "Key": receipt["s3_key"], "VersionId": receipt["s3_version_id"]}
    stored = s3.get_object(**version, ChecksumMode="ENABLED")
    digest = hashlib.sha256(stored["Body"].read()).digest()
    _expect(digest.hex() == receipt["tx_hash"], "the stored bytes hash to the receipt")
    _expect(stored["ChecksumSHA256"] == base64.b64encode(digest).decode(), "S3 reports the same checksum")
    for name, value in {
        "who": record["event"]["actor"],
        "why": record["event"]["reason"],
        "when": f"{record['timestamp']} by the ledger's clock",
        "receipt": receipt["tx_hash"],
        "in S3": f"{digest.hex()} (SHA-256 of the stored bytes)",
    }.items():
        _say(f"  [dim]{name:<8}[/dim] {escape(str(value))}")


def _verify(ledger: LedgerClient, org_id: str, *, at_least: int) -> None:
    verdict = ledger.verify()
    _expect(verdict["valid"] is True and not verdict["failures"], f"the chain of {org_id} is valid")
    _expect(verdict["entries_checked"] >= at_least, "every record was checked")
    _say(f"  [green]valid[/green]: {verdict['entries_checked']} records in {verdict['verification_time_ms']} ms")


def _tamper(outputs: Outputs, s3: S3Client, events: list[dict[str, Any]]) -> None:
    name = f"demo-tamper-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    org = create_org(name, outputs.ledger_name, urlsplit(outputs.endpoint_url).port or 0)
    _title("Tampering", f"as the account's administrator, in an organisation of its own: {name}")
    with _client(outputs, org["org_id"], org["hmac_secret"]) as ledger:
        receipts = ledger.record_batch(events[:7])
        _expect(ledger.verify()["valid"] is True, "the chain is valid before")
        _attack(s3, outputs.bucket, receipts)
        verdict = ledger.verify()
        named = [(failure["code"], failure["sequence"]) for failure in verdict["failures"]]
        _expect(verdict["valid"] is False, "tampering is noticed")
        _expect(
            named == [("SHADOWED", _OVERLAID), ("SHADOWED", _HIDDEN)] and verdict["first_broken_at"] == _OVERLAID,
            f"exactly the two records are named, not {named}",
        )
        _say("\n  Verifying again:")
        for failure in verdict["failures"]:
            _say(f"  [red]{failure['code']}[/red] record {failure['sequence']}: {escape(failure['detail'])}")
        for sequence in (_OVERLAID, _HIDDEN):
            receipt = receipts[sequence - 1]
            sealed = s3.get_object(Bucket=outputs.bucket, Key=receipt["s3_key"], VersionId=receipt["s3_version_id"])[
                "Body"
            ].read()
            _expect(hashlib.sha256(sealed).hexdigest() == receipt["tx_hash"], "the sealed version is untouched")
        _say("  And the evidence is all there: both sealed versions still hash to their receipts.")


def _attack(s3: S3Client, bucket: str, receipts: list[dict[str, Any]]) -> None:
    """What an administrator can still do who may do anything in the account, and has removed the bucket policy."""
    target, hidden = receipts[_OVERLAID - 1], receipts[_HIDDEN - 1]
    version: dict[str, Any] = {"Bucket": bucket, "Key": target["s3_key"], "VersionId": target["s3_version_id"]}
    soon: Any = {"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=1)}
    _refused("delete the sealed version", lambda: s3.delete_object(**version, BypassGovernanceRetention=True))
    _refused("shorten its retention to a minute", lambda: s3.put_object_retention(**version, Retention=soon))

    record = json.loads(s3.get_object(**version)["Body"].read())
    record["event"]["reason"] = "Everything was in order."
    s3.put_object(Bucket=bucket, Key=target["s3_key"], Body=canonical_bytes(record))
    _say(f"  [yellow]done[/yellow]     write a rewritten version over record {_OVERLAID}")
    _expect(
        s3.delete_object(Bucket=bucket, Key=hidden["s3_key"]).get("DeleteMarker") is True, "S3 writes a delete marker"
    )
    _say(f"  [yellow]done[/yellow]     hide record {_HIDDEN} behind a delete marker")


def _refused(what: str, attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except ClientError as error:
        _expect(error.response["Error"]["Code"] == "AccessDenied", f"Object Lock refuses to {what}, not {error}")
        _say(f"  [green]refused[/green]  {what}")
        return
    _expect(False, f"Object Lock refuses to {what}")


def _client(outputs: Outputs, org_id: str, secret: str) -> LedgerClient:
    return LedgerClient(outputs.api_url, org_id=org_id, hmac_secret=secret, trust_env=False)


def _expect(holds: bool, promise: str) -> None:
    if not holds:
        raise LocalError(f"the demo expected that {promise}, and that does not hold")


def _say(text: str) -> None:
    # Let the terminal wrap long lines: a hash must stay in one piece for copying.
    console.print(text, soft_wrap=True)


def _title(what: str, detail: str) -> None:
    _say(f"\n[bold]{what}[/bold] [dim]· {detail}[/dim]")


def _what_next(outputs: Outputs) -> None:
    _say("\n[bold]The ledger is still running.[/bold] What to try next:")
    _say(f"  its address       {outputs.api_url}")
    _say("  a curl example    README.md")
    _say("  without any API   docs/format.md: verify with aws s3 cp, sha256sum and jq")
    _say("  stop and forget   make down")
