# SPDX-License-Identifier: Apache-2.0
"""Exports are private, locked for some days, and then gone; what packs them has room, and no secret."""

from __future__ import annotations

from fnmatch import fnmatchcase

from indelible.aws.clients import WAITING
from indelible.aws.pack_function import WAITING_S
from indelible.client.ledger import PACKING_S
from indelible.domain.export_job import FORMS
from indelible.entry import gateway
from indelible.services import export_jobs
from indelible.services.export_jobs import STALE_MS
from infra.constructs.exports_bucket import FILE_KEYS, STATE_KEYS
from tests.infra.synth import Json, Synthesized


def bucket(synthesized: Synthesized) -> Json:
    properties: Json = synthesized.one("AWS::S3::Bucket", "ExportsBucket")["Properties"]
    return properties


def test_exports_are_locked_and_go_when_the_lock_is_over(prod: Synthesized, dev: Synthesized) -> None:
    for synthesized, mode, days in ((prod, "COMPLIANCE", 7), (dev, "GOVERNANCE", 1)):
        properties = bucket(synthesized)
        retention = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        assert retention == {"Mode": mode, "Days": days}
        # One rule: it expires delete markers, too, and CloudFormation refuses one that does nothing else.
        (expiry,) = properties["LifecycleConfiguration"]["Rules"]
        assert expiry["ExpirationInDays"] == days + 1
        assert expiry["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
        assert expiry["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert expiry["Status"] == "Enabled"


def test_nobody_from_outside_and_nothing_without_tls(prod: Synthesized) -> None:
    assert set(bucket(prod)["PublicAccessBlockConfiguration"].values()) == {True}
    denied = [s["Condition"] for s in prod.policy("ExportsBucket") if s["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    assert not [s for s in prod.policy("ExportsBucket") if s["Effect"] == "Allow"]


def test_downloads_are_logged(prod: Synthesized) -> None:
    assert bucket(prod)["LoggingConfiguration"]["LogFilePrefix"] == "s3-access/exports/"


def test_what_packs_may_write_every_form_and_no_other() -> None:
    for pattern in FILE_KEYS:
        assert any(fnmatchcase(f"acme-corp/0/ab.{form.suffix}", pattern) for form in FORMS.values()), pattern
    for form in FORMS.values():
        key = f"acme-corp/0/ab.{form.suffix}"
        assert [fnmatchcase(key, pattern) for pattern in FILE_KEYS].count(True) == 1
        assert not fnmatchcase(key, STATE_KEYS), "the export endpoint writes no files"


def test_a_short_export_is_waited_for_within_its_request(prod: Synthesized) -> None:
    seconds = prod.one("AWS::Lambda::Function", "ExportFunction")["Properties"]["Timeout"]
    left_ms = seconds * 1000 - gateway.ANSWERING_MS - export_jobs.ANSWERING_MS
    assert left_ms - 2_000 > WAITING_S * 1000, "who asks, and the record of it, come before the waiting"
    assert WAITING.read_timeout == WAITING_S


def test_what_packs_has_time_and_room_and_no_secret(prod: Synthesized) -> None:
    properties = prod.one("AWS::Lambda::Function", "ExportsPackFunction")["Properties"]
    assert (properties["Timeout"], properties["MemorySize"]) == (900, 3008)
    assert properties["EphemeralStorage"] == {"Size": 10240}
    told = properties["Environment"]["Variables"]
    assert "INDELIBLE_SECRET_ARN" not in told
    config = prod.one("AWS::Lambda::EventInvokeConfig", "ExportsPack")["Properties"]
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 120)
    longest_s = config["MaximumEventAgeInSeconds"] + properties["Timeout"]
    assert longest_s * 1000 < STALE_MS, "an export that waits or runs still is not begun anew"
    assert STALE_MS < PACKING_S * 1000, "a client waits until it is told that nothing comes of it"
