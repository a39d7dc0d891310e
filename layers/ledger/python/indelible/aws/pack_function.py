# SPDX-License-Identifier: Apache-2.0
"""Packers on the Lambda function that packs exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from botocore.exceptions import ReadTimeoutError

from indelible.aws.error_map import translated
from indelible.domain.export_job import ExportJob

WAITING_S = 12
"""Seconds that `pack` waits: the read timeout of its client (`clients.WAITING`). A request must have more left."""


class LambdaClient(Protocol):
    """The part of boto3's Lambda client that is used here."""

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        """Invoke a function."""
        ...


class PackFunction:
    """`client` must time out after `WAITING_S`, and must not retry: a retry would invoke the function again."""

    def __init__(self, *, client: LambdaClient, name: str) -> None:
        self._client = client
        self._name = name

    @translated("Lambda")
    def pack(self, job: ExportJob, *, within_ms: int) -> bool:
        """Invoke, synchronously where `within_ms` allows for it. IAM: lambda:InvokeFunction.

        An error of the function is not raised: the function puts it into the state of the export.
        """
        if within_ms < WAITING_S * 1000:
            self.start(job)
            return False
        try:
            self._invoke(job, "RequestResponse")["Payload"].read()
        except ReadTimeoutError:
            return False
        return True

    @translated("Lambda")
    def start(self, job: ExportJob) -> None:
        """Invoke asynchronously. IAM: lambda:InvokeFunction."""
        self._invoke(job, "Event")

    def _invoke(self, job: ExportJob, how: str) -> Mapping[str, Any]:
        payload = json.dumps(msgspec.to_builtins(job)).encode()
        return self._client.invoke(FunctionName=self._name, InvocationType=how, Payload=payload)
