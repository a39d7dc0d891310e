# SPDX-License-Identifier: Apache-2.0
"""Deploys the real stacks to the emulator with the real CDK CLI.

Invariant: everything deployed comes from the synthesized templates; settings that the emulator's CloudFormation
ignores are applied from those same templates, never from a second description.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from local.emulator import endpoint
from local.env import ASSETS_BUCKET, REGION, Outputs, aws_environment
from local.state import ROOT, LocalError, State

_DEPLOY_SECONDS = 300
_ORG_SECONDS = 60
CDK = ROOT / "node_modules" / ".bin" / "cdk"

#: CDK context of every local deployment; `deploy` may override it.
SETTINGS = {"anchor_rate": "rate(1 minute)", "anchor_concurrency": "2"}

#: All that determines what is deployed. A change to any of these files changes the digest.
_SOURCES = ("infra", "lambdas", "layers", "local/app.py", "local/deploy.py", "cdk.json", "requirements.txt")


def source_digest(settings: Mapping[str, str]) -> str:
    """A hash (hex) of the sources and of the settings of a deployment."""
    digest = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode())
    for path in _source_files():
        digest.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for name in _SOURCES:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def deploy(state: State, port: int, *, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Deploy the stacks and return all their outputs in one dictionary. Raises LocalError.

    ``settings`` are CDK context (``-c key=value``); another ``ledger_name`` deploys another ledger.
    """
    if not CDK.exists():
        raise LocalError("the CDK command line is not installed; run `make node_modules`")
    _session().client("s3", endpoint_url=endpoint(port)).create_bucket(Bucket=ASSETS_BUCKET)
    _run_cdk(state, port, {**SETTINGS, **(settings or {})})
    return complete(state, port)


def complete(state: State, port: int) -> dict[str, str]:
    """Apply the settings that the emulator ignored, and return the stacks' outputs in one dictionary."""
    boto = _session()
    cloudformation = boto.client("cloudformation", endpoint_url=endpoint(port))
    outputs: dict[str, str] = {}
    for name, template in _templates(state):
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        outputs |= {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
        _apply_ignored(name, template, port, boto)
        _save_queries(template, boto.client("athena", endpoint_url=endpoint(port)))
    return outputs


def _run_cdk(state: State, port: int, settings: Mapping[str, str]) -> None:
    command = [str(CDK), "deploy", "--all", "--require-approval=never", "--method=direct", "--no-notices"]
    command += ["--no-color", "--progress=events", "--concurrency=3", f"--output={state.assembly}"]
    command += [f"--app={shlex.quote(sys.executable)} -m local.app"]
    command += [f"--context={key}={value}" for key, value in settings.items()]
    environment = aws_environment(endpoint(port)) | {
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    with state.deploy_log.open("wb") as log:
        try:
            code = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_DEPLOY_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise LocalError(f"deploying took over {_DEPLOY_SECONDS} s; see {state.deploy_log}") from None
    if code != 0:
        raise LocalError(f"deploying failed: {_first_error(state.deploy_log)} (all of it: {state.deploy_log})")


def _first_error(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for mark in ("CREATE_FAILED", "UPDATE_FAILED", "‣ ", "indelible: ", "Error: "):
        for line in lines:
            if mark in line:
                return line.partition("‣ ")[2].strip() or line.strip()
    return "no error was printed"


def _templates(state: State) -> list[tuple[str, dict[str, Any]]]:
    manifest = json.loads((state.assembly / "manifest.json").read_text(encoding="utf-8"))
    found = []
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            path = state.assembly / artifact["properties"]["templateFile"]
            stack = artifact["properties"].get("stackName", name)
            found.append((stack, json.loads(path.read_text(encoding="utf-8"))))
    return found


def _apply_ignored(stack: str, template: dict[str, Any], port: int, boto: boto3.session.Session) -> None:
    """Apply bucket lock defaults, time to live and point-in-time recovery, which the emulator accepts and ignores."""
    cloudformation = boto.client("cloudformation", endpoint_url=endpoint(port))
    s3 = boto.client("s3", endpoint_url=endpoint(port))
    dynamodb = boto.client("dynamodb", endpoint_url=endpoint(port))
    for logical, resource in template.get("Resources", {}).items():
        properties = resource.get("Properties", {})
        lock = properties.get("ObjectLockConfiguration")
        live = properties.get("TimeToLiveSpecification")
        if resource["Type"] not in ("AWS::S3::Bucket", "AWS::DynamoDB::Table") or not (lock or live):
            continue
        detail = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
        name = detail["StackResourceDetail"]["PhysicalResourceId"]
        if lock:
            s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
        if live and _time_to_live(dynamodb, name) != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"AttributeName": live["AttributeName"], "Enabled": bool(live["Enabled"])},
            )
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)


def _save_queries(template: dict[str, Any], athena: Any) -> None:  # noqa: ANN401 - a client of the SDK
    """Create Athena's saved queries, which the emulator's CloudFormation refuses and its Athena supports."""
    queries = [one["Properties"] for one in _resources(template) if one["Type"] == "AWS::Athena::NamedQuery"]
    for workgroup in {query["WorkGroup"] for query in queries}:
        for saved in athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]:
            athena.delete_named_query(NamedQueryId=saved)
    for query in queries:
        athena.create_named_query(**query)


def _resources(template: dict[str, Any]) -> list[dict[str, Any]]:
    return list(template.get("Resources", {}).values())


def _time_to_live(dynamodb: Any, table: str) -> str:  # noqa: ANN401 - a client of the SDK
    return str(dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"])


def create_org(name: str, ledger_name: str, port: int) -> dict[str, str]:
    """Run ``indelible org create`` and return its answer: org_id, key_id and hmac_secret. Raises LocalError."""
    # The entry point of the console script `indelible`, wherever that is installed.
    command = [sys.executable, "-c", "from indelible.cli.main import cli; cli()", "org", "create", name, "--json"]
    try:
        done = subprocess.run(
            [*command, "--ledger", ledger_name],
            cwd=ROOT,
            env=aws_environment(endpoint(port)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ORG_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"creating the organisation {name} took over {_ORG_SECONDS} s") from None
    if done.returncode != 0:
        message = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise LocalError(f"the organisation {name} could not be created: {message}")
    try:
        answer = json.loads(done.stdout)
        return {key: str(answer[key]) for key in ("org_id", "key_id", "hmac_secret")}
    except (ValueError, KeyError, TypeError):
        raise LocalError(f"`indelible org create {name} --json` did not answer with a key") from None


def describe(stack_outputs: dict[str, str], org: dict[str, str], port: int) -> Outputs:
    """The settings that clients need, from the stacks' outputs and the organisation's key."""
    # The stack's URL is http://{api id}.execute-api.localhost:{port}, a name that many clients cannot resolve.
    # The emulator serves the same API under a path.
    api_id = str(urlsplit(stack_outputs["ApiUrl"]).hostname).partition(".")[0]
    return Outputs(
        endpoint_url=endpoint(port),
        region=REGION,
        api_url=f"{endpoint(port)}/_aws/execute-api/{api_id}",
        bucket=stack_outputs["BucketName"],
        table=stack_outputs["TableName"],
        ledger_name=stack_outputs["LedgerName"],
        org_id=org["org_id"],
        key_id=org["key_id"],
        hmac_secret=org["hmac_secret"],
        signing_key_id=stack_outputs["SigningKeyIds"].rpartition(",")[2],
    )


def _session() -> boto3.session.Session:
    return boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
