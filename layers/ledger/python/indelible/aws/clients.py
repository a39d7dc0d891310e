# SPDX-License-Identifier: Apache-2.0
"""Clients of AWS: their time limits, retries and connections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, InvalidEndpointConfigurationError

THREADS = 32

STANDARD = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=THREADS + 2,
    tcp_keepalive=True,
    user_agent_extra="indelible",
    # We send SHA-256 where it matters; a CRC32 beside it would be computed for nothing.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)

# These services answer within milliseconds, or not at all. A request has 27 seconds and makes several calls in
# sequence: under the limits above a single call that hangs, for 3 × (1 + 4) seconds, would leave no time to seal what
# was committed, or to answer that it is not sealed. Callers that must not give up try again: the Appender repeats its
# commit, and the anchor runs again in the next round.
QUICK = STANDARD.merge(Config(read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}))
_QUICK = frozenset({"dynamodb", "kms", "secretsmanager"})

# For synchronous invocations of a function: a retry would run beside the first invocation.
WAITING = STANDARD.merge(Config(read_timeout=12, retries={"total_max_attempts": 1}))

# Signature Version 2, which the SDK still uses to presign in some Regions, supports neither session tokens nor KMS.
# "virtual" uses the Region's own endpoint. The SDK's default presigns for the global one, which does not serve newer
# Regions, and redirects requests for a new bucket to a host that the signature does not cover.
PRESIGNING = STANDARD.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def client(service: str, config: Config | None = None) -> Any:  # noqa: ANN401 -- boto3 makes its classes at run time
    """A client for the account, Region and endpoint of the usual environment variables.

    `config` replaces the default for the service. Raises BotoCoreError for an invalid configuration.
    """
    config = config or (QUICK if service in _QUICK else STANDARD)
    # Unlike the other SDKs, boto3 ignores AWS_REGION. With None it looks where it always does.
    with _configuring():
        return boto3.client(service, region_name=os.environ.get("AWS_REGION"), config=config)  # type: ignore[call-overload]


def s3_as(profile: str | None, endpoint_url: str | None) -> tuple[Any, Credentials | None]:
    """An S3 client for a profile of the AWS configuration or another endpoint (both may be None), and its credentials.

    The credentials are None where none are configured. Raises BotoCoreError for an invalid configuration.
    """
    session = boto3.Session(profile_name=profile, region_name=os.environ.get("AWS_REGION"))
    with _configuring():
        return session.client("s3", endpoint_url=endpoint_url, config=STANDARD), session.get_credentials()


@contextmanager
def _configuring() -> Iterator[None]:
    """Raise InvalidEndpointConfigurationError for an invalid endpoint, for which the SDK raises a bare ValueError."""
    try:
        yield
    except BotoCoreError:  # some are ValueErrors, too
        raise
    except ValueError as error:
        words = str(error).removeprefix("Invalid endpoint: ")
        raise InvalidEndpointConfigurationError(msg=words) from None
