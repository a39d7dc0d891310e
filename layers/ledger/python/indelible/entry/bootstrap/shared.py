# SPDX-License-Identifier: Apache-2.0
"""What every function has: settings, a clock, telemetry, threads, and one client of each AWS service.

A client has connections of its own, and making one takes longer than most requests: where two adapters want the same
configuration, they share it.
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
    """The machine's clock."""
    return SystemClock()


@cache
def telemetry() -> PowertoolsTelemetry:
    """Logs and metrics."""
    return PowertoolsTelemetry()


@cache
def pool() -> ThreadPoolExecutor:
    """For requests to AWS that are made at once. What runs here must not wait for something else that does."""
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="indelible")


@cache
def dynamodb() -> DynamoDBClient:
    """For the table."""
    made: DynamoDBClient = client("dynamodb")
    return made


@cache
def s3() -> S3Client:
    """For the evidence bucket."""
    made: S3Client = client("s3")
    return made


@cache
def kms() -> KMSClient:
    """For the signing keys."""
    made: KMSClient = client("kms")
    return made
