# SPDX-License-Identifier: Apache-2.0
"""CrtRecords against S3Records: whatever a server answers, both hand on the same, or raise the same."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError, CredentialRetrievalError

from indelible.aws import crt_records
from indelible.aws.clients import STANDARD, THREADS
from indelible.aws.crt_records import CrtRecords
from indelible.aws.s3_records import S3Records
from indelible.domain.record import MAX_OBJECT_BYTES
from indelible.errors import Unavailable
from indelible.ports import KeyVersions
from tests.fakes.machine import ManualClock
from tests.fakes.s3_server import BUCKET, Answer, FakeS3, Handler, Trouble, error

LOCK = {"x_amz_object_lock_mode": "COMPLIANCE", "x_amz_object_lock_retain_until_date": "2033-11-26T12:00:00.000Z"}
AT_ONCE, MANY = 16, 60


def name(number: int) -> str:
    return f"acme-corp/2026/03/20/{number:012d}-019d088a-b000-8000-8000-000752e6b438.json"


KEYS = [KeyVersions(name(number), ("3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY",)) for number in range(MANY)]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "BOTO_DISABLE_CRT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(crt_records, "_READ_AHEAD", AT_ONCE)
    fake = FakeS3()
    for keys in KEYS:
        fake.put(keys.s3_key, keys.versions[0], f'{{"key":"{keys.s3_key}"}}'.encode(), **LOCK)
    with fake.serving():
        yield fake


def readers(fake: FakeS3, credentials: Any = None, region: str | None = None) -> tuple[S3Records, CrtRecords]:
    credentials = credentials or Credentials("AKIDEXAMPLE", fake.secrets["AKIDEXAMPLE"])
    session = boto3.Session(region_name=region or fake.region)
    session._session._credentials = credentials  # type: ignore[attr-defined]
    client = session.client("s3", endpoint_url=fake.url, config=STANDARD)
    slow = S3Records(client=client, bucket=BUCKET, pool=ThreadPoolExecutor(THREADS), clock=ManualClock())
    return slow, CrtRecords(records=slow, client=client, credentials=credentials)


def test_only_the_first_is_read_by_the_sdk(s3: FakeS3) -> None:
    slow, fast = readers(s3)
    found = list(fast.read_all(KEYS))

    assert (len(s3.by("boto3")), len(s3.by("crt"))) == (1, MANY - 1)
    assert found == list(slow.read_all(KEYS))
    assert [keys for keys, _ in found] == KEYS
    assert list(fast.read_all(KEYS[:3])) == found[:3]
    assert len(s3.by("crt")) == MANY + 2
    assert list(fast.read_all([])) == []


def test_objects_of_every_kind(s3: FakeS3) -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {"checksum": None},
        {"checksum": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", **LOCK},
        {"x_amz_object_lock_mode": "GOVERNANCE"},
        {**LOCK, "x_amz_object_lock_retain_until_date": "2033-11-26T12:00:00Z"},
    ]
    keys = [KEYS[0]]
    for number, kind in enumerate(kinds):
        s3.put(f"acme-corp/{number}", "v+/ =&ü", b"x" * number * 1000, **kind)
        keys.append(KeyVersions(f"acme-corp/{number}", ("v+/ =&ü", "newer"), ("marker",)))
    for strange in ("acme-corp/ü b+c%20?.json", "acme-corp/a//b", "acme-corp/a/../c"):
        s3.put(strange, "v", b"strange", **LOCK)
        keys.append(KeyVersions(strange, ("v",)))
    keys.insert(2, KeyVersions("acme-corp/gone", (), ("marker",)))
    slow, fast = readers(s3)

    assert list(fast.read_all(keys)) == list(slow.read_all(keys))
    assert len(s3.by("crt")) >= len(kinds)


def without_end(handler: Handler, answer: Answer) -> None:
    """A terabyte, of which whoever asks may take as much as he wants."""
    handler.send_response(200)
    for header, value in {**answer[1], "content-length": str(1 << 40)}.items():
        handler.send_header(header, value)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(bytes(1 << 20))


def test_of_an_object_that_is_too_large_the_beginning_is_read_and_the_others_as_ever(s3: FakeS3) -> None:
    large = KeyVersions(KEYS[5].s3_key, KEYS[5].versions, size=1 << 40)
    s3.trouble[large.s3_key] = without_end
    slow, fast = readers(s3)
    keys = [*KEYS[:5], large, *KEYS[6:]]
    tracemalloc.start()
    try:
        found = list(fast.read_all(keys))
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_OBJECT_BYTES
    finally:
        tracemalloc.stop()

    assert [len(stored.data) for keys, stored in found if keys is large and stored] == [MAX_OBJECT_BYTES + 1]
    assert s3.by("boto3") == [KEYS[0].s3_key, large.s3_key]
    assert found == list(slow.read_all(keys))


def closes(_: Handler, __: Answer) -> None:
    return None


def hangs(_: Handler, __: Answer) -> None:
    time.sleep(2)


def cut_off(_: Handler, answer: Answer) -> Answer:
    return answer[0], {**answer[1], "content-length": "5000"}, answer[2]


def instead(*other: Any) -> Trouble:
    return lambda *_: error(*other)


def with_headers(**headers: str) -> Trouble:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, answer: (answer[0], {**answer[1], **lines}, answer[2])


TROUBLES: dict[str, Trouble] = {
    "closes": closes,
    "hangs": hangs,
    "403": instead(403, "AccessDenied"),
    "404": instead(404, "NoSuchVersion"),
    "301": instead(301, "PermanentRedirect"),
    "503": instead(503, "SlowDown"),
    "206": lambda _, answer: (206, *answer[1:]),
    "a date of its own": with_headers(x_amz_object_lock_retain_until_date="Sat, 26 Nov 2033 12:00:00 GMT"),
    "no checksum": with_headers(x_amz_checksum_sha256="abcde"),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_whatever_it_cannot_read_the_sdk_reads_with_all_that_follow(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setattr(crt_records, "_TIMEOUT_S", 0.5)
    slow, fast = readers(s3)
    expected = list(slow.read_all(KEYS))
    s3.seen.clear()
    s3.trouble[name(20)], s3.only = trouble, "crt"

    assert list(fast.read_all(KEYS)) == expected
    assert set(s3.by("boto3")) >= {name(number) for number in range(20, MANY)}
    assert list(fast.read_all(KEYS)) == expected
    assert set(s3.by("crt")) <= {name(number) for number in range(1, 20 + AT_ONCE)}


@pytest.mark.parametrize("number", [0, 1, 40])
def test_what_nobody_can_read_is_the_error_of_the_sdk(s3: FakeS3, number: int) -> None:
    s3.trouble[name(number)] = instead(403, "AccessDenied")
    _, fast = readers(s3)
    found = fast.read_all(KEYS)

    assert [keys for keys, _ in islice(found, number)] == KEYS[:number]
    with pytest.raises(ClientError, match="AccessDenied"):
        next(found)


def test_the_region_is_where_the_sdk_found_the_bucket(s3: FakeS3) -> None:
    _, fast = readers(s3, region="us-east-1")

    assert len(list(fast.read_all(KEYS))) == MANY
    assert len(s3.by("crt")) == MANY - 1


class Renewed(Credentials):
    """Credentials of a role: another key every so often."""

    def __init__(self, fake: FakeS3) -> None:
        super().__init__("", "", method="assume-role")
        self._fake = fake
        self._asked = 0

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self._asked += 1
        key = f"ASIA{self._asked // 10}"
        self._fake.secrets[key], self._fake.tokens[key] = f"secret of {key}", f"token of {key}"
        return ReadOnlyCredentials(key, self._fake.secrets[key], self._fake.tokens[key])


def test_credentials_that_are_renewed(s3: FakeS3) -> None:
    _, fast = readers(s3, Renewed(s3))

    assert len(list(fast.read_all(KEYS))) == MANY
    assert len(s3.by("crt")) == MANY - 1
    assert len(s3.secrets) > MANY // 10


class Expired(Renewed):
    """That can be had for a while, and then no more."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        if self._asked > 30:
            raise CredentialRetrievalError(provider="sso", error_msg="the session has expired")
        return Renewed.get_frozen_credentials(self)


def test_credentials_that_expire(s3: FakeS3) -> None:
    _, fast = readers(s3, Expired(s3))

    with pytest.raises(Unavailable, match="CredentialRetrievalError"):
        list(fast.read_all(KEYS))


@pytest.mark.parametrize(
    "why",
    [
        ("indelible.aws.crt_records.get_environ_proxies", lambda _: {"http": "http://127.0.0.1:9"}),
        ("indelible.aws.crt_records.HAS_CRT", False),
    ],
    ids=["a proxy", "switched off"],
)
def test_where_it_is_not_to_be_used(s3: FakeS3, monkeypatch: pytest.MonkeyPatch, why: tuple[str, Any]) -> None:
    monkeypatch.setattr(*why)
    _, fast = readers(s3)

    assert len(list(fast.read_all(KEYS[:5]))) == 5
    assert s3.by("crt") == []
