// SPDX-License-Identifier: Apache-2.0
// The signed log: who signed each checkpoint in this file, and whether the records lead to its root.

/** Open every checkpoint. Each gets `origin`, `root`, `signedBy`, and `problem` ({code, detail}) or null. */
async function openCheckpoints(facts, ring, tick) {
  const origin = `${facts.ledger_name}/${facts.org_id}`;
  const publicKeys = ring.keys.map((key) => key.publicKey);
  const opened = facts.checkpoints.map((checkpoint) => ({ ...checkpoint, root: null, signedBy: [], problem: null }));
  await inBatches(opened, tick, async (checkpoint) => {
    try {
      const note = parseNote(checkpoint.note);
      const found = parseCheckpoint(note.text);
      if (found.origin !== origin) throw new Malformed("the checkpoint is another log's");
      if (found.size !== checkpoint.size) throw new Malformed(`it says size ${found.size}`);
      checkpoint.root = found.root;
      checkpoint.signedBy = publicKeys.length ? await signers(note, origin, publicKeys) : [];
    } catch (error) {
      const code = error instanceof BadSignature ? "BAD_SIGNATURE" : "CHECKPOINT_MISMATCH";
      checkpoint.problem = { code, detail: `the checkpoint of size ${checkpoint.size}: ${error.message}` };
    }
  });
  return opened.sort((some, other) => some.size - other.size);
}

/** A key may not sign for records made after another has taken its place. `recordedAt` in milliseconds. */
function refuseLate(checkpoint, ring, recordedAt) {
  const ends = ring.keys.filter((key) => checkpoint.signedBy.includes(key.publicKey)).map((key) => key.ends);
  if (checkpoint.problem || !ends.length || ends.some((end) => end === null || recordedAt < end)) return;
  const detail = "signed by a key that had been replaced when the records were made";
  checkpoint.problem = { code: "BAD_SIGNATURE", detail: `the checkpoint of size ${checkpoint.size}: ${detail}` };
}

/** The records' hashes in the order of the chain, as far as it is without a gap: what roots can be rebuilt from. */
function leavesOf(entries, facts) {
  const leaves = [];
  for (const entry of entries) {
    const key = readKey(entry.key);
    if (key === null || key.orgId !== facts.org_id || entry.text === null) continue;
    const next = facts.first_sequence + leaves.length;
    if (key.sequence < next) continue;
    if (key.sequence > next) break;
    leaves.push(entry.hash);
  }
  return leaves;
}

/**
 * Hold the records against every signed root in reach. The tree before the range, and after it up to the first
 * checkpoint that covers its end, comes with the file and is confirmed or refuted by the signed roots.
 * Returns the largest confirmed size, 0 for none. After a mismatch no larger root can be right.
 */
async function compareRoots(facts, leaves, checkpoints, report, tick) {
  if (!checkpoints.length) return 0;
  const before = facts.first_sequence - 1;
  const reach = before + leaves.length;
  const tree = new Tree();
  let end = reach;
  try {
    if (tree.place(0, facts.left) !== before) throw new Error("it does not reach the first record");
    if (reach === facts.last_sequence) end = tree.place(reach, facts.right);
  } catch (error) {
    report("CHECKPOINT_MISMATCH", checkpoints[0].size, `the tree around the records: ${error.message}`);
    return 0;
  }
  await inBatches([...leaves.keys()], tick, async (index) => {
    tree.put(0, before + index, await leafHash(fromHex(leaves[index])));
  });
  await tree.grow(tick);
  let confirmed = 0;
  for (const checkpoint of checkpoints) {
    const { size } = checkpoint;
    if (checkpoint.problem || size <= before || size > end || (size > reach && confirmed === reach)) continue;
    const found = await tree.root(size);
    if (found !== null && equal(found, checkpoint.root)) {
      confirmed = size;
      checkpoint.confirmed = true;
      continue;
    }
    const detail = `the records up to ${size} do not lead to the root that was signed for them`;
    checkpoint.problem = { code: "CHECKPOINT_MISMATCH", detail };
    report("CHECKPOINT_MISMATCH", size, detail, {
      suspects: suspectsOf(size, { before, reach, confirmed }),
      expected: hex(checkpoint.root),
      found: found && hex(found),
    });
    break;
  }
  return confirmed;
}

/** What a wrong root of this size can come from: all that it covers and the last good one does not. */
function suspectsOf(size, { before, reach, confirmed }) {
  const trees = [];
  if (before > 0 && confirmed === 0) trees.push("before");
  if (size > reach) trees.push("after");
  return { from: Math.max(confirmed, before) + 1, to: Math.min(size, reach), trees };
}

/** An organisation's checkpoint in the ledger's own log, by a proof file: the log's checkpoint that says so. */
async function ledgerInclusion(facts, checkpoint, proofText, ring) {
  const proof = parseProof(proofText);
  const found = parseCheckpoint(proof.note.text);
  if (found.origin !== facts.ledger_name) throw new Malformed("the proof is of another log");
  await signers(
    proof.note,
    facts.ledger_name,
    ring.keys.map((key) => key.publicKey),
  );
  const leaf = await leafHash(await sha256(utf8(checkpoint.note)));
  if (!(await isIncluded(leaf, proof.index, found.size, proof.hashes, found.root))) {
    throw new Malformed("the proof does not lead to the root");
  }
  const others = proof.note.signatures.map((line) => line.name).filter((name) => name !== facts.ledger_name);
  return { index: proof.index, size: found.size, cosigners: others, note: proof.note, published: proof.published };
}
