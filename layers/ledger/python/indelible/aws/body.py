# SPDX-License-Identifier: Apache-2.0
"""Read the body of a GetObject answer, up to a limit.

Without `Range`: S3 sends the checksum of an object only with all of it, an empty object has no range, and the SDK
checks no part. The length is known before the body comes; the rest of one that is too long is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef


def content(answer: GetObjectOutputTypeDef, most: int) -> bytes:
    """The whole body, or its first `most` + 1 bytes.

    Raises FlexibleChecksumError for a whole body that does not have the checksum that S3 keeps.
    """
    body = answer["Body"]
    if answer.get("ContentLength", 0) <= most:
        return body.read()
    try:
        return body.read(most + 1)
    finally:
        body.close()  # and its connection: the rest of the body is still on it
