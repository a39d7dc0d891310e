# SPDX-License-Identifier: Apache-2.0
"""The content of a GetObject, as far as it is wanted.

Not by `Range`: S3 sends the checksum of an object only with all of it, an empty object has no range, and the SDK checks
no part. The length is known before the content comes; of what is too long the rest is left on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef


def content(answer: GetObjectOutputTypeDef, most: int) -> bytes:
    """All of it, or the first `most` bytes and one. Raises FlexibleChecksumError as the SDK does for all of it."""
    body = answer["Body"]
    if answer.get("ContentLength", 0) <= most:
        return body.read()
    try:
        return body.read(most + 1)
    finally:
        body.close()  # the connection with it: what is still on the way is read by nobody
