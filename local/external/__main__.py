# SPDX-License-Identifier: Apache-2.0
"""``python -m local.external`` runs all three stand-ins in one process until it gets a signal."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local.external.authority import Authority
from local.external.calendar import Calendar
from local.external.stand_ins import Addresses
from local.external.web import Server
from local.external.witness import Witness
from local.state import LocalError


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="For the authority's certificates, the witness's list of logs, and addresses.json.",
)
@click.option("--block-seconds", type=float, default=1.0, show_default=True, help="How long a proof stays pending.")
def main(directory: Path, block_seconds: float) -> None:
    """Serve on free ports of 127.0.0.1, and write them to addresses.json."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        authority = Authority(directory / "authority")
    except LocalError as error:
        sys.exit(str(error))
    # A new key for each process: a witness that forgot what it has cosigned must not reuse its key.
    witness = Witness(Ed25519PrivateKey.generate(), logs=directory / "logs.txt")
    servers = [Server(), Server(), Server()]
    servers[0].run(authority)
    servers[1].run(Calendar(servers[1].url, block_seconds=block_seconds))
    servers[2].run(witness)
    Addresses(
        timestamp_authority=servers[0].url,
        timestamp_root=str(authority.root),
        calendar=servers[1].url,
        bitcoin_headers=f"{servers[1].url}/headers",
        witness=servers[2].url,
        witness_key=str(witness.key),
        witness_logs=str(witness.logs),
    ).save(directory)
    stop.wait()


if __name__ == "__main__":
    main()
