# SPDX-License-Identifier: Apache-2.0
"""What a bucket answers to whoever verifies it, from memory, on loopback: `python -m … BUNDLE MILLISECONDS`.

Much faster than whoever asks it, so that the asking is what is measured. It says what S3 says about a record, waits
each time as long as it is told to, and checks no signature. Prints its address, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import sys
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from benchmarks.bundles import ORG
from indelible.audit.bundle import BundleSource
from indelible.domain import instants, record

BUCKET = "evidence"
VERSION = "3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
_UNTIL = 4_102_444_800_000
_COMMON = (
    "x-amz-id-2: vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=\r\n"
    "x-amz-request-id: 4442587FB7D0A2F9\r\nDate: Fri, 20 Mar 2026 00:00:00 GMT\r\nServer: AmazonS3\r\n"
)
_WITH_CHECKSUM = re.compile(rb"^x-amz-checksum-mode: *enabled\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Stored:
    """One object: the answer without its checksum, and with."""

    plain: bytes
    checked: bytes

    @classmethod
    def of(cls, data: bytes, until_ms: int) -> Stored:
        """Locked until then."""
        lines = (
            f"{_COMMON}Last-Modified: Fri, 20 Mar 2026 00:00:00 GMT\r\n"
            f'ETag: "{hashlib.md5(data).hexdigest()}"\r\nx-amz-server-side-encryption: AES256\r\n'
            f"x-amz-version-id: {VERSION}\r\nx-amz-object-lock-mode: COMPLIANCE\r\n"
            f"x-amz-object-lock-retain-until-date: {instants.to_text(until_ms)}\r\nAccept-Ranges: bytes\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        )
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with_it = f"x-amz-checksum-sha256: {checksum}\r\nx-amz-checksum-type: FULL_OBJECT\r\n"
        start = "HTTP/1.1 200 OK\r\n"
        return cls(f"{start}{lines}\r\n".encode() + data, f"{start}{lines}{with_it}\r\n".encode() + data)


@dataclass
class Bucket:
    """Objects by key, one version each."""

    objects: dict[str, Stored] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path) -> Bucket:
        """The records and the log of a bundle."""
        source, bucket = BundleSource(path), cls()
        for entry, found in source.read_all(source.versions(ORG, after="")):
            assert found is not None
            bucket.objects[entry.s3_key] = Stored.of(found.data, record.read(found.data).retain_until_ms)
        for name in source.names(ORG, ""):
            data = source.read(ORG, name)
            assert data is not None
            bucket.objects[f"{ORG}/_log/{name}"] = Stored.of(data, _UNTIL)
        bucket.keys = sorted(bucket.objects)
        return bucket

    def answer(self, request: bytes) -> bytes:
        """To a request whose head this is."""
        target = urlsplit(request.split(b" ", 2)[1].decode())
        key = unquote(target.path.removeprefix(f"/{BUCKET}").removeprefix("/"))
        if not key:
            return self._listed(parse_qs(target.query, keep_blank_values=True))
        found = self.objects.get(key)
        if found is None:
            return _xml("404 Not Found", "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>")
        return found.checked if _WITH_CHECKSUM.search(request) else found.plain

    def _listed(self, asked: dict[str, list[str]]) -> bytes:
        """ListObjectVersions, which is all that a verifier lists with."""
        prefix, page = asked.get("prefix", [""])[0], int(asked.get("max-keys", ["1000"])[0])
        start = max(bisect_left(self.keys, prefix), bisect_right(self.keys, asked.get("key-marker", [""])[0]))
        found = list(takewhile(lambda key: key.startswith(prefix), self.keys[start : start + page + 1]))
        more, found = len(found) > page, found[:page]
        after = f"<NextKeyMarker>{escape(found[-1])}</NextKeyMarker>" if more else ""
        entries = "".join(
            f"<Version><Key>{escape(key)}</Key><VersionId>{VERSION}</VersionId><IsLatest>true</IsLatest>"
            "<LastModified>2026-03-20T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag><Size>900</Size>"
            "<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
            "<StorageClass>STANDARD</StorageClass><Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7f</ID></Owner></Version>"
            for key in found
        )
        body = f"<Name>{BUCKET}</Name><IsTruncated>{str(more).lower()}</IsTruncated>{after}{entries}"
        return _xml("200 OK", f"<ListVersionsResult>{body}</ListVersionsResult>")


def _xml(status: str, body: str) -> bytes:
    data = f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
    head = f"HTTP/1.1 {status}\r\n{_COMMON}Content-Type: application/xml\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


class Connection(asyncio.Protocol):
    """Requests have no bodies here."""

    def __init__(self, bucket: Bucket, seconds: float) -> None:
        self._bucket, self._seconds, self._got = bucket, seconds, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            request, self._got = self._got[:end], self._got[end + 4 :]
            answer = self._bucket.answer(request)
            if self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._write, answer)
            else:
                self._write(answer)


async def _serve(bucket: Bucket, milliseconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bucket, milliseconds / 1000), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(Bucket.of(Path(sys.argv[1])), float(sys.argv[2])))
