# SPDX-License-Identifier: Apache-2.0
"""Inventory of the evidence bucket, from listings of keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indelible.aws.s3_versions import pages
from indelible.domain.proof import SUFFIX
from indelible.domain.record import ADMIN_ORG, ORG_ID

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PROOF = re.compile(rf".*/([0-9]{{12}}){re.escape(SUFFIX)}")
_OWNER = re.compile(rf"({ORG_ID}|{ADMIN_ORG})/", re.ASCII)


class S3Inventory:
    """The inventory of one bucket."""

    def __init__(self, *, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def owners(self) -> list[str]:
        """ListObjectVersions with a delimiter, a thousand organisations a page. IAM: s3:ListBucketVersions."""
        listed = pages(self._client, self._bucket, delimiter="/")
        prefixes = [entry["Prefix"] for page in listed for entry in page.get("CommonPrefixes", [])]
        return sorted(found[1] for prefix in prefixes if (found := _OWNER.fullmatch(prefix)))

    def logged(self, org_id: str) -> frozenset[int]:
        """ListObjectVersions, a thousand versions a page. IAM: s3:ListBucketVersions."""
        listed = pages(self._client, self._bucket, prefix=f"{org_id}/_log/ledger/", whole_keys=False)
        keys = [entry["Key"] for page in listed for entry in page.get("Versions", [])]
        return frozenset(int(found[1]) for key in keys if (found := _PROOF.fullmatch(key)))
