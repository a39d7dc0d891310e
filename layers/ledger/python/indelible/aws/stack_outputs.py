# SPDX-License-Identifier: Apache-2.0
"""The outputs of a deployed stack: the names and ids of the ledger's resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from indelible.aws.error_map import code_of
from indelible.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def stack_outputs(client: CloudFormationClient, stack: str) -> dict[str, str]:
    """The outputs of a stack by name. IAM: cloudformation:DescribeStacks.

    Raises NotFound when there is no such stack in this account and Region. Other errors of the SDK are not translated:
    only commands call this, and an operator is helped more by "Unable to locate credentials" than by Unavailable.
    """
    try:
        found = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError":  # what CloudFormation says of a stack that does not exist
            raise NotFound(f"there is no stack {stack} in {client.meta.region_name} of this account") from None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}
