# SPDX-License-Identifier: Apache-2.0
"""However publishing, runs, crashes and races follow each other, every checkpoint has one leaf and one proof."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.domain.ledger import leaf_data, ledger_proof_path
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.errors import LedgerError
from indelible.services.log import LEDGER
from tests.fakes.log import LEDGER_NAME
from tests.fakes.rfc6962 import root_of_leaves
from tests.fakes.world import World
from tests.faults.wire import HOWS, WHENS, Fault, Killed, Wire

ORGS = ("acme-corp", "globex", "initech")
FAULTS = st.builds(Fault, at=st.integers(1, 60), when=st.sampled_from(WHENS), how=st.sampled_from(HOWS))
STEPS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(ORGS)),
    st.tuples(st.just("run"), st.one_of(st.none(), FAULTS)),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_every_published_checkpoint_is_a_leaf_once(steps: list[tuple[str, str | Fault | None]]) -> None:
    world, published = World(), set()
    for what, with_what in steps:
        if what == "publish":
            assert isinstance(with_what, str)
            world.record(1, org_id=with_what)
            published.add((with_what, world.anchored(org_id=with_what).tree_size))
            continue
        assert not isinstance(with_what, str)
        with suppress(LedgerError, Killed):
            world.ledger_log(Wire(with_what)).run(deadline_ms=world.clock.now + 60_000)
    world.logged()

    log, key = world.log(), world.signer.public_key()
    leaves = [leaf.data for leaf in world.ledger_register.leaves]
    notes = {(org_id, size): log.opened(org_id, size).note for org_id, size in published}
    assert sorted(leaves) == sorted(leaf_data(note) for note in notes.values())
    for size in log.sizes(LEDGER, at_least=1):
        assert log.opened(LEDGER, size).checkpoint.root == root_of_leaves(leaves[:size])
    for (org_id, size), note in notes.items():
        (stored,) = world.bucket.versions(f"{org_id}/_log/{ledger_proof_path(size)}")
        proof = parse_tlog_proof(stored.data)
        verify_tlog_proof(proof, leaf_data(note), origin=LEDGER_NAME, public_keys=[key])
        assert leaves[proof.index] == leaf_data(note)
    assert world.ledger_outbox.entries == {}
