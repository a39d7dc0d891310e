# SPDX-License-Identifier: Apache-2.0
"""Organisations: keys overlap, names are never given out twice, and every act is written down first."""

from __future__ import annotations

import json

import pytest

from indelible.domain import credentials
from indelible.domain.record import ADMIN_ORG, Retention
from indelible.errors import InvalidField, NotFound, OrgExists, Unavailable
from indelible.services.admin_log import AdminLog
from indelible.services.registry import MOST_ACTIVE_KEYS, MOST_PRINCIPALS, Damaged, Registry, Usage
from tests.fakes.table import FakeOrganisations, FakeSecretSource
from tests.fakes.world import World

ACTOR = "arn:aws:iam::123456789012:user/operator"


class Office:
    """A registry on the in-memory world."""

    def __init__(self) -> None:
        self.world = World()
        self.organisations = self.world.organisations
        self.secrets = FakeSecretSource()
        admin_log = AdminLog(
            appender=self.world.appender(),
            organisations=self.organisations,
            secrets=self.secrets,
            clock=self.world.clock,
            retention=Retention("COMPLIANCE", 2555),
            actor=ACTOR,
        )
        self.registry = Registry(
            organisations=self.organisations,
            secrets=self.secrets,
            clock=self.world.clock,
            admin_log=admin_log,
            journal=self.world.journal,
            log=self.world.register,
            ledger_days=2555,
        )

    def acts(self) -> list[tuple[str, str, str]]:
        """What the log of `_admin` says: actor, action, target."""
        keys = self.world.records.versions(ADMIN_ORG, after=f"{ADMIN_ORG}/")
        events = [json.loads(stored.data)["event"] for _, stored in self.world.records.read_all(keys) if stored]
        return [(event["actor"], event["action"], event["target"]) for event in events]


@pytest.fixture
def office() -> Office:
    return Office()


def test_create_derives_a_secret_and_writes_it_nowhere(office: Office) -> None:
    key = office.registry.create("acme-corp")
    assert (key.org_id, key.key_id) == ("acme-corp", "k1")
    assert key.hmac_secret == credentials.hmac_secret(office.secrets.master(), "acme-corp", "k1")
    assert key.hmac_secret not in repr(office.organisations.configs)
    assert office.acts() == [(ACTOR, "org.create", "acme-corp")]
    assert office.world.verify(org_id=ADMIN_ORG).valid is True


@pytest.mark.parametrize(
    "name",
    ["", "a", "ACME", "-acme", "acme corp", "acme/corp", "_admin", "acme\n", "аcme", "a" * 64, "..", "acme#OUTBOX"],
)
def test_names_that_could_steer_a_key_are_refused(office: Office, name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        office.registry.create(name)
    assert caught.value.field == "org_id"
    assert office.acts() == []


def test_a_name_is_given_out_once_even_when_it_is_disabled(office: Office) -> None:
    office.registry.create("acme-corp")
    office.registry.disable("acme-corp")
    with pytest.raises(OrgExists):
        office.registry.create("acme-corp")


def test_keys_overlap_until_the_old_one_is_disabled(office: Office) -> None:
    first = office.registry.create("acme-corp")
    second = office.registry.rotate("acme-corp")
    assert second.key_id == "k2"
    assert second.hmac_secret != first.hmac_secret
    config = office.organisations.get("acme-corp")
    assert config is not None
    assert [key.key_id for key in config.active_keys()] == ["k1", "k2"]
    after = office.registry.disable("acme-corp", "k1")
    assert [key.key_id for key in after.active_keys()] == ["k2"]
    assert [action for _, action, _ in office.acts()] == ["org.create", "org.rotate", "org.disable"]


def test_disabling_twice_keeps_the_first_time(office: Office) -> None:
    office.registry.create("acme-corp")
    first = office.registry.disable("acme-corp")
    office.world.clock.advance(60_000)
    assert office.registry.disable("acme-corp").disabled_at == first.disabled_at
    assert first.active_keys() == ()


def test_a_key_id_is_never_used_again(office: Office) -> None:
    office.registry.create("acme-corp")
    office.registry.rotate("acme-corp")
    office.registry.disable("acme-corp", "k2")
    assert office.registry.rotate("acme-corp").key_id == "k3"


def test_there_are_not_too_many_keys(office: Office) -> None:
    office.registry.create("acme-corp")
    for _ in range(MOST_ACTIVE_KEYS - 1):
        office.registry.rotate("acme-corp")
    with pytest.raises(InvalidField, match="disable one first"):
        office.registry.rotate("acme-corp")


def test_what_is_not_there_is_named(office: Office) -> None:
    with pytest.raises(NotFound):
        office.registry.rotate("nobody")
    office.registry.create("acme-corp")
    with pytest.raises(NotFound) as caught:
        office.registry.disable("acme-corp", "k9")
    assert caught.value.field == "key_id"
    office.registry.disable("acme-corp")
    with pytest.raises(InvalidField, match="disabled"):
        office.registry.rotate("acme-corp")


def test_retention_is_only_ever_lengthened(office: Office) -> None:
    with pytest.raises(InvalidField):
        office.registry.create("acme-corp", retention_days=2554)
    office.registry.create("acme-corp", retention_days=3000)
    assert office.registry.extend_retention("acme-corp", 3650).retention_days == 3650
    for days in (2555, 3649, 36_501):
        with pytest.raises(InvalidField) as caught:
            office.registry.extend_retention("acme-corp", days)
        assert caught.value.field == "retention_days"


SESSION = "arn:aws:sts::123456789012:assumed-role/recorder/i-0abc"
ROLE = "arn:aws:iam::123456789012:role/recorder"


def test_principals_are_allowed_and_denied_and_both_are_written_down(office: Office) -> None:
    office.registry.create("acme-corp")
    assert office.registry.allow("acme-corp", SESSION).principals == (ROLE,)
    both = office.registry.allow("acme-corp", "arn:aws:iam::123456789012:user/ann")
    assert both.principals == (ROLE, "arn:aws:iam::123456789012:user/ann")
    assert office.registry.deny("acme-corp", "arn:aws:iam::123456789012:role/teams/recorder").principals == (
        "arn:aws:iam::123456789012:user/ann",
    )
    assert [action for _, action, _ in office.acts()] == ["org.create", "org.allow", "org.allow", "org.deny"]
    assert ROLE.encode() in office.world.sealed(ADMIN_ORG)[1].data


def test_allowing_twice_is_allowing_once(office: Office) -> None:
    office.registry.create("acme-corp")
    first = office.registry.allow("acme-corp", ROLE)
    assert office.registry.allow("acme-corp", SESSION) == first
    assert len(office.acts()) == 2


@pytest.mark.parametrize("principal", ["", "*", "recorder", "arn:aws:iam::123456789012:root", ROLE + "*"])
def test_only_a_role_or_a_user_can_be_allowed(office: Office, principal: str) -> None:
    office.registry.create("acme-corp")
    for act in (office.registry.allow, office.registry.deny):
        with pytest.raises(InvalidField) as caught:
            act("acme-corp", principal)
        assert caught.value.field == "principal"
    assert len(office.acts()) == 1


def test_nobody_is_allowed_for_what_is_not_there_or_not_open(office: Office) -> None:
    office.registry.create("acme-corp")
    with pytest.raises(NotFound):
        office.registry.allow("nobody", ROLE)
    with pytest.raises(NotFound) as caught:
        office.registry.deny("acme-corp", ROLE)
    assert caught.value.field == "principal"
    with pytest.raises(InvalidField, match="closed to callers"):
        office.registry.allow(ADMIN_ORG, ROLE)
    office.registry.disable("acme-corp")
    with pytest.raises(InvalidField, match="disabled"):
        office.registry.allow("acme-corp", ROLE)


def test_not_too_many_are_allowed(office: Office) -> None:
    office.registry.create("acme-corp")
    for number in range(MOST_PRINCIPALS):
        office.registry.allow("acme-corp", f"{ROLE}{number}")
    with pytest.raises(InvalidField, match="deny one first"):
        office.registry.allow("acme-corp", ROLE)


def test_usage_counts_what_is_recorded_and_what_is_anchored(office: Office) -> None:
    office.registry.create("acme-corp")
    office.world.record(1, 2, 3)
    office.world.anchor().run("acme-corp", deadline_ms=office.world.clock.now + 60_000)
    office.world.record(4)
    found = office.registry.usage()
    used = {one.config.org_id: (one.records, one.anchored) for one in found if isinstance(one, Usage)}
    assert used == {"_admin": (1, 0), "acme-corp": (4, 3)}


def test_one_damaged_item_keeps_no_other_organisation_from_being_counted(office: Office) -> None:
    for name in ("acme-corp", "globex", "initech"):
        office.registry.create(name)
    office.world.register.rootless.add("globex")

    found = office.registry.usage()

    assert [one.config.org_id for one in found if isinstance(one, Usage)] == ["_admin", "acme-corp", "initech"]
    (damaged,) = (one for one in found if isinstance(one, Damaged))
    assert (damaged.org_id, damaged.message[:22]) == ("globex", "the item globex / LOG ")


def test_an_act_that_cannot_be_written_down_is_not_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def out(*_: object) -> None:
        raise Unavailable("the table is out")

    monkeypatch.setattr(office.registry._admin_log, "write", out)
    with pytest.raises(Unavailable):
        office.registry.create("acme-corp")
    assert office.organisations.get("acme-corp") is None


def test_a_change_under_the_hand_is_noticed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.registry.create("acme-corp")
    monkeypatch.setattr(FakeOrganisations, "replace", lambda *_: False)
    with pytest.raises(Unavailable, match="another operator"):
        office.registry.rotate("acme-corp")
