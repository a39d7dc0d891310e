# SPDX-License-Identifier: Apache-2.0
"""StoredRecords on AWS's C client (awscrt), for auditors who read very many records.

Invariant: it returns what S3Records would have returned. It accepts only answers with status 200 and the usual headers.
At the first version that it cannot read, for whatever reason, it gives up for good: S3Records reads that one and all
others, with its retries, its redirects and its errors.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from awscrt import auth, http, io, s3  # type: ignore[import-untyped]
from awscrt.exceptions import AwsCrtError  # type: ignore[import-untyped]
from botocore.compat import HAS_CRT
from botocore.utils import get_environ_proxies

from indelible.aws.error_map import translated
from indelible.aws.s3_records import S3Records, stored_version
from indelible.domain import instants
from indelible.domain.findings import Lock
from indelible.domain.record import MAX_OBJECT_BYTES
from indelible.ports import KeyVersions, StoredVersion

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from mypy_boto3_s3 import S3Client

_READ_AHEAD = 128
_TIMEOUT_S = 20.0
"""For the next version in order. The requests for those after it are under way meanwhile."""
# The client opens as many connections as large objects need to reach this rate. Records are small: what counts is that
# it opens many.
_GBPS = 100.0
_SENDING = "before-send.s3.GetObject"
_SIGNED = re.compile(rb"AWS4-HMAC-SHA256 Credential=[^,]+/([a-z0-9-]+)/s3/aws4_request,")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9/_.-]+", re.ASCII)


class CrtRecords:
    """Reads what `records` reads. `client` is its client, and `credentials` are those that the client signs with."""

    def __init__(self, *, records: S3Records, client: S3Client, credentials: Credentials | None) -> None:
        self._records = records
        self._client = client
        self._credentials = credentials
        self._reader: _Reader | None = None
        # HAS_CRT is False where BOTO_DISABLE_CRT=true, the SDK's own switch.
        self._usable = bool(HAS_CRT and credentials is not None)
        self.versions, self.first_key_after = records.versions, records.first_key_after

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """GetObject for each, up to 128 at a time. IAM: s3:GetObjectVersion, s3:GetObjectRetention."""
        rest = iter(keys)
        while self._reader is None and self._usable:
            # S3Records reads the first one: its request shows where the bucket is, and whether reading is allowed.
            first = list(islice(rest, 1))
            if not first:
                return
            found = self._read_and_learn(first[0])
            yield first[0], found
        ahead: deque[tuple[KeyVersions, _Answer | None]] = deque()
        while self._reader is not None:
            reader = self._reader
            ahead.extend((entry, reader.ask(entry)) for entry in islice(rest, _READ_AHEAD - len(ahead)))
            if not ahead:
                return
            entry, answer = ahead[0]
            if answer is None:
                yield from self._records.read_all([entry])
            elif (found := answer.stored()) is not None:
                yield entry, found
            else:
                self._reader, self._usable = None, False
                break
            ahead.popleft()
        yield from self._records.read_all(chain((entry for entry, _ in ahead), rest))

    def _read_and_learn(self, keys: KeyVersions) -> StoredVersion | None:
        """Read one version through S3Records, and make a reader for the address that its request went to."""
        sent: list[AWSPreparedRequest] = []

        def watch(request: AWSPreparedRequest, **_: object) -> None:
            sent.append(request)

        self._client.meta.events.register(_SENDING, watch)
        try:
            ((_, found),) = self._records.read_all([keys])
        finally:
            self._client.meta.events.unregister(_SENDING, watch)
        if sent and _PLAIN_KEY.fullmatch(keys.s3_key):
            self._reader = self._make_reader(sent[-1], keys.s3_key)
            self._usable = self._reader is not None
        return found

    def _make_reader(self, sent: AWSPreparedRequest, key: str) -> _Reader | None:
        """None where the SDK uses a proxy, or does not sign with Signature Version 4 for S3."""
        header = sent.headers.get("Authorization", b"")
        signed = _SIGNED.match(header if isinstance(header, bytes) else header.encode())
        url = urlsplit(sent.url)
        if signed is None or self._credentials is None or not url.path.endswith(f"/{key}"):
            return None
        if get_environ_proxies(sent.url):
            return None
        try:
            return _Reader(
                url.scheme == "https", url.netloc, url.path.removesuffix(key), signed[1].decode(), self._credentials
            )
        except AwsCrtError:
            return None


class _Reader:
    """Requests versions of one bucket from one address."""

    def __init__(self, tls: bool, host: str, path: str, region: str, credentials: Credentials) -> None:
        loops = io.EventLoopGroup(1)
        self._s3 = s3.S3Client(
            bootstrap=io.ClientBootstrap(loops, io.DefaultHostResolver(loops)),
            region=region,
            tls_mode=s3.S3RequestTlsMode.ENABLED if tls else s3.S3RequestTlsMode.DISABLED,
            throughput_target_gbps=_GBPS,
            max_active_connections_override=_READ_AHEAD,
        )
        self._host, self._path, self._region = host, path, region
        self._credentials = credentials
        self._signing: tuple[ReadOnlyCredentials, auth.AwsSigningConfig] | None = None

    @translated("S3")
    def ask(self, keys: KeyVersions) -> _Answer | None:
        """Start GetObject of the oldest version; None for keys that are left to S3Records.

        Those are keys that no record has, keys without a version, and objects that are too large: the client holds a
        whole object in memory.
        """
        if not keys.versions or not _PLAIN_KEY.fullmatch(keys.s3_key) or (keys.size or 0) > MAX_OBJECT_BYTES:
            return None
        target = f"{self._path}{keys.s3_key}?versionId={quote(keys.versions[0], safe='')}"
        headers = http.HttpHeaders([("host", self._host), ("x-amz-checksum-mode", "ENABLED")])
        answer = _Answer(keys)
        try:
            # Only the future is kept: the request refers to `answer`, and a reference back would keep both for ever.
            answer.finished = self._s3.make_request(
                type=s3.S3RequestType.DEFAULT,
                operation_name="GetObject",
                request=http.HttpRequest("GET", target, headers),
                signing_config=self._signing_config(),
                on_headers=answer.begin,
                on_body=answer.more,
            ).finished_future
        except AwsCrtError as error:
            answer.finished.set_exception(error)
        return answer

    def _signing_config(self) -> auth.AwsSigningConfig:
        """For the current credentials, which the SDK renews."""
        now = self._credentials.get_frozen_credentials()
        if self._signing is None or self._signing[0] != now:
            provider = auth.AwsCredentialsProvider.new_static(now.access_key, now.secret_key, now.token)
            config = s3.create_default_s3_signing_config(region=self._region, credential_provider=provider)
            self._signing = now, config
        return self._signing[1]


@dataclass(slots=True)
class _Answer:
    """The answer to one request, filled in by the client's own thread."""

    keys: KeyVersions
    finished: Future[None] = field(default_factory=Future)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)

    def begin(self, status_code: int, headers: list[tuple[str, str]], **_: object) -> None:
        self.status, self.headers = status_code, {name.lower(): value for name, value in headers}

    def more(self, chunk: bytes, **_: object) -> None:
        self.pieces.append(bytes(chunk))

    def stored(self) -> StoredVersion | None:
        """Wait for the version; None where it did not come, or not in the usual form."""
        try:
            self.finished.result(_TIMEOUT_S)
            mode, until = (self.headers.get(f"x-amz-object-lock-{name}") for name in ("mode", "retain-until-date"))
            lock = Lock(mode, instants.from_text(until)) if mode and until else None
            checksum = self.headers.get("x-amz-checksum-sha256")
            data = b"".join(self.pieces)
            whole = self.status == 200 and int(self.headers["content-length"]) == len(data)
            return stored_version(self.keys, data, checksum, lock) if whole else None
        except (AwsCrtError, TimeoutError, KeyError, ValueError):
            return None
