# SPDX-License-Identifier: Apache-2.0
"""Mutations of what one object is: its bytes, its format, its lock, what lies over it."""

from __future__ import annotations

from tests.vectors.catalogue import mutation
from tests.vectors.format_v1 import GENESIS
from tests.vectors.stored_chain import Stored, base_chain, made_at, relinked

# -- nothing wrong: what must not be reported -----------------------------------------------------------


@mutation("untouched")
def _(_: Stored) -> None:
    """The chain as it was sealed."""


@mutation("retention-extended-3")
def _(stored: Stored) -> None:
    """A longer lock than promised: more than was asked for."""
    stored.sealed(3)["lock"]["retain_until"] = "2040-01-01T00:00:00.000Z"


@mutation("other-organisation-beside")
def _(stored: Stored) -> None:
    """Another organisation's chain in the same bucket, its name a prefix-neighbour of this one."""
    for made in base_chain("acme-corp-2"):
        stored.insert(made)


# -- content --------------------------------------------------------------------------------------------


@mutation("byte-flipped-in-payload", ("CONTENT_MISMATCH", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """One bit of the payload of 5 rotted; the store still has the old checksum."""
    stored.rot(5, b'"number":5', b'"number":4')


@mutation("byte-flipped-in-prev-hash", ("CONTENT_MISMATCH", 5), ("BROKEN_LINK", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """One digit of the prev_hash of 5 rotted."""
    old = stored.chain[3].tx_hash.encode()
    stored.rot(5, old, old[:-1] + (b"0" if old[-1:] != b"0" else b"1"))


@mutation("byte-flipped-in-timestamp", ("CONTENT_MISMATCH", 5), ("CONTENT_MISMATCH", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """One digit of the timestamp of 5 rotted: it no longer agrees with its audit_id either."""
    stored.rot(5, b'"timestamp":"2026-03-20T14:22:01.481Z"', b'"timestamp":"2026-03-20T14:22:01.482Z"')


@mutation("byte-flipped-in-last-record", ("CONTENT_MISMATCH", 12), ("CONTENT_MISMATCH", 12))
def _(stored: Stored) -> None:
    """One bit of the last record rotted: the stored checksum and the head both say so."""
    stored.rot(12, b'"number":12', b'"number":13')


@mutation("byte-appended-to-5", ("CONTENT_MISMATCH", 5), ("UNKNOWN_FORMAT", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """A newline at the end of 5; the store still has the old checksum."""
    stored.sealed(5)["data"] += b"\n"


@mutation("cut-short-5", ("CONTENT_MISMATCH", 5), ("UNKNOWN_FORMAT", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """The last hundred bytes of 5 are gone."""
    stored.sealed(5)["data"] = stored.sealed(5)["data"][:-100]


@mutation("emptied-5", ("CONTENT_MISMATCH", 5), ("UNKNOWN_FORMAT", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """Nothing is left of the bytes of 5."""
    stored.sealed(5)["data"] = b""


@mutation("payload-rewritten-with-fresh-checksum", ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """5 says something else and the stored checksum agrees with it: its successor does not."""
    stored.replace(5, stored.sealed(5)["data"].replace(b"APPROVED", b"REJECTED"))


@mutation("last-record-rewritten-with-fresh-checksum", ("CONTENT_MISMATCH", 12))
def _(stored: Stored) -> None:
    """12 says something else and the stored checksum agrees: only the head knows better."""
    stored.replace(12, stored.sealed(12)["data"].replace(b"APPROVED", b"REJECTED"))


@mutation("history-rewritten-from-5", ("CONTENT_MISMATCH", 12))
def _(stored: Stored) -> Stored:
    """5 changed and 6 to 12 linked anew, with fresh checksums and keys: a flawless chain, but not that of the head."""
    new = relinked(stored.chain, 5, lambda fields: fields["event"]["payload"].update(decision="REJECTED"))
    return Stored(new, head=stored.chain[-1])


@mutation(
    "swapped-two",
    ("CONTENT_MISMATCH", 5),
    ("BROKEN_LINK", 5),
    ("CONTENT_MISMATCH", 6),
    ("BROKEN_LINK", 6),
    ("TIME_REVERSED", 6),
    ("BROKEN_LINK", 7),
)
def _(stored: Stored) -> None:
    """5 and 6 changed places, each under the other's key with a fitting checksum."""
    five, six = stored.sealed(5)["data"], stored.sealed(6)["data"]
    stored.replace(5, six)
    stored.replace(6, five)


@mutation("record-under-other-org", ("CONTENT_MISMATCH", 5), ("BROKEN_LINK", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """Under the key of 5 lies record 5 of another organisation, flawless in itself."""
    stored.replace(5, base_chain("globex")[4].data)


@mutation("audit-id-of-another-moment", ("CONTENT_MISMATCH", 6))
def _(stored: Stored) -> Stored:
    """6 carries (in its bytes and its key) an audit_id whose time is not the record's; everything is linked anew."""
    other = made_at(6, GENESIS, timestamp="2026-03-20T14:22:01.600Z").audit_id
    return Stored(relinked(stored.chain, 6, lambda fields: fields.update(audit_id=other)))


# -- what lies over the sealed version ------------------------------------------------------------------


@mutation("newer-version-over-5", ("SHADOWED", 5))
def _(stored: Stored) -> None:
    """A different object over 5: a plain GET returns it, the sealed version is untouched below."""
    stored.insert(stored.chain[4], data=stored.chain[4].data.replace(b"APPROVED", b"REJECTED"))


@mutation("newer-version-identical-over-5", ("SHADOWED", 5))
def _(stored: Stored) -> None:
    """The same bytes over 5 again: harmless today, and not ours."""
    stored.insert(stored.chain[4])


@mutation("delete-marker-over-7", ("SHADOWED", 7))
def _(stored: Stored) -> None:
    """`aws s3 rm`: a plain GET says that there is no 7."""
    stored.push(stored.key(7), {"delete_marker": True})


@mutation("delete-marker-over-last", ("SHADOWED", 12))
def _(stored: Stored) -> None:
    """A delete marker over the last record: a plain listing shows a shorter, flawless chain."""
    stored.push(stored.key(12), {"delete_marker": True})


@mutation("delete-marker-and-version-over-3", ("SHADOWED", 3))
def _(stored: Stored) -> None:
    """A delete marker over 3, and a different object over that: one finding, both named."""
    stored.push(stored.key(3), {"delete_marker": True})
    stored.insert(stored.chain[2], data=b"{}")


@mutation("removed-behind-delete-marker-7", ("SHADOWED", 7), ("MISSING", 7))
def _(stored: Stored) -> None:
    """A delete marker over 7, and the sealed version below removed."""
    stored.push(stored.key(7), {"delete_marker": True})
    stored.objects[stored.key(7)].pop(0)


# -- locks ----------------------------------------------------------------------------------------------


@mutation("unlocked-4", ("UNLOCKED", 4))
def _(stored: Stored) -> None:
    """4 has no lock."""
    stored.sealed(4)["lock"] = None


@mutation("unlocked-last", ("UNLOCKED", 12))
def _(stored: Stored) -> None:
    """The last record has no lock."""
    stored.sealed(12)["lock"] = None


@mutation("retention-shortened-9", ("UNLOCKED", 9))
def _(stored: Stored) -> None:
    """9 is locked, but a millisecond shorter than it promises."""
    stored.sealed(9)["lock"]["retain_until"] = "2033-03-19T23:59:59.999Z"


@mutation("governance-for-compliance", ("UNLOCKED", 6))
def _(stored: Stored) -> None:
    """6 promises COMPLIANCE and is locked in GOVERNANCE, which an administrator can lift."""
    stored.sealed(6)["lock"]["mode"] = "GOVERNANCE"


# -- formats --------------------------------------------------------------------------------------------


@mutation("unknown-format", ("UNKNOWN_FORMAT", 5))
def _(stored: Stored) -> Stored:
    """5 says that it is of a format of the future; the chain goes on over it."""
    return Stored(relinked(stored.chain, 5, lambda fields: fields.update(format="indelible/record@v2")))


@mutation("member-added-after-payload", ("UNKNOWN_FORMAT", 5))
def _(stored: Stored) -> Stored:
    """5 has a member that the format does not know, among those that verifiers read; all is linked anew."""
    return Stored(relinked(stored.chain, 5, lambda fields: fields.update(surplus=True)))


@mutation("not-canonical-5", ("UNKNOWN_FORMAT", 5), ("BROKEN_LINK", 6))
def _(stored: Stored) -> None:
    """5 with the same members and spaces after the colons: the same JSON value, other bytes."""
    data = stored.sealed(5)["data"]
    stored.replace(5, data.replace(b'"sequence":5', b'"sequence": 5'))
