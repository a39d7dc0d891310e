# SPDX-License-Identifier: Apache-2.0
"""The addresses and the environment of a running local ledger, for tests, the demo and the benchmarks.

Invariant: nothing here can reach a real account: AWS settings in the caller's environment are replaced, never merged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from local.state import DEFAULT_STATE, LocalError, State

REGION = "us-east-1"
#: In place of the bucket that `cdk bootstrap` creates in an account.
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
    #: The KMS key id of the generation in use.
    signing_key_id: str

    @classmethod
    def load(cls, directory: Path = DEFAULT_STATE) -> Outputs:
        """Read the file. Raises LocalError if no local ledger is running."""
        path = State(directory).outputs
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LocalError("no local ledger is running; start one with `make up`") from None
        return cls(**{field.name: found[field.name] for field in fields(cls)})

    def as_dict(self) -> dict[str, str]:
        """The content of the file."""
        return asdict(self)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """``base`` (default: this process's environment), with AWS settings for the emulator only."""
        return aws_environment(self.endpoint_url, base=base)


def aws_environment(endpoint_url: str, *, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which AWS SDKs and the AWS CLI connect to ``endpoint_url`` only."""
    environment = dict(os.environ if base is None else base)
    use_emulator(environment, endpoint_url)
    return environment


def use_emulator(environment: MutableMapping[str, str], endpoint_url: str) -> None:
    """Change ``environment`` in place, as `aws_environment` does; for ``os.environ``."""
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
        # The user's own profiles must never be used.
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_PAGER="",
    )
