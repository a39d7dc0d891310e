# SPDX-License-Identifier: Apache-2.0
"""Which permissions a function's calls to AWS need, as botocore builds them, and whether its role has them.

Invariant: an operation that is not known here is an error, never a call that needs nothing.

Only what these roles are made of is evaluated: Allow, with patterns, and the conditions that they use. (The bucket's
and the keys' own policies are not: tests/infra has them.) Which IAM action an operation needs is from the Service
Authorization Reference; that S3 wants PutObjectRetention for lock headers and gives them out only to
GetObjectRetention, from the S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.e2e.helpers.admin import Admin

_ACCOUNT = "000000000000"
_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
_S3 = {
    "PutObject": ("PutObject",),
    "CreateMultipartUpload": ("PutObject",),
    "UploadPart": ("PutObject",),
    "CompleteMultipartUpload": ("PutObject",),
    "AbortMultipartUpload": ("AbortMultipartUpload",),
    "GetObject": ("GetObject",),
    "HeadObject": ("GetObject",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListObjectsV2": ("ListBucket",),
    "HeadBucket": ("ListBucket",),
    "GetObjectLockConfiguration": ("GetBucketObjectLockConfiguration",),
}


@dataclass(frozen=True)
class Need:
    """One action on one resource. `keys`: what a condition could look at, by the condition key's name."""

    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def needs(service: str, operation: str, params: Mapping[str, Any], *, region: str) -> list[Need]:
    """Everything that this one call needs."""

    def arn(of: str, name: str) -> str:
        return name if name.startswith("arn:") else f"arn:aws:{of}:{region}:{_ACCOUNT}:{name}"

    match service, operation:
        case "s3", _:
            return list(_of_s3(operation, params))
        case "dynamodb", _:
            return [
                Need(f"dynamodb:{action}", arn("dynamodb", f"table/{table}"), {"dynamodb:LeadingKeys": (key,)})
                for action, table, key in _of_dynamodb(operation, params)
            ]
        case "kms", "Sign" | "GetPublicKey":
            name = params["KeyId"]
            return [Need(f"kms:{operation}", arn("kms", name if name.startswith("arn:") else f"key/{name}"))]
        case "secretsmanager", "GetSecretValue":
            return [Need("secretsmanager:GetSecretValue", params["SecretId"])]
        case "lambda", "Invoke":
            return [Need("lambda:InvokeFunction", arn("lambda", f"function:{params['FunctionName']}"))]
    raise AssertionError(f"which permission does {service} {operation} need?")


def _of_s3(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    for action in _S3[operation]:
        if "Key" not in params:
            prefixes = (params["Prefix"],) if "Prefix" in params else ()
            yield Need(f"s3:{action}", bucket, {"s3:prefix": prefixes})
        else:
            versioned = "Version" if action == "GetObject" and "VersionId" in params else ""
            yield Need(f"s3:{action}{versioned}", f"{bucket}/{params['Key']}")
    # Only who looks at an object's lock asks so: a record with its checksum, an export without its bytes.
    if "ChecksumMode" in params or operation == "HeadObject":
        yield Need("s3:GetObjectRetention", f"{bucket}/{params['Key']}")
    if "ObjectLockMode" in params:
        yield Need("s3:PutObjectRetention", f"{bucket}/{params['Key']}")


def _of_dynamodb(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Action, table and partition key of each item."""
    match operation:
        case "TransactWriteItems":
            for kind, one in (pair for write in params["TransactItems"] for pair in write.items()):
                yield _TRANSACTED[kind], one["TableName"], one.get("Item", one.get("Key"))["pk"]["S"]
        case "BatchGetItem":
            for table, asked in params["RequestItems"].items():
                yield from ((operation, table, key["pk"]["S"]) for key in asked["Keys"])
        case "BatchWriteItem":
            for table, writes in params["RequestItems"].items():
                for one in (request for write in writes for request in write.values()):
                    yield operation, table, one.get("Item", one.get("Key"))["pk"]["S"]
        case "Query":
            yield operation, params["TableName"], params["ExpressionAttributeValues"][":pk"]["S"]
        case "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem":
            yield operation, params["TableName"], params.get("Item", params.get("Key"))["pk"]["S"]
        case _:
            raise AssertionError(f"which items does {operation} touch?")


@contextmanager
def watched(region: str) -> Iterator[list[Need]]:
    """What the clients that are made with `boto3.client` meanwhile need: calls, and addresses that they sign."""
    before, found = boto3.DEFAULT_SESSION, list[Need]()
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None

    def asked(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["bucket"] = params.get("Bucket")
        found.extend(needs(model.service_model.service_name, model.name, params, region=region))

    def answered(http_response: Any, context: dict[str, Any], **_: Any) -> None:
        # S3 says 403 about what is not there, unless the whole bucket may be listed.
        if http_response.status_code == 404:
            found.append(Need("s3:ListBucket", f"arn:aws:s3:::{context['bucket']}"))

    session.events.register("before-parameter-build", asked)
    session.events.register("after-call.s3.GetObject", answered)
    session.events.register("after-call.s3.HeadObject", answered)
    try:
        yield found
    finally:
        boto3.DEFAULT_SESSION = before


class Role:
    """What a deployed function's role allows."""

    def __init__(self, statements: Iterable[Mapping[str, Any]]) -> None:
        self._statements = list(statements)
        assert all(one["Effect"] == "Allow" for one in self._statements)

    @staticmethod
    def of(admin: Admin, function: Mapping[str, Any]) -> Role:
        """By its inline policies; it has no others (tests/infra/synth.py)."""
        iam, name = admin.client("iam"), function["Role"].rpartition("/")[2]
        documents = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        documents = [json.loads(one) if isinstance(one, str) else one for one in documents]
        return Role(statement for document in documents for statement in document["Statement"])

    def allows(self, need: Need) -> bool:
        """Whether one statement does."""
        return any(
            need.action in _list(one["Action"])
            and any(_like(pattern, need.resource) for pattern in _list(one["Resource"]))
            and _holds(one.get("Condition", {}), need.keys)
            for one in self._statements
        )

    def unused(self, found: Iterable[Need]) -> set[str]:
        """Actions of some statement that nobody needed there. Logs, which Lambda writes, do not count."""
        found = list(found)
        return {
            action
            for one in self._statements
            for action in _list(one["Action"])
            if not action.startswith("logs:")
            and not any(Role([{**one, "Action": action}]).allows(need) for need in found)
        }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _holds(conditions: Mapping[str, Mapping[str, Any]], keys: Mapping[str, tuple[str, ...]]) -> bool:
    for operator, clauses in conditions.items():
        for key, patterns in clauses.items():
            values = keys.get(key, ())
            fits = [any(_like(pattern, value) for pattern in _list(patterns)) for value in values]
            match operator:
                case "ForAllValues:StringLike" | "ForAllValues:StringEquals":
                    held = all(fits)
                case "StringLike":
                    held = bool(fits) and all(fits)
                case _:
                    raise AssertionError(f"the evaluator does not know {operator}")
            if not held:
                return False
    return True
