# SPDX-License-Identifier: Apache-2.0
"""ListObjectVersions, page by page: newer versions and delete markers hide nothing from it.

S3 lists keys in order, and the versions of a key newest first. A page lists versions and delete markers separately.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from indelible.aws.error_map import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef

PAGE = 1000
"""Versions and delete markers that S3 puts into one page at most."""


def pages(
    client: S3Client,
    bucket: str,
    *,
    prefix: str = "",
    after: str = "",
    delimiter: str = "",
    most: int = PAGE,
    whole_keys: bool = True,
) -> Iterator[ListObjectVersionsOutputTypeDef]:
    """The versions of keys with this prefix that sort after `after`; one request for each page, when it is needed.

    Without `whole_keys`, a page begins with the next key, even if the last one has more versions: for callers that only
    want names. Raises Unavailable. IAM: s3:ListBucketVersions.
    """
    asked: dict[str, Any] = {"Bucket": bucket, "MaxKeys": most}
    asked |= {
        name: value for name, value in (("Prefix", prefix), ("KeyMarker", after), ("Delimiter", delimiter)) if value
    }
    while True:
        with translated("S3"):
            page = client.list_object_versions(**asked)
        yield page
        if not page.get("IsTruncated", False):
            return
        asked["KeyMarker"] = page["NextKeyMarker"]
        if whole_keys and page.get("NextVersionIdMarker"):
            asked["VersionIdMarker"] = page["NextVersionIdMarker"]
        else:
            asked.pop("VersionIdMarker", None)
