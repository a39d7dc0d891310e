# SPDX-License-Identifier: Apache-2.0
"""External anchoring, the whole way: a deployed ledger, a timestamp authority, a calendar and a witness over HTTP."""

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
from indelible.external.verify_ots import check_bitcoin_header, read_bitcoin_headers, read_ots
from indelible.external.verify_timestamp import verify_timestamp_token
from local.env import Outputs
from local.external import stand_ins
from local.external.stand_ins import Addresses
from tests.documents import ROOT
from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin, eventually
from tests.e2e.helpers.function import function
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.stranger import Stranger
from tests.e2e.helpers.tenant import fresh

DOCUMENT = ROOT / "docs" / "external-anchors.md"
TRACKS = {"rfc3161-stand-in", "ots-stand-in", "witness-witness.stand-in.example"}


@dataclass(frozen=True)
class AnchoredLedger:
    """A ledger with one anchoring provider of each kind."""

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
            fresh(self.ledger, "anchored").record()
        return int(self.admin.round(run="sweep")["ledger"]["tree_size"])

    def run(self, run: str = "news") -> dict[str, Any]:
        return self.admin.invoke("external", {"run": run})


@pytest.fixture(scope="module")
def anchored(ledger: Outputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnchoredLedger]:
    directory = tmp_path_factory.mktemp("external")
    others = stand_ins.start(directory / "external")
    try:
        outputs = another_ledger(ledger, directory / "state", ledger_name="anchored", **others.settings())
        others.introduce(stand_ins.published_keys(outputs.api_url))
        yield AnchoredLedger(outputs, others)
    finally:
        stand_ins.stop(directory / "external")


def test_a_checkpoint_comes_home_with_a_token_a_promise_and_a_cosignature(anchored: AnchoredLedger) -> None:
    fresh(anchored.ledger, "anchored").record()
    done = anchored.admin.round(run="news")
    size, summary = done["ledger"]["tree_size"], done["external_anchors"]

    assert summary["tree_size"] >= size >= 1
    assert summary["failed"] is None
    assert summary["witnessed"] is True
    assert set(summary["tracks"]) == TRACKS
    assert {track["failure"] for track in summary["tracks"].values()} == {None}
    size = summary["tree_size"]
    note = anchored.read(f"checkpoints/{size:012d}")
    roots = Path(anchored.others.timestamp_root).read_bytes()
    stamped_ms = verify_timestamp_token(anchored.read(f"anchors/{size:012d}/rfc3161-stand-in.tsr"), note, roots)
    assert abs(stamped_ms / 1000 - time.time()) < 300
    assert (
        read_ots(anchored.read(f"anchors/{size:012d}/ots-stand-in.pending.ots"), hashlib.sha256(note).digest()) is None
    )

    latest = parse_note(anchored.read("checkpoint"))
    assert latest.text == parse_note(note).text
    witness = parse_verifier_key(anchored.others.witness_key)
    ledger_key = parse_verifier_key(stand_ins.published_keys(anchored.ledger.api_url)[0])
    assert set(verify(latest, [witness, ledger_key])) == {witness, ledger_key}


def test_a_record_s_proof_leads_up_to_the_external_anchors(anchored: AnchoredLedger) -> None:
    org = fresh(anchored.ledger, "anchored")
    receipt = org.record()
    anchored.admin.round(run="news")
    proof = org.post("/v1/prove", {"audit_id": receipt["audit_id"]}).json()["ledger"]

    assert proof["witnessed"] is True
    (seen,) = proof["witnesses"]
    assert seen["name"] == "witness.stand-in.example"
    (stamped,) = proof["timestamps"]
    assert stamped["authority"] == "stand-in"
    (promised,) = proof["opentimestamps"]
    assert (promised["calendar"], promised["status"]) == ("stand-in", "pending")
    note = anchored.read(f"checkpoints/{proof['checkpoint']['tree_size']:012d}")
    roots = Path(anchored.others.timestamp_root).read_bytes()
    assert verify_timestamp_token(base64.b64decode(stamped["token"]), note, roots) > 0


def test_a_stranger_s_verifier_agrees_with_the_witness(anchored: AnchoredLedger) -> None:
    """With nothing of the ledger's own code: the cosignature is over the root of the log's own leaves."""
    anchored.record()
    size = anchored.run()["tree_size"]
    ledger_key = parse_verifier_key(stand_ins.published_keys(anchored.ledger.api_url)[0]).public_key
    found, root = rfc9162.opened(anchored.read("checkpoint"), anchored.ledger.ledger_name, ledger_key)
    assert (found, root) == (size, rfc9162.mth(rfc9162.leaf_hashes(size, anchored.read)))


def test_the_sweep_brings_the_block(anchored: AnchoredLedger) -> None:
    anchored.record()
    size = anchored.run()["tree_size"]

    def completed() -> set[str]:
        anchored.run("sweep")
        return {name for name in anchored.files(size) if ".bitcoin-" in name}

    assert eventually(completed, seconds=30)
    (name,) = completed()
    found = read_ots(
        anchored.read(f"anchors/{size:012d}/{name}"), hashlib.sha256(anchored.read(f"checkpoints/{size:012d}")).digest()
    )
    assert found is not None
    assert name == f"ots-stand-in.bitcoin-{found.height}.ots"
    headers = urllib3.request("GET", anchored.others.bitcoin_headers).data.decode()
    assert check_bitcoin_header(read_bitcoin_headers(headers)[found.height], found) > 0


def test_the_prover_s_and_the_witness_s_ledger_is_one(anchored: AnchoredLedger) -> None:
    """Consistency is really asked for: the witness follows from size to size, and files are written once."""
    first = anchored.record()
    second = anchored.record(3)
    assert second >= first + 3
    for size in (first, second):
        for name in anchored.files(size):
            versions = anchored.admin.versions(f"_ledger/_log/anchors/{size:012d}/{name}")
            assert len(versions) == 1
    assert {name.split("-")[0] for name in anchored.files(second)} == {"rfc3161", "ots", "witness"}


def test_the_commands_of_the_page_as_printed(anchored: AnchoredLedger, tmp_path: Path) -> None:
    anchored.record()
    anchored.run()
    time.sleep(1.1)
    anchored.run("sweep")
    somebody = Stranger(tmp_path, anchored.ledger, "jq" if shutil.which("jq") else "jaq")
    (tmp_path / ".local" / "external").mkdir()
    anchored.others.save(tmp_path / ".local" / "external")
    printed = "".join(text for _, text in somebody.types(DOCUMENT))
    assert "Verification: OK\n" in printed
    assert re.search(r"^Time stamp: .* GMT$", printed, re.MULTILINE)
    assert "Signature Verified Successfully\n" in printed
    assert re.search(r"^[0-9]{12}: block 9[0-9]{5} mined 2", printed, re.MULTILINE)
    for wrong in ("another Merkle root", "something else", "FAILED", "Failure"):
        assert wrong not in printed


def test_a_token_for_other_bytes_is_refused_by_openssl(anchored: AnchoredLedger, tmp_path: Path) -> None:
    anchored.record()
    size = anchored.run()["tree_size"]
    (tmp_path / "token").write_bytes(anchored.read(f"anchors/{size:012d}/rfc3161-stand-in.tsr"))
    (tmp_path / "data").write_bytes(anchored.read(f"checkpoints/{size:012d}") + b"\n")
    (tmp_path / "shell").mkdir()
    somebody = Stranger(tmp_path / "shell", anchored.ledger, "jq" if shutil.which("jq") else "jaq")
    done = somebody.shell(
        f"openssl ts -verify -in {tmp_path}/token -data {tmp_path}/data -CAfile {anchored.others.timestamp_root}",
        careful=False,
    )
    assert done.returncode != 0
    assert "Verification: OK" not in done.stdout


def test_the_function_does_nothing_else(anchored: AnchoredLedger) -> None:
    with pytest.raises(AssertionError, match="must be news, org or sweep"):
        anchored.run("elsewhere")


def test_it_may_do_what_it_does(anchored: AnchoredLedger) -> None:
    """See test_permissions.py."""

    # No round: that would ask the providers itself.
    org = fresh(anchored.ledger, "anchored")
    org.record()
    anchored.admin.anchor(org.org_id)
    anchored.admin.ledger_log()
    with function(anchored.admin, "external", source="external") as run:
        assert run({"run": "sweep"})["failed"] is None
    assert run.refused() == []
    # It knows one key; with a second it reads what that one says of the first.
    assert run.role.unused(run.needed) <= {"s3:GetObject"}


def test_the_doctor_finds_who_is_configured(anchored: AnchoredLedger) -> None:
    found = AwsDeployment(clients=anchored.admin.client, ledger_name=anchored.ledger.ledger_name)
    assert set(found.external_tracks()) == TRACKS
