# SPDX-License-Identifier: Apache-2.0
"""Wrong input of every kind: one line that names the problem, exit status 2, and never a traceback.

Exit status 1 is a verdict, which other errors must not resemble.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from indelible.cli import main
from indelible.cli.main import SHORT_HELP, cli
from indelible.domain import bundle, note
from tests.fakes.audits import copied, exported
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.repacked import packed
from tests.fakes.world import World

KEY = note.verifier_key(LEDGER_NAME, FakeSigner().public_key())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with evidence, and with files that are not evidence."""
    directory = tmp_path_factory.mktemp("desk")
    world = World()
    world.record(1, 2, 3, 4)
    world.anchored()
    whole = exported(world.bucket)
    (directory / "evidence.zip").write_bytes(whole)
    copied(world.bucket, directory / "copy")
    (directory / "empty").mkdir()
    (directory / "cut.zip").write_bytes(whole[: len(whole) // 2])
    for name, content in {
        "text": b"hello\n",
        "nothing": b"",
        "garbage": bytes(range(256)),
        "deep.json": b"[" * 200_000,
        "half.json": b'{"receipt": ',
        "key.pem": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "root.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }.items():
        (directory / name).write_bytes(content)
    (directory / "foreign.zip").write_bytes(packed({"a.txt": b"x"}))
    (directory / "deep.zip").write_bytes(packed({bundle.MANIFEST: b"[" * 200_000}))
    with zipfile.ZipFile(directory / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(bundle.MANIFEST, bytes(1_000_000))
    # The directory of the archive says that an entry has two thousand million bytes, and which ZIP that needs.
    (directory / "longer.zip").write_bytes(_changed(whole, 20, b"\xff\xff\xff\x7f" * 2))
    (directory / "newer.zip").write_bytes(_changed(whole, 6, b"\xc2\x00"))
    return directory


def _changed(data: bytes, offset: int, to: bytes) -> bytes:
    """The archive with bytes replaced in the last entry of its central directory."""
    at = data.rfind(b"PK\x01\x02") + offset
    return data[:at] + to + data[at + len(to) :]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("verify nowhere", "nowhere is neither a directory nor a bundle"),
        ("verify empty", "empty has no records"),
        ("verify text", "text is no evidence bundle: it is not a ZIP archive"),
        ("verify nothing", "nothing is no evidence bundle"),
        ("verify cut.zip", "cut.zip is damaged, or was not copied to its end"),
        ("verify longer.zip", "longer.zip is damaged, or was not copied to its end"),
        ("verify newer.zip", "newer.zip is damaged, or was not copied to its end"),
        ("verify foreign.zip", "foreign.zip: it is no evidence bundle: it has no manifest.json"),
        ("verify deep.zip", "deep.zip: manifest.json is not of the format"),
        ("verify bomb.zip", "is compressed or encrypted; a bundle's files never are"),
        ("verify ''", "neither s3://BUCKET/ORGANISATION, nor"),
        ("verify https://bucket.s3.amazonaws.com/acme", "neither s3://BUCKET/ORGANISATION, nor"),
        ("verify s3://bucket/acme-corp --org globex", "s3://bucket/acme-corp and --org globex name different"),
        ("verify s3://bucket", "s3://bucket is not of the form s3://BUCKET/ORGANISATION"),
        ("verify evidence.zip --org globex", "is a bundle of acme-corp, not of globex"),
        ("verify copy --org globex", "copy has no record of globex"),
        ("verify copy --start 400", "copy has no record in that range"),
        ("verify evidence.zip --key ''", "--key is empty"),
        ("verify evidence.zip --key garbage", "--key garbage is not text"),
        ("verify evidence.zip --key deep.json", "--key deep.json: a verifier key is"),
        ("verify evidence.zip --key {}", "--key: JSON, but not the answer of GET /v1/keys"),
        ("verify evidence.zip --key nobody", "--key nobody: neither a verifier key nor a file"),
        ("verify evidence.zip --witness text", "--witness: a verifier key is"),
        ("verify evidence.zip --key text", "--key text: a verifier key is"),
        ("verify evidence.zip --key key.pem", "--key key.pem: the PEM has no public key that can be read"),
        ("verify evidence.zip --receipt half.json", "half.json is not JSON"),
        ("verify evidence.zip --receipt garbage", "garbage is not text"),
        ("verify evidence.zip --receipt deep.json", "deep.json is not JSON"),
        ("verify evidence.zip --bitcoin-headers text", "--bitcoin-headers text: line 1 is not"),
        ("verify evidence.zip --bitcoin-header 1:00", "--bitcoin-header 1:00: say HEIGHT:HEX"),
        ("verify evidence.zip --tsa-root root.pem", "--tsa-root root.pem: no certificate in PEM"),
        ("verify evidence.zip --tsa-root garbage", "--tsa-root garbage: no certificate in PEM"),
        ("verify evidence.zip --checkpoint-file nowhere/x", "there is no directory nowhere"),
        ("verify evidence.zip --checkpoint-file deep.json", "deep.json is no progress file"),
        (f"verify evidence.zip --checkpoint-file {'x' * 253}", "x.new: File name too long"),
        ("verify evidence.zip --completed empty", "empty has no completed proofs"),
        ("show text 1", "text is no evidence bundle"),
        ("show copy 9", "copy has no record 9"),
        ("trace copy nobody", "no record of trace nobody"),
        ("checkpoint text", "text: a note has an empty line"),
        ("checkpoint garbage", "garbage: a note is UTF-8"),
        ("checkpoint evidence.zip --key ''", "--key is empty"),
        ("export copy -o text", "text exists; --force replaces it"),
        ("export copy -o nowhere/x.zip", "there is no directory nowhere"),
        ("export empty -o x.zip", "empty has no records"),
        ("export copy -o x.zip --start 9", "no record in this range"),
        ("export copy -o x.zip --key ''", "--key is empty"),
        ("upgrade-ots text", "text is no evidence bundle"),
        ("upgrade-ots evidence.zip", "evidence.zip has no OpenTimestamps proofs"),
    ],
)
def test_one_line_says_what_is_wrong(place: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.iterdir())

    answer = run(*(word if word != "''" else "" for word in words.split(" ")))

    assert (answer.exit_code, answer.stdout) == (2, ""), answer.output
    *_, last = answer.stderr.splitlines()
    assert last.startswith("Could not ")
    assert said in last
    assert len(answer.stderr.splitlines()) <= 1 + words.startswith("export"), "export says what it does not look at"
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    "words",
    [
        ["verfy"],
        ["verify"],
        ["verify", "x", "--start", "0"],
        ["verify", "x", "--start", "one"],
        ["verify", "x", "--jobs", "100000"],
        ["verify", "x", "--receipt", "nowhere"],
        ["verify", "s3://b/acme", "--endpoint-url", "nonsense"],
        ["verify", "s3://b/acme", "--endpoint-url", "ftp://example.com"],
        ["export", "x"],
        ["export", "x", "-o", "y", "--format", "docx"],
        ["rebuild", "--accept", "FOO"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert "\nError: " in answer.stderr
    assert "Traceback" not in answer.stderr


# -- AWS, which is not there ------------------------------------------------------------------------------


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without any AWS configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # another test's, which knows who it was


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", [["verify", "s3://bucket/acme-corp"], ["doctor"], ["rebuild"]])
def test_without_credentials(command: list[str]) -> None:
    answer = run(*command)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "AWS: Unable to locate credentials; name a profile" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.usefixtures("nobody")
def test_without_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    assert run("doctor").stderr == (
        "Error: AWS: You must specify a region: set AWS_REGION, or name a profile that has one\n"
    )


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:9", 'Could not connect to the endpoint URL: "http://127.0.0.1:9/'),
        ("nonsense", "Invalid endpoint configuration: nonsense"),
    ],
)
@pytest.mark.parametrize("command", [["verify", "s3://bucket/acme-corp"], ["doctor"], ["rebuild"]])
def test_an_endpoint_that_is_none(
    monkeypatch: pytest.MonkeyPatch, command: list[str], endpoint: str, said: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    answer = run(*command)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert f"AWS: {said}" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.usefixtures("nobody")
def test_a_profile_and_a_bucket_name_that_there_cannot_be() -> None:
    profile = run("verify", "s3://bucket/acme-corp", "--profile", "nobody")
    assert profile.exit_code == 2
    assert "The config profile (nobody) could not be found" in profile.stderr
    bucket = run("verify", "s3://not a bucket/acme-corp")
    assert bucket.exit_code == 2
    assert 'Invalid bucket name "not a bucket"' in bucket.stderr
    assert bucket.stderr.count("\n") == 1


# -- help -------------------------------------------------------------------------------------------------


def test_the_list_of_commands_imports_none_of_them() -> None:
    program = (
        "import sys\n"
        "from indelible.cli.main import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "print(sorted(name for name in sys.modules if name.startswith('indelible.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.endswith("\n['indelible.cli', 'indelible.cli.main']\n")
    for name, said in SHORT_HELP.items():
        assert f"  {name} " in done.stdout
        assert said in done.stdout, "in whole, on a terminal of 80 columns"


def test_a_command_that_is_nearly_right_is_guessed() -> None:
    assert "Did you mean 'verify'?" in run("verfy").stderr


@pytest.mark.parametrize("name", SHORT_HELP)
def test_every_command_has_help_and_every_module_its_command(name: str) -> None:
    answer = run(name, "--help")
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"Usage: cli {name} ")
    assert main.cli.list_commands(click.Context(main.cli)) == [*SHORT_HELP]
