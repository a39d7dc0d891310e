# SPDX-License-Identifier: Apache-2.0
"""PutObject on a condition (`IfNoneMatch`, `IfMatch`), tried again where S3 has not decided yet."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from indelible.aws.error_map import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectOutputTypeDef

_ATTEMPTS = 4
_PAUSE_S = 0.1
# From the operating system: a function restored from a snapshot would repeat any other.
_CHANCE = random.SystemRandom()


def put_on_condition(client: S3Client, **request: Any) -> PutObjectOutputTypeDef:  # noqa: ANN401 -- S3's own
    """PutObject. Raises ClientError.

    While another conditional write to the same key is under way, S3 answers 409 ConditionalRequestConflict, which the
    SDK does not retry: two anchors at once, or the SDK's own attempt after one that timed out. A moment later the
    answer is 200 or 412.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return client.put_object(**request)
        except ClientError as error:
            if code_of(error) != "ConditionalRequestConflict" or attempt == _ATTEMPTS - 1:
                raise
        time.sleep(_CHANCE.uniform(0, _PAUSE_S * 2**attempt))
    raise AssertionError("unreachable")
