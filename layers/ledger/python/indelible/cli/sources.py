# SPDX-License-Identifier: Apache-2.0
"""SOURCE on the command line: a bucket, a directory copied from one, or an evidence bundle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import NoReturn

import click

from indelible.audit.bucket import BucketSource
from indelible.audit.bundle import BundleSource
from indelible.audit.directory import DirectorySource
from indelible.audit.source import NotEvidence, Source
from indelible.cli import COULD_NOT_CHECK
from indelible.cli.atomic_file import NO_SPACE
from indelible.cli.deployment import describe_error
from indelible.cli.terminal import safe_line
from indelible.domain.bundle import MANIFEST, RECORDS


def open_source(source: str, *, org: str | None, profile: str | None, endpoint_url: str | None) -> Source:
    """Open what SOURCE names. Raises NotEvidence."""
    if source.startswith("s3://"):
        bucket, _, rest = source.removeprefix("s3://").partition("/")
        org_id = rest.strip("/") or org
        if org is not None and org != org_id:
            raise NotEvidence(f"{source} and --org {org} name different organisations")
        if not bucket or not org_id or "/" in org_id:
            raise NotEvidence(f"{source} is not of the form s3://BUCKET/ORGANISATION")
        return open_bucket(bucket, org_id, profile, endpoint_url)
    if not source or "://" in source:
        raise NotEvidence(f"{source!r} is neither s3://BUCKET/ORGANISATION, nor a directory, nor a bundle")
    path = Path(source)
    if (path / MANIFEST).is_file() and (path / RECORDS).is_file():
        raise NotEvidence(f"{source} is an unpacked evidence bundle; name the ZIP file itself")
    return BundleSource(path, org) if path.is_file() else DirectorySource(path, org)


def open_bucket(bucket: str, org_id: str, profile: str | None, endpoint_url: str | None) -> BucketSource:
    """The organisation's records in a bucket. Worker processes call it again, to open connections of their own."""
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
def exit_on_failure(task: str) -> Iterator[None]:
    """Turn an expected error into the line `Could not TASK: …` on stderr and exit status 2."""
    try:
        yield
    except NotEvidence as error:
        _exit(task, str(error))
    except KeyboardInterrupt:
        _exit(task, "interrupted")
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"the directory for temporary files ({gettempdir()})" if error.errno in NO_SPACE else "the source"
        _exit(task, f"{error.filename or place}: {error.strerror or error}")
    except Exception as error:
        message = describe_error(error)
        if message is None:
            raise
        _exit(task, message)


def _exit(task: str, message: str) -> NoReturn:
    click.echo(f"Could not {task}: {safe_line(message)}", err=True)
    raise SystemExit(COULD_NOT_CHECK)
