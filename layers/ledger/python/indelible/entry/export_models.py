# SPDX-License-Identifier: Apache-2.0
"""Request and answer of POST /v1/export. Field names are binding."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.entry.models import Identity, Instant, Sequence
from indelible.entry.proof_models import Count

ExportId = Annotated[
    str, Meta(pattern="^[0-9a-f]{32}$", description="The same for the same range and state of the ledger.")
]


class ExportRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Which part of the chain (as for verify), or which export: by the `export_id` of an earlier answer."""

    start_seq: Sequence | UnsetType = UNSET
    end_seq: Sequence | UnsetType = UNSET
    from_: Instant | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Instant | UnsetType = UNSET
    format: (
        Annotated[
            Literal["bundle", "jsonl", "csv", "aat", "ocsf", "pdf"],
            Meta(
                description="`bundle`, the default, proves itself. The others are views for reading, each stored with "
                "the bundle that proves it."
            ),
        ]
        | UnsetType
    ) = UNSET
    # Anything may be asked for: what cannot be an id is not found, like an id that does not exist.
    export_id: (
        Annotated[str, Meta(min_length=1, max_length=64, description="Ask what has become of it.")] | UnsetType
    ) = UNSET


class ProvingBundle(Struct, kw_only=True):
    """The evidence bundle that a view was made from, which is kept for as long as the view."""

    sha256: Annotated[str, Meta(description="Of the bundle, hex; the view names it in itself.")]
    url: Annotated[str, Meta(description="As that of the view.")]


class ExportResponse(Struct, kw_only=True):
    """An export: ready to be downloaded, under way, or failed."""

    status: Annotated[
        Literal["ready", "pending", "failed"],
        Meta(description="pending: ask again with export_id. failed: ask for the range again to try again."),
    ]
    export_id: ExportId
    format: str
    first_sequence: Sequence
    last_sequence: Sequence
    url: Annotated[str | None, Meta(description="Download with GET, without anything else, until `expires_at`.")] = None
    expires_at: Annotated[str | None, Meta(description="When `url` ends. Ask again for another one.")] = None
    kept_until: Annotated[str | None, Meta(description="Until then nobody can delete the file.")] = None
    sha256: Annotated[str | None, Meta(description="Of the file, hex.")] = None
    bytes: Count | None = None
    records: Annotated[Count | None, Meta(description="Records in it.")] = None
    valid: Annotated[
        bool | None, Meta(description="Whether the range was whole; the file of a broken one is evidence of that.")
    ] = None
    proved_by: Annotated[ProvingBundle | None, Meta(description="For a view; null for a bundle.")] = None
    code: Annotated[str | None, Meta(description="Why it failed: one of the codes of docs/errors.md.")] = None
