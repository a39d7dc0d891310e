# SPDX-License-Identifier: Apache-2.0
"""Builds the functions' adapters and services, once for each environment, on first use.

Only the builders (`bootstrap`, `bootstrap_exports`, and `operator` for the command line) know what is behind a port.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from indelible.aws.clients import THREADS, client
from indelible.aws.dynamo_index import DynamoIndex, DynamoNews
from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_ledger_log import DynamoLedgerOutbox, DynamoLedgerRegister
from indelible.aws.dynamo_log import DynamoLogHead
from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.aws.dynamo_rounds import DynamoRoundStarts
from indelible.aws.s3_anchors import S3Anchors
from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.aws.secrets import SecretsManagerSource
from indelible.entry import env, outside_settings
from indelible.entry.bootstrap_keys import make_pinned_keys, make_second_signer, make_signed_log
from indelible.entry.env import Settings
from indelible.entry.limits import OrgLimits
from indelible.entry.machine import SystemClock, SystemEntropy, ThreadedWorkers
from indelible.entry.operations import ChainReader, Recorder
from indelible.entry.proofs import ProofReader
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.services.anchor import Anchor
from indelible.services.append import Appender
from indelible.services.authenticate import Authenticator
from indelible.services.collect import Collector
from indelible.services.consistency import Consistency
from indelible.services.keys import PinnedKeys
from indelible.services.ledger_log import LedgerLog
from indelible.services.log import LogReader, SignedLog
from indelible.services.prove import Prover
from indelible.services.rounds import Planner, Rounds
from indelible.services.schemes import scheme
from indelible.services.timetable import Timetable
from indelible.services.upward import Upward
from indelible.services.verify import Verifier

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    # Imported where they are built: no other function pays for them at its cold start.
    from indelible.entry.mcp import AgentDoor
    from indelible.entry.meta import Meta
    from indelible.services.outside import Outside


@cache
def settings() -> Settings:
    """The function's settings."""
    return env.load(os.environ)


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    return SystemClock()


@cache
def telemetry() -> PowertoolsTelemetry:
    """Logs and metrics."""
    return PowertoolsTelemetry()


@cache
def recorder() -> Recorder:
    """For the record function."""
    appender = Appender(
        journal=journal(),
        records=record_store(),
        index=_index(),
        news=DynamoNews(client=_dynamodb(), table=settings().table),
        clock=clock(),
        entropy=SystemEntropy(),
        workers=ThreadedWorkers(_pool()),
        telemetry=telemetry(),
    )
    return Recorder(
        settings=settings(),
        authenticator=authenticator(),
        limits=limits(),
        appender=appender,
        secrets=_secrets(),
        clock=clock(),
    )


@cache
def proof_reader() -> ProofReader:
    """For the prove function."""
    named = outside_settings.load(settings().outside)
    upward = Upward(
        log=log_reader(),
        files=log_files(),
        anchors=S3Anchors(client=client("s3"), bucket=settings().bucket),
        token_time=_token_time,
        workers=ThreadedWorkers(_pool()),
        witnesses=tuple(named.witness_keys()),
        quorum=named.witness_quorum,
    )
    timetable = Timetable(starts=round_starts(), period_ms=settings().anchor_period_seconds * 1000, clock=clock())
    prover = Prover(
        records=record_store(), index=_index(), journal=journal(), log=log_reader(), upward=upward, timetable=timetable
    )
    consistency = Consistency(log_reader())
    return ProofReader(authenticator=authenticator(), limits=limits(), prover=prover, consistency=consistency)


def _token_time(response: bytes, data: bytes) -> int:
    # Only a ledger that has its checkpoints timestamped pays for the parser.
    from indelible.outside.verify_timestamp import read_timestamp_token

    return read_timestamp_token(response, data)


@cache
def chain_reader() -> ChainReader:
    """For the verify function."""
    verifier = Verifier(records=record_store(), journal=journal(), log=log_reader(), clock=clock())
    return ChainReader(authenticator=authenticator(), limits=limits(), verifier=verifier)


@cache
def rounds() -> Rounds:
    """For the anchor function."""
    collector = Collector(
        records=record_store(),
        journal=journal(),
        index=_index(),
        clock=clock(),
        workers=ThreadedWorkers(_pool()),
        telemetry=telemetry(),
    )
    anchor = Anchor(
        collector=collector,
        log=_signed_log(),
        register=DynamoLogHead(client=_dynamodb(), table=settings().table),
        outbox=DynamoLedgerOutbox(client=_dynamodb(), table=settings().table),
        journal=journal(),
        records=record_store(),
        clock=clock(),
        telemetry=telemetry(),
    )
    return Rounds(anchor=anchor, clock=clock(), telemetry=telemetry())


@cache
def planner() -> Planner:
    """For the plan function."""
    return Planner(
        news=DynamoNews(client=_dynamodb(), table=settings().table),
        organisations=_organisations(),
        clock=clock(),
        concurrency=settings().anchor_concurrency,
    )


@cache
def ledger_log() -> LedgerLog:
    """For the anchor function: the ledger's own log."""
    table = settings().table
    # What it does at once waits for files, which are written in the other pool.
    workers = ThreadedWorkers(ThreadPoolExecutor(max_workers=THREADS // 2, thread_name_prefix="ledger-log"))
    return LedgerLog(
        log=_signed_log(),
        files=log_files(),
        register=DynamoLedgerRegister(client=_dynamodb(), table=table),
        outbox=DynamoLedgerOutbox(client=_dynamodb(), table=table),
        workers=workers,
        clock=clock(),
        telemetry=telemetry(),
    )


@cache
def round_starts() -> DynamoRoundStarts:
    """When rounds began."""
    return DynamoRoundStarts(client=_dynamodb(), table=settings().table)


@cache
def outside() -> Outside:
    """For the function that goes outside."""
    from indelible.entry.bootstrap_outside import make_outside

    return make_outside(log=log_reader(), files=log_files(), settings=settings(), clock=clock(), telemetry=telemetry())


@cache
def mcp() -> AgentDoor:
    """For the mcp function: all three operations as tools."""
    from indelible.entry.mcp import AgentDoor

    routes = (recorder().routes, proof_reader().routes, chain_reader().routes)
    return AgentDoor.of(*routes, allowed_origins=settings().allowed_origins)


@cache
def meta() -> Meta:
    """For the meta function: what is public."""
    from indelible.aws.s3_probe import PROBE_CONFIG, S3Probe
    from indelible.entry.meta import Meta

    return Meta(
        settings=settings(),
        probe=S3Probe(client=client("s3", PROBE_CONFIG), bucket=settings().bucket),
        keys=_pinned_keys().stated,
        clock=clock(),
        telemetry=telemetry(),
        second=make_second_signer(settings()),
    )


@cache
def authenticator() -> Authenticator:
    """Who asks, for every door."""
    return Authenticator(
        organisations=_organisations(),
        secrets=_secrets(),
        clock=clock(),
        strict=settings().strict_signatures,
        scheme=scheme(settings().auth, org_claim=settings().jwt_org_claim),
    )


@cache
def limits() -> OrgLimits:
    """Each organisation's share of this environment."""
    return OrgLimits(rate=settings().org_rate, burst=settings().org_burst)


@cache
def _organisations() -> DynamoOrganisations:
    return DynamoOrganisations(client=_dynamodb(), table=settings().table, clock=clock())


@cache
def _secrets() -> SecretsManagerSource:
    return SecretsManagerSource(client=client("secretsmanager"), secret_id=settings().secret_arn)


@cache
def journal() -> DynamoJournal:
    """The heads and the outbox."""
    return DynamoJournal(client=_dynamodb(), table=settings().table)


@cache
def _index() -> DynamoIndex:
    return DynamoIndex(client=_dynamodb(), table=settings().table)


@cache
def record_store() -> S3Records:
    """The records in the bucket."""
    return S3Records(client=client("s3"), bucket=settings().bucket, pool=_pool())


@cache
def log_reader() -> LogReader:
    """The signed logs, by the pinned keys."""
    files = log_files()
    return LogReader(files=files, ledger_name=settings().ledger_name, keys=_pinned_keys().ring, current=files.current)


@cache
def _signed_log() -> SignedLog:
    return make_signed_log(files=log_files(), settings=settings(), clock=clock(), telemetry=telemetry())


@cache
def log_files() -> S3LogFiles:
    """The files of the logs."""
    return S3LogFiles(client=client("s3"), bucket=settings().bucket, retention=settings().retention(), pool=_pool())


@cache
def _pinned_keys() -> PinnedKeys:
    return make_pinned_keys(files=log_files(), settings=settings())


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="indelible")


@cache
def _dynamodb() -> DynamoDBClient:
    made: DynamoDBClient = client("dynamodb")
    return made
