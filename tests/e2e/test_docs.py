# SPDX-License-Identifier: Apache-2.0
"""What README.md and pages in docs/ tell a stranger to type works as printed: bash runs the very blocks.

The AWS command line comes from this environment; `jq`, `curl` and `openssl` are the machine's. A machine that has only
Python and make gets `jaq` from this environment for jq, and tests/e2e/stand_ins for the other two; in CI the real ones
must be there. Nothing is skipped, and both ways are tried wherever that is possible.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from indelible.client import LedgerClient
from indelible.domain.canonical import canonical_bytes
from local.env import Outputs
from tests.documents import ROOT, Block, blocks
from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.merkle_log import MerkleLog, numbered
from tests.e2e.helpers.stranger import Stranger, found

README = ROOT / "README.md"
FORMAT = ROOT / "docs" / "format.md"
REST = ROOT / "docs" / "rest.md"
DEPLOYING = ROOT / "docs" / "deploying.md"
ASSUMED = ("bash", "base64", "cut", "find", "grep", "head", "od", "sed", "sha256sum", "sort", "tail")
LOG_FAILURES = ("TRUNCATED", "CHECKPOINT_MISMATCH", "BAD_SIGNATURE", "does not hold")
IN_CI = ("curl", "jq", "openssl")
JSON_TOOLS = ["jaq", *(["jq"] if shutil.which("jq") else [])]

Place = Callable[..., Stranger]


@pytest.fixture
def stranger(new_org: Callable[[str], Outputs], tmp_path: Path) -> Place:
    def place(name: str, json_tool: str, *, bare: bool = False) -> Stranger:
        return Stranger(tmp_path, new_org(name), json_tool, bare=bare)

    return place


def test_the_tools_are_there() -> None:
    for tool in (*ASSUMED, *(IN_CI if os.environ.get("CI") else ())):
        found(tool)


@pytest.mark.parametrize("json_tool", JSON_TOOLS)
def test_jq_writes_canonical_json_where_rest_says_so(json_tool: str) -> None:
    everything = (
        "".join(chr(c) for c in range(0x10000) if c != 0x7F and not 0xD800 <= c < 0xE000) + "\U0001f600\U0010ffff"
    )
    printable = "".join(map(chr, range(0x20, 0x7F)))
    names: dict[str, Any] = {f"{one}{printable}": None for one in printable} | {"": [], "a": {}, "A": True, "aa": False}
    integers = [0, 1, -1, 12_500, 10**15, 2**53 - 1, 1 - 2**53]
    document = {"text": everything, "names": names, "integers": integers}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    tool = shutil.which(json_tool, path=path)
    assert tool
    printed = subprocess.run([tool, "-cjS", "."], input=json.dumps(document).encode(), capture_output=True, check=True)
    assert printed.stdout == canonical_bytes(document)


def test_the_checkpoint_in_the_format_is_signed_as_it_says() -> None:
    note = next(block.text for block in blocks(FORMAT) if "\u2014 " in block.text and not block.language)
    key = base64.b64decode(re.findall(r"`(indelible/acme-corp)\+[0-9a-f]{8}\+([^`]+)`", FORMAT.read_text())[0][1])
    assert rfc9162.opened(note.encode(), "indelible/acme-corp", key[1:])[0] == 1000
    # And docs/rest.md makes the verifier key of a log out of the one that is published.
    made: dict[str, Any] = {}
    exec(next(block.text for block in blocks(REST) if block.language == "py"), made)
    key_id = rfc9162.sha256(b"indelible\n", key)[:4].hex()
    verifier_key = made["verifier_key"](f"indelible+{key_id}+{base64.b64encode(key).decode()}", "acme-corp")
    assert f"`{verifier_key}`" in FORMAT.read_text()


def test_recording_proving_and_verifying_with_stand_ins(stranger: Place) -> None:
    (_, receipt), (_, answers) = stranger("docs-bare", "jaq", bare=True).types(README, most=2)
    proof, verdict = _documents(answers)
    assert proof["storage"]["sha256"] == _documents(receipt)[0]["tx_hash"]
    assert verdict["valid"] is True


def test_the_readme_as_printed(stranger: Place) -> None:
    somebody = stranger("docs-readme", JSON_TOOLS[-1])
    ran = somebody.types(README)
    _answers_as_printed(README, ran)
    receipt = json.loads((somebody.directory / "receipt.json").read_text())
    proof, verdict = _documents(ran[1][1])
    assert proof["storage"]["sha256"] == receipt["tx_hash"]
    assert verdict["valid"] is True
    assert ran[2][1].split()[-1] == "True"
    assert _documents(somebody.shell(ran[0][0].text).stdout) == [receipt], "the same request again, the same receipt"
    assert "VALID" in ran[-1][1]
    assert receipt["tx_hash"] in (somebody.directory / "records.csv").read_text()


def test_the_rest_page_as_printed(stranger: Place) -> None:
    ran = stranger("docs-rest", JSON_TOOLS[-1]).types(REST)
    _answers_as_printed(REST, ran)


def test_the_organisations_of_the_deploying_page_as_printed(stranger: Place) -> None:
    (_, listed) = stranger("docs-deploying", JSON_TOOLS[-1]).types(DEPLOYING)[-1]
    assert "globex" in listed


@pytest.mark.parametrize("json_tool", JSON_TOOLS)
def test_a_stranger_verifies_with_the_commands_of_the_format(stranger: Place, json_tool: str) -> None:
    somebody = stranger(f"docs-format-{json_tool}", json_tool)
    receipts = _record(somebody, 4)
    ran = somebody.types(FORMAT)
    _answers_as_printed(FORMAT, ran)
    printed = "".join(text for _, text in ran)
    vector = next(block for block in blocks(FORMAT) if block.marker == "vector")
    assert json.loads(vector.text)["governor_signature"] in printed
    assert printed.count(f"4 records, the last one is {receipts[-1]['tx_hash']}\n") == 2
    assert f"chain/{receipts[-1]['s3_key']}: OK\n" in printed
    assert receipts[-1]["tx_hash"] in printed.split("OK\n")[1], "S3's own checksum"
    for word in ("MISSING", "BROKEN_LINK", "CONTENT_MISMATCH", "SHADOWED", "UNLOCKED", *LOG_FAILURES):
        assert word not in printed
    assert printed.count("4 records lead to the signed root\n") == 1
    assert "record 4 is in the tree of 4\n" in printed
    derived, shown = next(text for block, text in ran if "checkpoint.line |" in block.text).split()
    assert derived == shown
    assert printed.count("Signature Verified Successfully\n") == 4, "latest, the one of its size, and in both proofs"
    assert re.search(r"^its checkpoint is leaf \d+ of the ledger's \d+$", printed, re.MULTILINE)


@pytest.mark.parametrize("json_tool", JSON_TOOLS)
def test_the_same_commands_name_what_was_tampered_with(stranger: Place, json_tool: str) -> None:
    somebody = stranger(f"docs-tampered-{json_tool}", json_tool)
    receipts = _record(somebody, 5)
    outputs = somebody.outputs
    s3 = boto3.session.Session("test", "test", region_name=outputs.region).client(
        "s3", endpoint_url=outputs.endpoint_url
    )
    s3.delete_object(Bucket=outputs.bucket, Key=receipts[1]["s3_key"])
    s3.put_object(Bucket=outputs.bucket, Key=receipts[3]["s3_key"], Body=b'{"sequence":4}')
    s3.delete_object(Bucket=outputs.bucket, Key=receipts[4]["s3_key"])

    printed = "".join(text for _, text in somebody.types(FORMAT, careful=False))

    shown, _, sealed = printed.partition("SHADOWED")
    assert "MISSING or FORK: record 3 follows record 1\n" in shown
    assert "BROKEN_LINK: record 3\n" in shown
    assert "CONTENT_MISMATCH or UNKNOWN_FORMAT: record 4 does not say what its key says\n" in shown
    assert f"5 records, the last one is {receipts[4]['tx_hash']}" not in shown
    assert f"chain/{receipts[4]['s3_key']}: FAILED" in shown
    for place in (1, 3, 4):
        assert f"newer version or delete marker over {receipts[place]['s3_key']}\n" in sealed
    assert f"\n5 records, the last one is {receipts[4]['tx_hash']}\n" in sealed, "the evidence is all there"
    for word in ("MISSING", "BROKEN_LINK", "CONTENT_MISMATCH"):
        assert word not in sealed


@pytest.mark.parametrize("json_tool", JSON_TOOLS)
def test_a_weaker_lock_shows(stranger: Place, json_tool: str) -> None:
    somebody = stranger(f"docs-unlocked-{json_tool}", json_tool)
    _record(somebody, 2)
    check = next(block.text for block, _ in somebody.types(FORMAT) if "UNLOCKED" in block.text)
    lies = [{"ObjectLockMode": "GOVERNANCE"}, {"ObjectLockRetainUntilDate": "2030-01-01T00:00:00Z"}]
    for described, lie in zip(sorted(somebody.directory.glob("sealed/**/*.s3")), lies, strict=True):
        described.write_text(json.dumps(json.loads(described.read_text()) | lie))
    assert somebody.shell(check).stdout.splitlines() == ["UNLOCKED: record 1", "UNLOCKED: record 2"]


@pytest.mark.parametrize("json_tool", JSON_TOOLS)
def test_the_same_commands_see_through_a_forged_log(stranger: Place, json_tool: str) -> None:
    somebody = stranger(f"docs-forged-{json_tool}", json_tool)
    _record(somebody, 3)
    log = MerkleLog(Admin.of(somebody.outputs), somebody.outputs.org_id)
    text, _, line = log.read(numbered(3)).decode().rpartition("\n\n")
    for path, data in {
        "checkpoint": f"{text}\n\n{line}".replace("\n3\n", "\n4\n").encode(),
        numbered(2): log.sign(2, bytes(32)),
        numbered(4): log.sign(4, bytes(32)),
        numbered(5): log.sign(3, bytes(32), origin=f"{log.origin}x"),
    }.items():
        log.admin.overlay(log.s3_key(path), data)
    proof = somebody.directory / "record.tlog-proof"
    proof.write_text(proof.read_text().replace("index 2", "index 1"))
    above = log.s3_key(f"ledger/{3:012d}.tlog-proof")
    log.admin.overlay(above, re.sub(rb"(?m)^index \d+$", b"index 999999", log.admin.body(above)))

    printed = "".join(text for _, text in somebody.types(FORMAT, careful=False))

    for said in (
        "BAD_SIGNATURE: checkpoint",
        "CHECKPOINT_MISMATCH: the records up to 2 have another root",
        "3 records lead to the signed root",
        "TRUNCATED: 4 records were signed, and 3 are there",
        f"CHECKPOINT_MISMATCH: log/{5:012d} is another log's",
        f"BAD_SIGNATURE: log/{5:012d}",
        "the proof does not hold",
        "the ledger's proof does not hold",
    ):
        assert f"{said}\n" in printed
    assert printed.count("Signature Verified Successfully\n") == 5


def _record(somebody: Stranger, count: int) -> list[dict[str, Any]]:
    """Recorded and anchored; with the last receipt, and its proof, in files."""
    outputs = somebody.outputs
    with LedgerClient(outputs.api_url, org_id=outputs.org_id, hmac_secret=outputs.hmac_secret) as ledger:
        receipts = [ledger.record({"event_type": "X", "payload": {"number": number}}) for number in range(count)]
        (somebody.directory / "receipt.json").write_text(json.dumps(receipts[-1]))
        Admin.of(outputs).anchor(outputs.org_id)
        assert Admin.of(outputs).ledger_log()["failed"] is None
        proof = ledger.prove(audit_id=receipts[-1]["audit_id"])
        (somebody.directory / "record.tlog-proof").write_text(proof["inclusion"]["tlog_proof"])
    return receipts


def _answers_as_printed(document: Path, ran: list[tuple[Block, str]]) -> None:
    """Each `answer` is what the last `run` block before it printed: text and errors exactly, other JSON in form."""
    printed = {block.text: text for block, text in ran}
    last = ""
    compared = 0
    for block in blocks(document):
        if block.marker == "run":
            last = printed[block.text]
        elif block.marker == "answer":
            compared += 1
            if block.language == "json":
                expected, found = json.loads(block.text), _documents(last)[-1]
                assert _form(found) == _form(expected)
                assert "error" not in expected or found == expected
            else:
                assert last == block.text
    assert compared


def _documents(text: str) -> list[dict[str, Any]]:
    """Every JSON object in a text, one after another."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while (position := text.find("{", position)) >= 0:
        value, position = decoder.raw_decode(text, position)
        found.append(value)
    return found


def _form(value: object) -> object:
    """Names and types; not of a `checkpoint`, which is there or not as rounds have come."""
    if not isinstance(value, dict):
        return type(value)
    return {key: key if key == "checkpoint" else _form(child) for key, child in value.items()}
