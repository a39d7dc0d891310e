# SPDX-License-Identifier: Apache-2.0
"""The policies in the template of a deployed stack, with references resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from indelible.ports.deployment import CannotTell, Statement


class Template:
    """A template (`body`) and the resources that were deployed from it.

    `physical` maps logical to physical ids. `partition` is that of ARNs: `aws`, `aws-cn`, …
    """

    def __init__(
        self, body: Mapping[str, Any], physical: Mapping[str, str], *, account: str, region: str, partition: str
    ) -> None:
        self._resources: Mapping[str, Any] = body["Resources"]
        self._physical = physical
        self._pseudo = {"AWS::Partition": partition, "AWS::AccountId": account, "AWS::Region": region}

    def bucket_policy(self, bucket: str) -> list[Statement]:
        """The policy of this bucket. Raises CannotTell when the template has none."""
        for _, properties in self._of_type("AWS::S3::BucketPolicy"):
            if self._resolve(properties["Bucket"]) == bucket:
                return self._statements(properties["PolicyDocument"])
        raise CannotTell(f"the template has no policy for the bucket {bucket}")

    def key_policy(self, key_id: str) -> list[Statement]:
        """The policy of this key. Raises CannotTell when the template has none."""
        for logical_id, properties in self._of_type("AWS::KMS::Key"):
            if self._physical.get(logical_id) == key_id:
                return self._statements(properties["KeyPolicy"])
        raise CannotTell(f"the template has no key {key_id}")

    def _of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((name, one["Properties"]) for name, one in self._resources.items() if one["Type"] == kind)

    def _statements(self, document: Mapping[str, Any]) -> list[Statement]:
        statements: list[Statement] = self._resolve(document)["Statement"]
        return statements

    def _resolve(self, value: Any) -> Any:  # noqa: ANN401 -- any JSON
        """Replace references by what they refer to. Unknown ones become texts in angle brackets."""
        if isinstance(value, (list, tuple)):
            return [self._resolve(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        if set(value) == {"Ref"}:
            return self._pseudo.get(value["Ref"]) or self._physical.get(value["Ref"], f"<{value['Ref']}>")
        if set(value) == {"Fn::GetAtt"}:
            name, attribute = value["Fn::GetAtt"]
            if attribute == "Arn" and self._resources[name]["Type"] == "AWS::S3::Bucket":
                return f"arn:{self._pseudo['AWS::Partition']}:s3:::{self._physical.get(name)}"
            return f"<{name}.{attribute}>"
        if set(value) == {"Fn::Join"}:
            separator, parts = value["Fn::Join"]
            return str(separator).join(str(self._resolve(part)) for part in parts)
        return {name: self._resolve(one) for name, one in value.items()}
