# SPDX-License-Identifier: Apache-2.0
"""How this software talks to AWS: time limits, retries and connections, the same for every client."""

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

# They answer within milliseconds, or are about not to. A request has 27 seconds and needs several of them one after
# another: under the limits above a single one that hangs, for 3 × (1 + 4) seconds, would leave no time to seal what was
# committed, or to say that it is not sealed. Whoever must not give up tries again with what it knows: the Appender its
# commit, the anchor in its next round.
QUICK = STANDARD.merge(Config(read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}))
_QUICK = frozenset({"dynamodb", "kms", "secretsmanager"})

# For whoever answers a caller meanwhile: a second invocation would run beside the first.
WAITING = STANDARD.merge(Config(read_timeout=12, retries={"total_max_attempts": 1}))

# The older way of signing addresses, which the SDK still takes for some regions, knows no session and no KMS.
# "virtual" names the Region's own endpoint. The SDK's default signs for the global one, which does not answer for newer
# Regions, and sends whoever fetches from a new bucket on to a host that the signature is not for.
PRESIGNING = STANDARD.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def client(service: str, config: Config | None = None) -> Any:  # noqa: ANN401 -- boto3 makes its classes at run time
    """A client for the account, region and endpoint of the usual environment variables.

    `config`: other than what is usual for the service. Raises BotoCoreError for a configuration that is none.
    """
    config = config or (QUICK if service in _QUICK else STANDARD)
    # boto3 alone among the SDKs does not know AWS_REGION; None leaves it to its own search.
    with _configuring():
        return boto3.client(service, region_name=os.environ.get("AWS_REGION"), config=config)  # type: ignore[call-overload]


def s3_as(profile: str | None, endpoint_url: str | None) -> tuple[Any, Credentials | None]:
    """An S3 client for whoever names a profile of the AWS configuration, or another endpoint; both may be None.

    And the credentials that it signs with, for another client beside it.
    """
    session = boto3.Session(profile_name=profile, region_name=os.environ.get("AWS_REGION"))
    with _configuring():
        return session.client("s3", endpoint_url=endpoint_url, config=STANDARD), session.get_credentials()


@contextmanager
def _configuring() -> Iterator[None]:
    """Of what an environment or a profile can say, the SDK has no exception of its own for an endpoint that is none."""
    try:
        yield
    except BotoCoreError:  # some are ValueErrors, too
        raise
    except ValueError as error:
        words = str(error).removeprefix("Invalid endpoint: ")
        raise InvalidEndpointConfigurationError(msg=words) from None
