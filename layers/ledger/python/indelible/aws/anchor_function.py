# SPDX-License-Identifier: Apache-2.0
"""The deployed anchor function, as somebody starts it who does not wait for the schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from indelible.errors import Unavailable


class LambdaClient(Protocol):
    """What is used of boto3's client."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803 -- boto3's names
        """Run the function and wait for its answer."""
        ...


class AnchorFunction:
    """`client` must wait for an answer for as long as the function may run, and must not ask twice."""

    def __init__(self, *, client: LambdaClient, name: str) -> None:
        self._client = client
        self._name = name

    def run(self, event: Mapping[str, str]) -> dict[str, Any]:
        """Invoke it and return its summary. IAM: lambda:InvokeFunction.

        Raises Unavailable when the run ended without one. What else goes wrong keeps the SDK's own words, as in
        `stack_outputs`.
        """
        answer = self._client.invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            reason = ": ".join(str(said[name]) for name in ("errorType", "errorMessage") if said.get(name))
            raise Unavailable(f"the anchor did not finish ({reason or 'no reason given'}); its log says more")
        return said
