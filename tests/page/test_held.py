# SPDX-License-Identifier: Apache-2.0
"""What the reader holds against the page: a key from elsewhere, and receipts. And what a browser cannot do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain.note import public_key_pem, verifier_key
from indelible.page.parts import PageParts
from tests.page import samples
from tests.page.browser import Opened
from tests.page.conftest import Opener
from tests.page.samples import KEY, LEDGER, ORG, PUBLIC_KEY, chain, parts_of

PARTS = parts_of(chain(30), sizes=[10, 30])
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32).public_key().public_bytes_raw()

NO_ED25519 = """
const real = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
  if (algorithm.name === "Ed25519") return Promise.reject(new DOMException("no", "NotSupportedError"));
  return real.call(this, format, key, algorithm, ...rest);
};
"""
A_SHAM = "SubtleCrypto.prototype.verify = () => Promise.resolve(true);"
NO_CRYPTO = "Object.defineProperty(globalThis, 'crypto', { value: {} });"


def pin(page: Opened, key: str) -> None:
    page.page.fill("#pinned", key)
    page.again("#pinned-check")


def hold(page: Opened, receipt: object) -> None:
    page.page.fill("#receipt", receipt if isinstance(receipt, str) else json.dumps(receipt))
    page.again("#receipt-check")


def receipt(number: int, **changed: object) -> dict[str, object]:
    """The receipt of a record, as JSON."""
    return samples.receipt(chain(30)[number - 1]) | changed


# -- keys -----------------------------------------------------------------------------------------------


def test_without_a_pinned_key_it_says_so_plainly(opens: Opener) -> None:
    page = opens(PARTS)

    assert "You gave no key of your own" in page.text("#caution")
    assert "No key was given" in page.text("#pinned-result")
    assert page.verdict["pinned"] is False


@pytest.mark.parametrize(
    "key",
    [verifier_key(LEDGER, PUBLIC_KEY), verifier_key(f"{LEDGER}/{ORG}", PUBLIC_KEY), public_key_pem(PUBLIC_KEY)],
    ids=["ledger", "organisation", "pem"],
)
def test_the_right_key_takes_the_caution_away(key: str, opens: Opener) -> None:
    page = opens(PARTS)

    pin(page, key)

    assert page.verdict["valid"] is True
    assert page.verdict["pinned"] is True
    assert page.page.is_hidden("#caution")
    assert "the key that you gave" in page.text("#verdict-text")
    page.again("#pinned-clear")
    assert page.verdict["pinned"] is False


def test_another_key_did_not_sign_this(opens: Opener) -> None:
    page = opens(PARTS)

    pin(page, verifier_key(LEDGER, STRANGER))

    assert page.codes == [("BAD_SIGNATURE", 10), ("BAD_SIGNATURE", 30)]
    assert "did not sign" in page.text("#pinned-result")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "A verifier key is name+hash+key"),
        ("<b>no</b>", "A verifier key is name+hash+key"),
        (verifier_key("elsewhere", PUBLIC_KEY), "not of this ledger"),
        (verifier_key(LEDGER, PUBLIC_KEY).replace(LEDGER, "indelibly"), "The hash in the verifier key"),
        (public_key_pem(PUBLIC_KEY).replace("MCow", "MCox"), "not the PEM"),
    ],
)
def test_what_is_no_key_of_this_ledger_changes_nothing(key: str, why: str, opens: Opener) -> None:
    page = opens(PARTS)

    page.page.fill("#pinned", key)
    page.page.click("#pinned-check")

    page.page.wait_for_selector("#pinned-result[data-state=bad]")
    assert why in page.text("#pinned-result")
    assert page.verdict["valid"] is True


def test_no_key_at_all_decides_nothing(opens: Opener) -> None:
    page = opens(replace(PARTS, keys=()))

    assert page.verdict["valid"] is None
    assert page.text("#verdict-headline") == "Not decided"
    pin(page, verifier_key(LEDGER, KEY.public_key().public_bytes_raw()))
    assert page.verdict["valid"] is True


# -- receipts -------------------------------------------------------------------------------------------


def test_a_receipt_that_is_kept(opens: Opener) -> None:
    page = opens(PARTS)

    hold(page, {"status": "recorded", "receipt": receipt(7)})

    assert "Receipt for record 7: kept" in page.text("#receipt-result")
    assert page.verdict["valid"] is True


def test_a_receipt_that_is_not_kept_breaks_the_verdict_there(opens: Opener) -> None:
    page = opens(PARTS)

    hold(page, receipt(7, tx_hash="ab" * 32))

    assert "not kept" in page.text("#receipt-result")
    assert page.codes == [("CONTENT_MISMATCH", 7)]
    page.again("#receipt-clear")
    assert page.verdict["valid"] is True

    hold(page, receipt(7, retention_until="2099-01-01T00:00:00Z", s3_version_id="another"))

    assert "another s3_version_id, another retention_until" in page.text("#receipt-result")
    assert page.codes == [("CONTENT_MISMATCH", 7), ("CONTENT_MISMATCH", 7)]


def test_an_instant_on_a_receipt_is_one_of_rfc_3339(opens: Opener) -> None:
    """As for the command line. The browser's own reader takes one without a zone for the reader's local time."""
    until = str(receipt(7)["retention_until"])
    day = until[:10]
    good = [until, until.replace(".000Z", "Z"), until.replace("Z", "+00:00"), until.lower()]
    bad = [until.replace("T", " "), until.removesuffix("Z"), day, f"+00{until}", f"{day} 00:00:00 GMT"]
    page = opens(PARTS)

    hold(page, {"receipts": [receipt(7, retention_until=text) for text in (*good, *bad)]})

    assert page.page.locator("#receipt-result li.ok").count() == len(good)
    assert page.codes == [("CONTENT_MISMATCH", 7)] * len(bad)


def test_several_receipts_one_a_line_or_from_a_batch(opens: Opener) -> None:
    page = opens(PARTS)
    hold(page, "\n".join(json.dumps(receipt(n)) for n in (1, 2)))
    assert page.page.locator("#receipt-result li.ok").count() == 2

    hold(page, {"receipts": [receipt(3), receipt(4, tx_hash="cd" * 32), receipt(5)]})

    assert page.page.locator("#receipt-result li.ok").count() == 2
    assert page.codes == [("CONTENT_MISMATCH", 4)]


def test_a_receipt_for_what_the_page_does_not_hold_says_nothing_about_it(opens: Opener) -> None:
    page = opens(PARTS)

    hold(page, receipt(7, sequence=31))

    assert "not on this page" in page.text("#receipt-result")
    assert page.verdict["valid"] is True


def test_a_receipt_reveals_an_end_that_was_cut_off(opens: Opener) -> None:
    cut = replace(PARTS, records=PARTS.records[:25], last_sequence=None, checkpoints=())
    page = opens(cut)
    assert page.verdict["valid"] is True

    hold(page, receipt(30))

    assert page.codes == [("TRUNCATED", 26)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not json", "not the JSON of a receipt"),
        ("{}", "a sequence and a tx_hash"),
        ("null", "not the JSON of a receipt"),
        (json.dumps({"sequence": 1, "tx_hash": "ab" * 32, "s3_key": "globex/2026/x.json"}), "another organisation"),
    ],
)
def test_what_is_no_receipt_changes_nothing(text: str, why: str, opens: Opener) -> None:
    page = opens(PARTS)

    page.page.fill("#receipt", text)
    page.page.click("#receipt-check")

    page.page.wait_for_selector("#receipt-result li.bad")
    assert why in page.text("#receipt-result")
    assert page.verdict["valid"] is True


# -- what a browser cannot do ---------------------------------------------------------------------------


@pytest.mark.parametrize("before", [NO_ED25519, A_SHAM], ids=["no Ed25519", "a sham"])
def test_a_browser_that_cannot_check_signatures_does_not_pass(before: str, opens: Opener) -> None:
    page = opens(PARTS, before=before)

    assert page.verdict["valid"] is None
    assert page.text("#verdict-headline") == "Not decided"
    assert "Ed25519" in page.text("#verdict-text")
    assert page.page.get_attribute("#verdict", "data-state") == "open"


def test_without_signatures_what_is_broken_is_broken_all_the_same(opens: Opener) -> None:
    broken: PageParts = replace(PARTS, records=[*PARTS.records[:6], *PARTS.records[7:]])

    assert opens(broken, before=NO_ED25519).codes == [("MISSING", 7)]


def test_a_browser_without_cryptography_does_not_pass(opens: Opener) -> None:
    page = opens(PARTS, before=NO_CRYPTO)

    assert page.verdict["valid"] is None
    assert "no cryptography" in page.text("#verdict-text")
    assert page.page.locator("#list .row.ok").count() == 0
