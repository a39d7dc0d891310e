# SPDX-License-Identifier: Apache-2.0
"""What all functions need: settings, a clock, telemetry, threads, and AWS clients.

Invariant: adapters that need the same configuration share one client. A client has its own connections, and creating
one takes longer than most requests.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from indelible.aws.clients import THREADS, client
from indelible.entry import env
from indelible.entry.env import Settings
from indelible.entry.machine import SystemClock
from indelible.entry.telemetry import PowertoolsTelemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client


@cache
def settings() -> Settings:
    """The function's settings. Raises ConfigurationError."""
    return env.load(os.environ)


@cache
def clock() -> SystemClock:
    """The system clock."""
    return SystemClock()


@cache
def telemetry() -> PowertoolsTelemetry:
    """Logs and metrics."""
    return PowertoolsTelemetry()


@cache
def pool() -> ThreadPoolExecutor:
    """Threads for concurrent requests to AWS. A task must not wait for another task of this pool."""
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="indelible")


@cache
def dynamodb() -> DynamoDBClient:
    """The client of the table."""
    made: DynamoDBClient = client("dynamodb")
    return made


@cache
def s3() -> S3Client:
    """The client of the evidence bucket."""
    made: S3Client = client("s3")
    return made


@cache
def kms() -> KMSClient:
    """The client of the signing keys."""
    made: KMSClient = client("kms")
    return made
