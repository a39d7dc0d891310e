# SPDX-License-Identifier: Apache-2.0
"""Building the functions' layer for Lambda on arm64, with pip alone.

Invariant: the asset holds what the hash-pinned requirements.txt and the source tree say, and nothing
else; the same inputs give the same asset hash on every machine, so an unchanged layer is neither built
nor deployed again.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.bytecode import compile_ahead, find_python

ROOT = Path(__file__).resolve().parent.parent
LAYER_DIR = ROOT / "layers" / "ledger"
#: What only exports as PDF need: so much that it would make every function's cold start longer.
PDF_LAYER_DIR = ROOT / "layers" / "pdf"

#: The newest Python that Lambda runs.
LAMBDA_RUNTIME = lambda_.Runtime.PYTHON_3_14
_LAMBDA_PYTHON = "3.14"
#: Amazon Linux 2023 has glibc 2.34; manylinux 2.17 is the oldest policy for aarch64.
_LAMBDA_PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(34, 16, -1)] + ["manylinux2014_aarch64"]

#: What of the package runs on people's machines only (architecture, §8), and may need what the layer does not have.
NOT_SHIPPED = (
    "audit/",
    "cli/",
    "client/",
    "views/parquet.py",
    "entry/operator.py",
    "aws/crt_records.py",
    "aws/sigv4.py",
)
_JUNK = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
#: Changes whenever the way of building does, so that an old asset is not mistaken for a new one.
_RECIPE = "2"
#: The path of the layer's ``python/`` in a function.
_IN_A_FUNCTION = "/opt/python"
#: A file that is in an asset's directory while it is being built.
_UNFINISHED = ".unfinished"


class BundlingError(RuntimeError):
    """pip could not build the layer; the message is one line, pip's own output is above it."""


class Bundling(Protocol):
    """How third-party packages get into the layer."""

    @property
    def target(self) -> str:
        """Names what the result runs on; part of the asset hash."""
        ...

    @property
    def python(self) -> str | None:
        """Path of an interpreter of the target's version, which compiles the layer; None leaves it uncompiled."""
        ...

    def install(self, requirements: Path, destination: Path) -> None:
        """Put the packages pinned in ``requirements`` under ``destination``. Raises BundlingError."""
        ...


@dataclass(frozen=True)
class LambdaBundling:
    """Wheels for Lambda's Python on arm64, whatever machine this is; no Docker, no C compiler."""

    python: str | None = None

    @classmethod
    def on_this_machine(cls) -> LambdaBundling:
        """With bytecode where this machine has Lambda's Python; where it has not, says so on stderr."""
        python = find_python(_LAMBDA_PYTHON)
        if python is None:
            print(
                f"note: without Python {_LAMBDA_PYTHON} on this machine the functions' code is delivered uncompiled, "
                f"and every cold start takes longer; .venv/bin/uv python install {_LAMBDA_PYTHON} avoids that",
                file=sys.stderr,
            )
        return cls(python=python)

    @property
    def target(self) -> str:
        """Python version and architecture."""
        return f"lambda-cp{_LAMBDA_PYTHON}-aarch64"

    def install(self, requirements: Path, destination: Path) -> None:
        """See :class:`Bundling`. Fails where a pinned package has no wheel for the target."""
        platforms = [argument for name in _LAMBDA_PLATFORMS for argument in ("--platform", name)]
        _pip_install(
            requirements,
            destination,
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={_LAMBDA_PYTHON}",
            *platforms,
        )


def _pip_install(requirements: Path, destination: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-compile", "--no-warn-conflicts", "--root-user-action=ignore"]
    # The lock is complete, so nothing is resolved: what is not in it does not get in.
    command += ["--require-hashes", "--no-deps", "--requirement", str(requirements)]
    command += ["--target", str(destination), *arguments]
    # stdout belongs to jsii's protocol with Node while the CDK calls us.
    done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - our own interpreter
    if done.returncode != 0:
        raise BundlingError(f"pip could not install {requirements} for the layer (exit {done.returncode})")


def build_layer(destination: Path, *, bundling: Bundling, source: Path = LAYER_DIR) -> None:
    """Write the layer's content, a ``python/`` directory, under ``destination``."""
    site = destination / "python"
    site.mkdir(parents=True, exist_ok=True)
    bundling.install(source / "requirements.txt", site)
    # Console scripts name an interpreter that Lambda does not have.
    shutil.rmtree(site / "bin", ignore_errors=True)
    for path, name in _shipped(source):
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if bundling.python is not None:
        compile_ahead(site, python=bundling.python, runs_at=_IN_A_FUNCTION)


def layer_hash(*, bundling: Bundling, source: Path = LAYER_DIR) -> str:
    """Hash of everything that decides the layer's content: target, with or without bytecode, requirements, source."""
    form = "source" if bundling.python is None else "bytecode"
    digest = hashlib.sha256(f"{_RECIPE}\0{bundling.target}\0{form}\0".encode())
    inputs = [(source / "requirements.txt", "requirements.txt"), *_shipped(source)]
    for path, name in inputs:
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _shipped(source: Path) -> Iterator[tuple[Path, str]]:
    """Every file of our own that goes into the layer, with its name there, in a fixed order."""
    package = source / "python" / "indelible"
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        if not path.is_file() or path.suffix == ".pyc" or _JUNK.intersection(inside.parts):
            continue
        if inside.as_posix().startswith(NOT_SHIPPED):
            continue
        yield path, path.relative_to(source).as_posix()


@jsii.implements(ILocalBundling)
class LocalBundling:
    """What the CDK calls when the asset is needed and not there yet."""

    def __init__(self, bundling: Bundling, source: Path = LAYER_DIR) -> None:
        self._bundling = bundling
        self._source = source

    def try_bundle(self, output_dir: str, *_args: object, **_options: object) -> bool:
        """Build into ``output_dir``. True always: there is no second way to fall back to."""
        unfinished = Path(output_dir) / _UNFINISHED
        unfinished.touch()
        build_layer(Path(output_dir), bundling=self._bundling, source=self._source)
        unfinished.unlink()
        return True


def discard_unfinished(outdir: Path) -> None:
    """Remove assets whose bundling was interrupted: the CDK takes a directory that exists for a complete one."""
    for asset in outdir.glob("asset.*"):
        if asset.is_dir() and ((asset / _UNFINISHED).exists() or not any(asset.iterdir())):
            shutil.rmtree(asset)


def layer_code(bundling: Bundling, *, outdir: Path, source: Path = LAYER_DIR) -> lambda_.Code:
    """A layer as a CDK asset, named by its inputs: one that is in ``outdir`` already is not built again."""
    discard_unfinished(outdir)
    return lambda_.Code.from_asset(
        str(source),
        asset_hash=layer_hash(bundling=bundling, source=source),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            # Demanded by the CDK, never run: local bundling does not decline.
            image=DockerImage.from_registry("scratch"),
            local=LocalBundling(bundling, source),
        ),
    )
