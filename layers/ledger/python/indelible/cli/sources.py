# SPDX-License-Identifier: Apache-2.0
"""SOURCE on the command line: a bucket, a directory that was copied from it, or an evidence bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import NoReturn
from urllib.parse import urlsplit

import click

from indelible.audit.bucket import BucketSource
from indelible.audit.bundle import BundleSource
from indelible.audit.directory import DirectorySource
from indelible.audit.source import NotEvidence, Source
from indelible.cli import COULD_NOT_CHECK
from indelible.cli.failures import in_words
from indelible.cli.plain import plain
from indelible.cli.whole_file import FULL
from indelible.domain.bundle import MANIFEST, RECORDS

source_argument = click.argument("source", metavar="SOURCE")
org_option = click.option("--org", metavar="NAME", help="The organisation, where the source has several.")
profile_option = click.option("--profile", metavar="NAME", help="A profile of your AWS configuration.")


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    del ctx, param
    parts = urlsplit(value or "http://unset")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{value!r} is not a URL such as https://s3.eu-central-1.amazonaws.com")
    return value


endpoint_option = click.option(
    "--endpoint-url", metavar="URL", callback=_address, help="Another S3 endpoint than that of AWS."
)
key_option = click.option(
    "--key", metavar="KEY", help="The ledger's public key that you have pinned: verifier key, PEM, or a file with it."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def with_source(command: Callable[..., None]) -> Callable[..., None]:
    """SOURCE and the options that say how to reach it."""
    for decorate in (endpoint_option, profile_option, org_option, source_argument):
        command = decorate(command)
    return command


def opened(source: str, *, org: str | None, profile: str | None, endpoint_url: str | None) -> Source:
    """The source. Raises NotEvidence."""
    if source.startswith("s3://"):
        bucket, _, rest = source.removeprefix("s3://").partition("/")
        owner = rest.strip("/") or org
        if org is not None and org != owner:
            raise NotEvidence(f"{source} names {owner}, and --org {org}")
        if not bucket or not owner or "/" in owner:
            raise NotEvidence(f"{source}: say s3://BUCKET/ORGANISATION")
        return open_bucket(bucket, owner, profile, endpoint_url)
    if not source or "://" in source:
        raise NotEvidence(f"{source!r}: say s3://BUCKET/ORGANISATION, a directory or a bundle")
    path = Path(source)
    if (path / MANIFEST).is_file() and (path / RECORDS).is_file():
        raise NotEvidence(f"{source} is an evidence bundle that was unpacked: name the ZIP file that it was")
    return BundleSource(path, org) if path.is_file() else DirectorySource(path, org)


def open_bucket(bucket: str, org_id: str, profile: str | None, endpoint_url: str | None) -> BucketSource:
    """Here, or in a worker process."""
    try:
        from indelible.entry import operator
    except ModuleNotFoundError as error:
        raise NotEvidence(
            f"{error.name} is needed for a bucket: pip install '.[s3]' in a checkout of indelible"
        ) from None
    evidence = operator.evidence(bucket, profile=profile, endpoint_url=endpoint_url)
    return BucketSource(
        where=f"s3://{bucket}/{org_id}",
        org_id=org_id,
        records=evidence.records,
        files=evidence.files,
        again=partial(open_bucket, bucket, org_id, profile, endpoint_url),
    )


@contextmanager
def or_could_not(do: str) -> Iterator[None]:
    """Whatever keeps the command from an answer is one clear line, and exit status 2."""
    try:
        yield
    except NotEvidence as error:
        _give_up(do, str(error))
    except KeyboardInterrupt:
        _give_up(do, "interrupted")
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"the directory for temporary files ({gettempdir()})" if error.errno in FULL else "the source"
        _give_up(do, f"{error.filename or place}: {error.strerror or error}")
    except Exception as error:
        words = in_words(error)
        if words is None:
            raise
        _give_up(do, words)


def _give_up(do: str, message: str) -> NoReturn:
    click.echo(f"Could not {do}: {plain(message)}", err=True)
    raise SystemExit(COULD_NOT_CHECK)
