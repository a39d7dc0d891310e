# SPDX-License-Identifier: Apache-2.0
"""The whole way outside and back: a deployed ledger, a timestamp authority, a calendar and a witness over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from indelible.aws.deployment import AwsDeployment
from indelible.domain.note import parse_note, parse_verifier_key, verify
from indelible.outside.verify_ots import check_bitcoin_header, read_bitcoin_headers, read_ots
from indelible.outside.verify_timestamp import verify_timestamp_token
from local.env import Outputs
from local.outside import stand_ins
from local.outside.stand_ins import Addresses
from tests.documents import ROOT
from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin, eventually
from tests.e2e.helpers.function import function
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.stranger import Stranger
from tests.e2e.helpers.tenant import fresh

DOCUMENT = ROOT / "docs" / "outside.md"
TRACKS = {"rfc3161-stand-in", "ots-stand-in", "witness-witness.stand-in.example"}


@dataclass(frozen=True)
class Abroad:
    """A ledger with somebody of each kind outside."""

    ledger: Outputs
    others: Addresses

    @property
    def admin(self) -> Admin:
        return Admin.of(self.ledger)

    def read(self, path: str) -> bytes:
        return self.admin.body(f"_ledger/_log/{path}")

    def files(self, size: int) -> set[str]:
        prefix = f"_ledger/_log/anchors/{size:012d}/"
        return {found["Key"].removeprefix(prefix) for found in self.admin.versions(prefix)}

    def record(self, count: int = 1) -> int:
        """Some records, each under a checkpoint, and the ledger's own above them; the size of that."""
        for _ in range(count):
            fresh(self.ledger, "abroad").record()
        return int(self.admin.round(run="sweep")["ledger"]["tree_size"])

    def go(self, run: str = "news") -> dict[str, Any]:
        return self.admin.invoke("outside", {"run": run})


@pytest.fixture(scope="module")
def abroad(ledger: Outputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abroad]:
    directory = tmp_path_factory.mktemp("outside")
    others = stand_ins.start(directory / "outside")
    try:
        outputs = another_ledger(ledger, directory / "state", ledger_name="abroad", **others.settings())
        others.introduce(stand_ins.published_keys(outputs.api_url))
        yield Abroad(outputs, others)
    finally:
        stand_ins.stop(directory / "outside")


def test_a_checkpoint_comes_home_with_a_token_a_promise_and_a_cosignature(abroad: Abroad) -> None:
    fresh(abroad.ledger, "abroad").record()
    done = abroad.admin.round(run="news")
    size, summary = done["ledger"]["tree_size"], done["outside"]

    assert summary["tree_size"] >= size >= 1
    assert summary["failed"] is None
    assert summary["witnessed"] is True
    assert set(summary["tracks"]) == TRACKS
    assert {track["failure"] for track in summary["tracks"].values()} == {None}
    size = summary["tree_size"]
    note = abroad.read(f"checkpoints/{size:012d}")
    roots = Path(abroad.others.timestamp_root).read_bytes()
    stamped_ms = verify_timestamp_token(abroad.read(f"anchors/{size:012d}/rfc3161-stand-in.tsr"), note, roots)
    assert abs(stamped_ms / 1000 - time.time()) < 300
    assert read_ots(abroad.read(f"anchors/{size:012d}/ots-stand-in.pending.ots"), hashlib.sha256(note).digest()) is None

    latest = parse_note(abroad.read("checkpoint"))
    assert latest.text == parse_note(note).text
    witness = parse_verifier_key(abroad.others.witness_key)
    ledger_key = parse_verifier_key(stand_ins.published_keys(abroad.ledger.api_url)[0])
    assert set(verify(latest, [witness, ledger_key])) == {witness, ledger_key}


def test_a_record_s_proof_leads_up_to_those_outside(abroad: Abroad) -> None:
    org = fresh(abroad.ledger, "abroad")
    receipt = org.record()
    abroad.admin.round(run="news")
    proof = org.post("/v1/prove", {"audit_id": receipt["audit_id"]}).json()["ledger"]

    assert proof["witnessed"] is True
    (seen,) = proof["witnesses"]
    assert seen["name"] == "witness.stand-in.example"
    (stamped,) = proof["timestamps"]
    assert stamped["authority"] == "stand-in"
    (promised,) = proof["opentimestamps"]
    assert (promised["calendar"], promised["status"]) == ("stand-in", "pending")
    note = abroad.read(f"checkpoints/{proof['checkpoint']['tree_size']:012d}")
    roots = Path(abroad.others.timestamp_root).read_bytes()
    assert verify_timestamp_token(base64.b64decode(stamped["token"]), note, roots) > 0


def test_a_stranger_s_verifier_agrees_with_the_witness(abroad: Abroad) -> None:
    """With nothing of the ledger's own code: the cosignature is over the root of the log's own leaves."""
    abroad.record()
    size = abroad.go()["tree_size"]
    ledger_key = parse_verifier_key(stand_ins.published_keys(abroad.ledger.api_url)[0]).public_key
    found, root = rfc9162.opened(abroad.read("checkpoint"), abroad.ledger.ledger_name, ledger_key)
    assert (found, root) == (size, rfc9162.mth(rfc9162.leaf_hashes(size, abroad.read)))


def test_the_sweep_brings_the_block(abroad: Abroad) -> None:
    abroad.record()
    size = abroad.go()["tree_size"]

    def completed() -> set[str]:
        abroad.go("sweep")
        return {name for name in abroad.files(size) if ".bitcoin-" in name}

    assert eventually(completed, seconds=30)
    (name,) = completed()
    found = read_ots(
        abroad.read(f"anchors/{size:012d}/{name}"), hashlib.sha256(abroad.read(f"checkpoints/{size:012d}")).digest()
    )
    assert found is not None
    assert name == f"ots-stand-in.bitcoin-{found.height}.ots"
    headers = urllib3.request("GET", abroad.others.bitcoin_headers).data.decode()
    assert check_bitcoin_header(read_bitcoin_headers(headers)[found.height], found) > 0


def test_the_prover_s_and_the_witness_s_ledger_is_one(abroad: Abroad) -> None:
    """Consistency is really asked for: the witness follows from size to size, and files are written once."""
    first = abroad.record()
    second = abroad.record(3)
    assert second >= first + 3
    for size in (first, second):
        for name in abroad.files(size):
            versions = abroad.admin.versions(f"_ledger/_log/anchors/{size:012d}/{name}")
            assert len(versions) == 1
    assert {name.split("-")[0] for name in abroad.files(second)} == {"rfc3161", "ots", "witness"}


def test_the_commands_of_the_page_as_printed(abroad: Abroad, tmp_path: Path) -> None:
    abroad.record()
    abroad.go()
    time.sleep(1.1)
    abroad.go("sweep")
    somebody = Stranger(tmp_path, abroad.ledger, "jq" if shutil.which("jq") else "jaq")
    (tmp_path / ".local" / "outside").mkdir()
    abroad.others.save(tmp_path / ".local" / "outside")
    printed = "".join(text for _, text in somebody.types(DOCUMENT))
    assert "Verification: OK\n" in printed
    assert re.search(r"^Time stamp: .* GMT$", printed, re.MULTILINE)
    assert "Signature Verified Successfully\n" in printed
    assert re.search(r"^[0-9]{12}: block 9[0-9]{5} mined 2", printed, re.MULTILINE)
    for wrong in ("another Merkle root", "something else", "FAILED", "Failure"):
        assert wrong not in printed


def test_a_token_for_other_bytes_is_refused_by_openssl(abroad: Abroad, tmp_path: Path) -> None:
    abroad.record()
    size = abroad.go()["tree_size"]
    (tmp_path / "token").write_bytes(abroad.read(f"anchors/{size:012d}/rfc3161-stand-in.tsr"))
    (tmp_path / "data").write_bytes(abroad.read(f"checkpoints/{size:012d}") + b"\n")
    (tmp_path / "shell").mkdir()
    somebody = Stranger(tmp_path / "shell", abroad.ledger, "jq" if shutil.which("jq") else "jaq")
    done = somebody.shell(
        f"openssl ts -verify -in {tmp_path}/token -data {tmp_path}/data -CAfile {abroad.others.timestamp_root}",
        careful=False,
    )
    assert done.returncode != 0
    assert "Verification: OK" not in done.stdout


def test_the_function_does_nothing_else(abroad: Abroad) -> None:
    with pytest.raises(AssertionError, match="must be news, org or sweep"):
        abroad.go("elsewhere")


def test_it_may_do_what_it_does(abroad: Abroad) -> None:
    """See test_permissions.py."""

    def everything_but(*without_use: str) -> bool:
        # No round: that would go outside itself. One that the schedule starts may still be faster.
        org = fresh(abroad.ledger, "abroad")
        org.record()
        abroad.admin.anchor(org.org_id)
        abroad.admin.ledger_log()
        with function(abroad.admin, "outside", source="outside") as run:
            assert run({"run": "sweep"})["failed"] is None
        assert run.refused() == []
        return run.role.unused(run.needed) <= set(without_use)

    # It knows one key; with a second it reads what that one says of the first.
    assert eventually(lambda: everything_but("s3:GetObject"), seconds=60)


def test_the_doctor_finds_who_is_configured(abroad: Abroad) -> None:
    found = AwsDeployment(clients=abroad.admin.client, ledger_name=abroad.ledger.ledger_name)
    assert set(found.outside_tracks()) == TRACKS
