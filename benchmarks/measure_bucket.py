# SPDX-License-Identifier: Apache-2.0
"""One way to read a bucket, in a process of its own: gets ready, waits for a line, reads, and says what CPU it took.

Needs nothing but the standard library and the packages of its way, so that it runs in any environment.
`python measure_bucket.py WAY ADDRESS BUCKET VERSION KEYS`: KEYS is a file with one on each line.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

THREADS, AT_ONCE = 32, 128
ID, SECRET, REGION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "eu-west-1"
Reads = Callable[[], int]
"""Reads all objects, and says how many bytes they were."""


def indelible(address: str, bucket: str, version: str, keys: list[str]) -> Reads:
    """What the command line does: awscrt; with BOTO_DISABLE_CRT=true, boto3 and threads."""
    from indelible.entry import operator
    from indelible.ports import KeyVersions

    records, entries = (
        operator.evidence(bucket, endpoint_url=address).records,
        [KeyVersions(k, (version,)) for k in keys],
    )

    def read() -> int:
        total = 0
        for _, found in records.read_all(entries):
            assert found is not None
            assert None not in (found.lock, found.sha256)
            total += len(found.data)
        return total

    return read


def settings(address: str, bucket: str, version: str, keys: list[str]) -> Reads:
    """boto3 without what settings can switch off, of which the checksum is needed."""
    import boto3
    from botocore.config import Config

    config = Config(
        max_pool_connections=THREADS, parameter_validation=False, response_checksum_validation="when_required"
    )
    client = boto3.client("s3", endpoint_url=address, config=config)
    return _threads(lambda key: len(client.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()), keys)


def signer(address: str, bucket: str, version: str, keys: list[str]) -> Reads:
    """urllib3, and of botocore nothing but its signature."""
    import urllib3
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    sign, pool = S3SigV4Auth(Credentials(ID, SECRET), "s3", REGION), urllib3.PoolManager(maxsize=THREADS)

    def get(key: str) -> int:
        url = f"{address}/{bucket}/{key}?versionId={version}"
        request = AWSRequest("GET", url, headers={"x-amz-checksum-mode": "ENABLED"})
        sign.add_auth(request)
        answer = pool.request("GET", url, headers=dict(request.headers.items()), retries=False)
        assert {"x-amz-object-lock-mode", "x-amz-checksum-sha256"} <= set(answer.headers)
        return len(answer.data)

    return _threads(get, keys)


def obstore(address: str, bucket: str, version: str, keys: list[str]) -> Reads:
    """Bytes alone: it shows no lock and no checksum."""
    import obstore as library  # type: ignore[import-not-found]
    from obstore.store import S3Store  # type: ignore[import-not-found]

    plain = {"client_options": {"allow_http": True}}
    store = S3Store(bucket, endpoint=address, region=REGION, access_key_id=ID, secret_access_key=SECRET, **plain)
    which = {"version": version}
    return _threads(lambda key: len(library.get(store, key, options=which).bytes()), keys)


def sockets(address: str, bucket: str, version: str, keys: list[str]) -> Reads:
    """Unsigned requests over plain sockets: what the stand-in can answer."""
    place = urlsplit(address)

    async def one(share: list[str]) -> int:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        total = 0
        for key in share:
            writer.write(f"GET /{bucket}/{key}?versionId={version} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            total += len(await reader.readexactly(length))
        writer.close()
        return total

    async def every() -> int:
        return sum(await asyncio.gather(*(one(keys[start::AT_ONCE]) for start in range(AT_ONCE))))

    return lambda: asyncio.run(every())


def _threads(get: Callable[[str], int], keys: list[str]) -> Reads:
    def read() -> int:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(get, keys))

    return read


WAYS = {way.__name__: way for way in (indelible, settings, signer, obstore, sockets)}

if __name__ == "__main__":
    _, chosen, where, evidence, oldest, listed = sys.argv
    os.environ |= {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}
    reads = WAYS[chosen](where, evidence, oldest, Path(listed).read_text().split())
    print("ready", flush=True)
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    count = reads()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"bytes": count, "cpu_seconds": cpu, "peak_mib": after.ru_maxrss / 1024}))
