# SPDX-License-Identifier: Apache-2.0
"""S3LogFiles against answers of S3 that are rare, or that no emulator gives."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from indelible.aws.s3_log_files import S3LogFiles
from indelible.domain import instants
from indelible.domain.record import Retention
from indelible.domain.tiles import File
from indelible.errors import EvidenceBroken, Unavailable
from tests.fakes.machine import MIDNIGHT

BUCKET, UNTIL = "evidence", MIDNIGHT + 86_400_000
TILE = File("tile/0/000.p/3", bytes(96))
KEY = f"acme/_log/{TILE.path}"
LATEST = "acme/_log/checkpoint"
SIZES = "acme/_log/checkpoints/"


@pytest.fixture(params=["COMPLIANCE", "GOVERNANCE"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def s3(mode: str) -> Iterator[tuple[S3LogFiles, Stubber]]:
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with ThreadPoolExecutor(1) as pool, Stubber(client) as stub:
        retention = Retention("GOVERNANCE" if mode == "GOVERNANCE" else "COMPLIANCE", 1)
        yield S3LogFiles(client=client, bucket=BUCKET, retention=retention, pool=pool), stub
        stub.assert_no_pending_responses()


def put(mode: str, key: str, data: bytes, **condition: str) -> dict[str, Any]:
    return {
        "Bucket": BUCKET,
        "Key": key,
        "Body": data,
        "ContentType": "text/plain; charset=utf-8" if "checkpoint" in key else "application/octet-stream",
        "ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
        "ServerSideEncryption": "AES256",
        "ObjectLockMode": mode,
        "ObjectLockRetainUntilDate": instants.to_datetime(UNTIL),
        **condition,
    }


def body(data: bytes, etag: str = '"e"') -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ETag": etag}


def page(*entries: tuple[str, str], more: tuple[str, str] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Versions": [{"Key": name, "VersionId": version} for name, version in entries],
        "IsTruncated": more is not None,
    }
    return answer if more is None else answer | {"NextKeyMarker": more[0], "NextVersionIdMarker": more[1]}


def listed(prefix: str, **markers: str) -> dict[str, Any]:
    return {"Bucket": BUCKET, "MaxKeys": 1000, "Prefix": prefix, **markers}


def listing(stub: Stubber, key: str, *versions: str) -> None:
    asked = listed(key)
    stub.add_response("list_object_versions", page(*((key, version) for version in versions)), asked)


def test_each_file_is_created_locked_and_checksummed(s3: tuple[S3LogFiles, Stubber], mode: str) -> None:
    files, stub = s3
    note = File("checkpoints/000000000003", b"note")
    stub.add_response("put_object", {}, put(mode, KEY, TILE.data, IfNoneMatch="*"))
    stub.add_response("put_object", {}, put(mode, f"{SIZES}000000000003", b"note", IfNoneMatch="*"))

    files.write("acme", [TILE, note], retain_until_ms=UNTIL)


@pytest.mark.parametrize(("stored", "same"), [(TILE.data, True), (b"other", False), (None, False)])
def test_a_conflict_is_success_only_over_the_same_bytes(
    s3: tuple[S3LogFiles, Stubber], mode: str, stored: bytes | None, same: bool
) -> None:
    files, stub = s3
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    if stored is None:
        listing(stub, KEY)
    else:
        listing(stub, KEY, "newer", "first")
        stub.add_response("get_object", body(stored), {"Bucket": BUCKET, "Key": KEY, "VersionId": "first"})
    if same:
        files.write("acme", [TILE], retain_until_ms=UNTIL)
        return
    with pytest.raises(EvidenceBroken):
        files.write("acme", [TILE], retain_until_ms=UNTIL)


def test_one_failure_of_many_is_told_when_all_have_ended(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    stub.add_client_error("put_object", "SlowDown", http_status_code=503)
    stub.add_response("put_object", {})

    with pytest.raises(Unavailable):
        files.write("acme", [TILE, File("tile/0/000.p/4", bytes(128))], retain_until_ms=UNTIL)


def test_the_first_version_is_found_over_pages(s3: tuple[S3LogFiles, Stubber]) -> None:
    """A thousand versions laid over a tile do not hide it, nor do keys that begin alike."""
    files, stub = s3
    newer = [(KEY, f"v{number}") for number in range(1000, 0, -1)]
    stub.add_response("list_object_versions", page(*newer, more=(KEY, "v1")), listed(KEY))
    stub.add_response(
        "list_object_versions",
        page((KEY, "v0"), (f"{KEY}0", "other"), more=(f"{KEY}0", "other")),
        listed(KEY, KeyMarker=KEY, VersionIdMarker="v1"),
    )
    stub.add_response("get_object", body(TILE.data), {"Bucket": BUCKET, "Key": KEY, "VersionId": "v0"})

    assert files.read("acme", TILE.path) == TILE.data


def test_a_file_hidden_behind_a_delete_marker_is_read(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    marked = page((KEY, "v1")) | {"DeleteMarkers": [{"Key": KEY, "VersionId": "m", "IsLatest": True}]}
    stub.add_response("list_object_versions", marked, listed(KEY))
    stub.add_response("get_object", body(TILE.data), {"Bucket": BUCKET, "Key": KEY, "VersionId": "v1"})

    assert files.read("acme", TILE.path) == TILE.data


def test_of_the_latest_checkpoint_the_newest_counts(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    beside = page((LATEST, "v2"), (LATEST, "v1"), (f"{SIZES}000000000001", "x"))
    stub.add_response("list_object_versions", beside, listed(LATEST))
    stub.add_response("get_object", body(b"newest"), {"Bucket": BUCKET, "Key": LATEST, "VersionId": "v2"})

    assert files.read("acme", "checkpoint") == b"newest"


def test_the_newest_of_many_thousand_versions_is_on_the_first_page(s3: tuple[S3LogFiles, Stubber]) -> None:
    """A busy organisation's `checkpoint` gets one with every round. The stub refuses to be asked for a second page."""
    files, stub = s3
    newest = [(LATEST, f"v{number}") for number in range(2000, 1000, -1)]
    stub.add_response(
        "list_object_versions",
        page(*newest, more=(LATEST, "v1001")),
        listed(LATEST),
    )
    stub.add_response("get_object", body(b"newest"), {"Bucket": BUCKET, "Key": LATEST, "VersionId": "v2000"})

    assert files.read("acme", "checkpoint") == b"newest"


def test_the_newest_version_is_found_behind_a_page_of_delete_markers(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    markers = [{"Key": LATEST, "VersionId": f"m{number}"} for number in range(1000)]
    hidden = page(more=(LATEST, "m999")) | {"DeleteMarkers": markers}
    stub.add_response("list_object_versions", hidden, listed(LATEST))
    second = listed(LATEST, KeyMarker=LATEST, VersionIdMarker="m999")
    stub.add_response("list_object_versions", page((LATEST, "v2"), (LATEST, "v1"), more=(LATEST, "v1")), second)
    stub.add_response("get_object", body(b"newest"), {"Bucket": BUCKET, "Key": LATEST, "VersionId": "v2"})

    assert files.read("acme", "checkpoint") == b"newest"


def test_nothing_there_is_none(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    stub.add_response("list_object_versions", {"IsTruncated": False}, listed(KEY))

    assert files.read("acme", TILE.path) is None


def test_sizes_go_over_pages_and_each_is_named_once(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    first = page((f"{SIZES}000000000007", "b"), (f"{SIZES}000000000007", "a"), more=(f"{SIZES}000000000007", "a"))
    second = page((f"{SIZES}000000000012", "c"), (f"{SIZES}5", "d"), (f"{SIZES}x", "e"))
    stub.add_response(
        "list_object_versions",
        first,
        listed(SIZES, KeyMarker=f"{SIZES}000000000004"),
    )
    stub.add_response(
        "list_object_versions",
        second,
        listed(SIZES, KeyMarker=f"{SIZES}000000000007"),
    )

    assert list(files.sizes("acme", at_least=5)) == [7, 12]


def test_sizes_are_listed_only_as_far_as_asked(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    more = (f"{SIZES}000000000007", "a")
    stub.add_response("list_object_versions", page((f"{SIZES}000000000007", "a"), more=more))

    assert next(files.sizes("acme", at_least=1)) == 7


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_what_a_plain_get_does_not_find_is_left_to_the_listing(
    s3: tuple[S3LogFiles, Stubber], code: str, status: int
) -> None:
    """403 is S3's answer to a function that may list one prefix only, as the one for external anchoring may."""
    files, stub = s3
    stub.add_client_error("get_object", code, http_status_code=status)

    assert files.current("acme", TILE.path) is None


def test_what_is_really_denied_is_told_by_the_listing(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    stub.add_client_error("list_object_versions", "AccessDenied", http_status_code=403)

    with pytest.raises(ClientError, match="AccessDenied"):
        files.read("acme", TILE.path)


def say(size: int) -> bytes:
    return b"indelible/acme\n%d\nroot\n\nsignature\n" % size


def get_latest(stub: Stubber, data: bytes | None, etag: str = '"e"') -> None:
    if data is None:
        stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    else:
        stub.add_response("get_object", body(data, etag), {"Bucket": BUCKET, "Key": LATEST})


def test_the_first_latest_is_created(s3: tuple[S3LogFiles, Stubber], mode: str) -> None:
    files, stub = s3
    get_latest(stub, None)
    stub.add_response("put_object", {}, put(mode, LATEST, say(3), IfNoneMatch="*"))

    files.latest("acme", say(3), size=3, retain_until_ms=UNTIL)


def test_a_lost_race_looks_again_and_replaces_exactly_what_it_saw(s3: tuple[S3LogFiles, Stubber], mode: str) -> None:
    files, stub = s3
    get_latest(stub, say(3), '"three"')
    lost = put(mode, LATEST, say(9), IfMatch='"three"')
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412, expected_params=lost)
    get_latest(stub, say(5), '"five"')
    stub.add_response("put_object", {}, put(mode, LATEST, say(9), IfMatch='"five"'))

    files.latest("acme", say(9), size=9, retain_until_ms=UNTIL)


def test_a_race_lost_to_a_larger_tree_is_over(s3: tuple[S3LogFiles, Stubber], mode: str) -> None:
    files, stub = s3
    get_latest(stub, say(3))
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    get_latest(stub, say(12))

    files.latest("acme", say(9), size=9, retain_until_ms=UNTIL)


def test_races_without_end_are_an_outage(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    for _ in range(5):
        get_latest(stub, say(3))
        stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)

    with pytest.raises(Unavailable):
        files.latest("acme", say(9), size=9, retain_until_ms=UNTIL)


@pytest.mark.parametrize("rubbish", [b"", b"x", b"a\nb\nc", b"a\n\xc2\xb2\nc", b"a\n-1\nc"])
def test_rubbish_claims_no_size(s3: tuple[S3LogFiles, Stubber], mode: str, rubbish: bytes) -> None:
    files, stub = s3
    get_latest(stub, rubbish)
    stub.add_response("put_object", {}, put(mode, LATEST, say(1), IfMatch='"e"'))

    files.latest("acme", say(1), size=1, retain_until_ms=UNTIL)
