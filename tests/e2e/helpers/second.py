# SPDX-License-Identifier: Apache-2.0
"""Ledgers beside the session's own, each deployed with settings of its own.

By the same app into the same CloudFormation, but without the CDK command line, which takes longer than the rest: that
it deploys, and deploys again, the session's ledger and tests/e2e/test_rotation.py show.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from local import app, deploy
from local.emulator import endpoint
from local.env import ASSETS_BUCKET, REGION, Outputs
from local.ledger import ORG
from local.state import State
from tests.e2e.helpers import schedule
from tests.e2e.helpers.admin import eventually
from tests.e2e.helpers.tenant import registry


def another_ledger(ledger: Outputs, directory: Path, **settings: str) -> Outputs:
    """In the session's emulator, and gone with it. `settings` are the deployment's, a `ledger_name` among them."""
    port = urlsplit(ledger.endpoint_url).port or 0
    directory.mkdir(parents=True)
    return described(deployed(State(directory), port, {"stage": "dev", **settings}), port)


def described(stacks: dict[str, str], port: int) -> Outputs:
    """What was deployed, with the organisation that every ledger here has, and with its schedule paused."""
    nobody = dict.fromkeys(("org_id", "key_id", "hmac_secret"), "")
    outputs = deploy.describe(stacks, nobody, port)
    schedule.pause(outputs)
    key = registry(outputs).create(ORG)
    return replace(outputs, org_id=key.org_id, key_id=key.key_id, hmac_secret=key.hmac_secret)


def deployed(state: State, port: int, settings: Mapping[str, str]) -> dict[str, str]:
    """As `local.deploy.deploy`: the stacks' outputs."""
    app.synthesize({**deploy.SETTINGS, **settings}, directory=state.assembly)
    artifacts = json.loads((state.assembly / "manifest.json").read_text())["artifacts"]
    _publish(state.assembly, _client("s3", port))
    cloudformation = _client("cloudformation", port)
    for name in _in_order(artifacts):
        place = artifacts[name]["properties"]["stackTemplateAssetObjectUrl"].removeprefix("s3://")
        template = {"TemplateURL": f"{endpoint(port)}/{place}", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        cloudformation.create_stack(StackName=name, **template)
        stack = eventually(partial(_created, cloudformation, name), seconds=120, every=0.05)
        assert stack is not None
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return deploy.complete(state, port)


def _created(cloudformation: Any, name: str) -> dict[str, Any] | None:
    stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"] == "CREATE_IN_PROGRESS" else stack


def _in_order(artifacts: dict[str, Any]) -> Iterator[str]:
    """The stacks, each after those that it needs."""
    stacks = {name: one for name, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    done: set[str] = set()
    while waiting := [name for name in stacks if name not in done]:
        name = next(name for name in waiting if {*stacks[name]["dependencies"]} & {*stacks} <= done)
        done.add(name)
        yield name


def _publish(assembly: Path, s3: Any) -> None:
    """Upload the assets, each under the hash of its content, unless an earlier deployment has done so."""
    s3.create_bucket(Bucket=ASSETS_BUCKET)
    there = {one["Key"] for one in s3.list_objects_v2(Bucket=ASSETS_BUCKET).get("Contents", [])}
    for manifest in assembly.glob("*.assets.json"):
        for asset in json.loads(manifest.read_text())["files"].values():
            (key,) = (one["objectKey"] for one in asset["destinations"].values())
            if key not in there:
                path = assembly / asset["source"]["path"]
                if asset["source"]["packaging"] == "zip":
                    path = Path(shutil.make_archive(str(path), "zip", path))
                s3.put_object(Bucket=ASSETS_BUCKET, Key=key, Body=path.read_bytes())


def _client(service: str, port: int) -> Any:
    session = boto3.session.Session("test", "test", region_name=REGION)
    return session.client(service, endpoint_url=endpoint(port))  # type: ignore[call-overload]
