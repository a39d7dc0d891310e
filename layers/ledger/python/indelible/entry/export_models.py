# SPDX-License-Identifier: Apache-2.0
"""Request and response of POST /v1/export.

Invariant: field names are public and do not change.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.entry.models import Instant, Sequence, SignedRequest
from indelible.entry.proof_models import Count

ExportId = Annotated[
    str, Meta(pattern="^[0-9a-f]{32}$", description="The same for the same range and state of the ledger.")
]


class ExportRequest(SignedRequest, kw_only=True, forbid_unknown_fields=True):
    """The range of the chain to export (as for verify), or the `export_id` of an earlier response."""

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
    # No pattern: text that cannot be an id is not found, like an id that does not exist.
    export_id: (
        Annotated[str, Meta(min_length=1, max_length=64, description="Get the state of this export.")] | UnsetType
    ) = UNSET


class ProvingBundle(Struct, kw_only=True):
    """The evidence bundle that a view was made from. It is kept for as long as the view."""

    sha256: Annotated[str, Meta(description="SHA-256 of the bundle, hex; the view contains it too.")]
    url: Annotated[str, Meta(description="Like that of the view.")]


class ExportResponse(Struct, kw_only=True):
    """The state of an export: ready for download, pending, or failed."""

    status: Annotated[
        Literal["ready", "pending", "failed"],
        Meta(description="pending: ask again with export_id. failed: to retry, ask for the range again."),
    ]
    export_id: ExportId
    format: str
    first_sequence: Sequence
    last_sequence: Sequence
    url: Annotated[str | None, Meta(description="Download it with a plain GET until `expires_at`.")] = None
    expires_at: Annotated[str | None, Meta(description="When `url` expires; ask again for a new one.")] = None
    kept_until: Annotated[str | None, Meta(description="The file cannot be deleted before this time.")] = None
    sha256: Annotated[str | None, Meta(description="SHA-256 of the file, hex.")] = None
    bytes: Count | None = None
    records: Annotated[Count | None, Meta(description="Number of records in the file.")] = None
    valid: Annotated[
        bool | None,
        Meta(description="Whether the range verified; if not, the file is evidence of that."),
    ] = None
    proved_by: Annotated[ProvingBundle | None, Meta(description="Proves a view; null for a bundle.")] = None
    code: Annotated[str | None, Meta(description="Why it failed: a code of docs/errors.md.")] = None
