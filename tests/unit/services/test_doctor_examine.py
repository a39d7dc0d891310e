# SPDX-License-Identifier: Apache-2.0
"""Every check is made, whatever comes of the others."""

from __future__ import annotations

from collections.abc import Iterator

from indelible.services.doctor import Finding, examine, ok


def test_an_unexpected_exception_is_unknown_and_stops_nothing_else() -> None:
    """Say that the operator may not read the table: the adapters hand on what the SDK raises."""

    def refused() -> Iterator[Finding]:
        yield ok("table", "one of two")
        raise PermissionError("not authorized to perform: dynamodb:Query")

    findings = examine([("table", refused), ("bucket", lambda: [ok("bucket", "is there")])])
    assert [(finding.check, str(finding.health)) for finding in findings] == [
        ("table", "ok"),
        ("table", "unknown"),
        ("bucket", "ok"),
    ]
    assert findings[1].found == "PermissionError: not authorized to perform: dynamodb:Query"
