# SPDX-License-Identifier: Apache-2.0
"""Settings are typed, and a wrong one is named."""

from __future__ import annotations

import pytest

from indelible.entry import env
from indelible.errors import ConfigurationError

GOOD = {
    "INDELIBLE_LEDGER_NAME": "indelible",
    "INDELIBLE_BUCKET": "bucket",
    "INDELIBLE_TABLE": "table",
    "INDELIBLE_LOCK_MODE": "COMPLIANCE",
    "INDELIBLE_RETENTION_DAYS": "2555",
    "INDELIBLE_STRICT_SIGNATURES": "true",
    "PATH": "/usr/bin",
}


def test_everything_is_typed() -> None:
    settings = env.load(GOOD)
    assert (settings.retention_days, settings.strict_signatures) == (2555, True)


def test_an_organisation_may_keep_longer_never_shorter() -> None:
    settings = env.load(GOOD)
    assert settings.retention(None).days == 2555
    assert settings.retention(10).days == 2555
    assert settings.retention(5000).days == 5000


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("INDELIBLE_LOCK_MODE", "NONE", "lock_mode"),
        ("INDELIBLE_RETENTION_DAYS", "0", "retention_days"),
        ("INDELIBLE_RETENTION_DAYS", "seven", "retention_days"),
        ("INDELIBLE_BUCKET", "", "bucket"),
        ("INDELIBLE_LEDGER_NAME", "", "ledger_name"),
        ("INDELIBLE_LEDGER_NAME", "my/ledger", "ledger_name"),
        ("INDELIBLE_LEDGER_NAME", "my ledger", "ledger_name"),
        ("INDELIBLE_LEDGER_NAME", "my+ledger", "ledger_name"),
        ("INDELIBLE_LEDGER_NAME", "_ledger", "ledger_name"),
        ("INDELIBLE_STRICT_SIGNATURES", "perhaps", "strict_signatures"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        env.load({**GOOD, name: value})


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="table"):
        env.load({name: value for name, value in GOOD.items() if name != "INDELIBLE_TABLE"})
