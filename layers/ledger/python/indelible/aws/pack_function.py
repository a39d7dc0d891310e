# SPDX-License-Identifier: Apache-2.0
"""Packers on the deployed function that packs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from botocore.exceptions import ReadTimeoutError

from indelible.aws.error_map import translated
from indelible.domain.export_job import ExportJob

WAITING_S = 12
"""How long `pack` waits: the read timeout of its client (`clients.WAITING`). What a request has left must be more."""


class LambdaClient(Protocol):
    """What is used of boto3's client."""

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        """Run a function."""
        ...


class PackFunction:
    """`client` must give up after `WAITING_S`, and must not ask twice."""

    def __init__(self, *, client: LambdaClient, name: str) -> None:
        self._client = client
        self._name = name

    @translated("Lambda")
    def pack(self, job: ExportJob, *, within_ms: int) -> bool:
        """Invoke it and wait. IAM: lambda:InvokeFunction. What became of the export is noted in the store."""
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
        """Invoke it asynchronously. IAM: lambda:InvokeFunction."""
        self._invoke(job, "Event")

    def _invoke(self, job: ExportJob, how: str) -> Mapping[str, Any]:
        payload = json.dumps(msgspec.to_builtins(job)).encode()
        return self._client.invoke(FunctionName=self._name, InvocationType=how, Payload=payload)
