# SPDX-License-Identifier: Apache-2.0
"""Where a deployed ledger says what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from indelible.aws.error_map import code_of
from indelible.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def stack_outputs(client: CloudFormationClient, stack: str) -> dict[str, str]:
    """The outputs of a stack by name. IAM: cloudformation:DescribeStacks.

    Raises NotFound when there is no such stack in this account and region. What else goes wrong keeps the SDK's own
    words: only people's commands call this, and "Unable to locate credentials" helps where Unavailable does not.
    """
    try:
        found = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError":  # what CloudFormation says of a stack that does not exist
            raise NotFound(f"no stack {stack} in {client.meta.region_name} of this account") from None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}
