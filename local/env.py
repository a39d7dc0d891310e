# SPDX-License-Identifier: Apache-2.0
"""Typed access to a running local ledger, for tests, the demo and the benchmarks.

Invariant: nothing here can reach a real account. Credentials, profiles and endpoints of the caller's
environment are replaced, never merged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from local.state import DEFAULT_STATE, LocalError, State

REGION = "us-east-1"
#: Stands for the bucket that `cdk bootstrap` makes in an account.
ASSETS_BUCKET = "indelible-local-assets"


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The content of ``outputs.json``: exactly these fields."""

    endpoint_url: str
    region: str
    #: Base URL of the API, without a trailing slash; answers plain HTTP.
    api_url: str
    bucket: str
    table: str
    ledger_name: str
    org_id: str
    key_id: str
    #: The organisation's secret, as text. The file is readable by its owner only.
    hmac_secret: str
    #: Of the generation in use.
    signing_key_id: str

    @classmethod
    def load(cls, directory: Path = DEFAULT_STATE) -> Outputs:
        """Read them. Raises LocalError where no ledger has been brought up."""
        path = State(directory).outputs
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LocalError("no local ledger is up; start one with `make up`") from None
        return cls(**{field.name: found[field.name] for field in fields(cls)})

    def as_dict(self) -> dict[str, str]:
        """For writing them out."""
        return asdict(self)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """``base`` (default: this process's) with AWS settings that lead to the emulator alone."""
        return aws_environment(self.endpoint_url, base=base)


def aws_environment(endpoint_url: str, *, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which every AWS SDK and command line talks to ``endpoint_url`` and nobody else."""
    environment = dict(os.environ if base is None else base)
    use_emulator(environment, endpoint_url)
    return environment


def use_emulator(environment: MutableMapping[str, str], endpoint_url: str) -> None:
    """The same, in place: for ``os.environ`` of a program that has nothing else to do with AWS."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    loopback = "127.0.0.1,localhost"
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name, ""), loopback]))
    environment.update(
        AWS_ENDPOINT_URL=endpoint_url,
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        # A person's own profiles must not be picked up, whatever they say.
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_PAGER="",
    )
