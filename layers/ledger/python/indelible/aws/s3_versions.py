# SPDX-License-Identifier: Apache-2.0
"""ListObjectVersions, page by page. Evidence is found by its versions: what is laid over a key hides none of them.

S3 lists by key, of each key the newest version first; versions and delete markers stand apart in a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from indelible.aws.error_map import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef

PAGE = 1000
"""As many versions and delete markers as S3 puts into one page."""


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
    """What begins with `prefix`, from the keys beyond `after` on; one call for each page that is asked for.

    Without `whole_keys` the next page begins with the next key, however many versions of the last one are left: for
    whoever wants names. Raises Unavailable. IAM: s3:ListBucketVersions.
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
