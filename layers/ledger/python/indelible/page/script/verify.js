// SPDX-License-Identifier: Apache-2.0
// One verification of everything in this file, from the bytes. A check that could not be made is never passed: it is
// listed in `undecided`, and as long as anything is, the verdict is neither yes nor no.

/**
 * `held` is what the reader holds against the page: {pinned, witnesses, receipts}. `progress(phase, done, of)` is
 * called between batches, and awaited. The verdict's members are those of the API's /v1/verify, and more.
 */
async function verify(facts, entries, held, progress) {
  const undecided = [];
  if (!SUBTLE) {
    undecided.push("This browser gives pages no cryptography here (WebCrypto needs a file of your own, or https).");
    return {
      valid: null,
      undecided,
      failures: [],
      failuresTotal: 0,
      counts: {},
      checkpoints: [],
      ring: null,
      anchors: [],
      ended: true,
    };
  }
  if (!document.styleSheets.length) {
    undecided.push(
      "The style sheet of this page is not the one that it was made with, or was kept out: it looks otherwise.",
    );
  }
  const tick = (phase, of) => (done) => progress(phase, done, of);
  for (const entry of entries) {
    entry.codes.clear();
    entry.doubted = false;
  }

  const unhashed = entries.filter((entry) => entry.text !== null && entry.hash === null);
  await inBatches(unhashed, tick("hashing", unhashed.length), async (entry) => {
    entry.hash = hex(await sha256(bytesOf(entry)));
  });

  const ring = { keys: [], problem: null };
  const signatures = await knowsEd25519();
  if (signatures) {
    Object.assign(ring, await trustedKeys(facts, held.pinned));
  } else if (facts.checkpoints.length || facts.keys.length) {
    undecided.push("This browser does not know Ed25519, so no signature could be checked. A newer one does.");
  }
  if (signatures && facts.checkpoints.length && !ring.keys.length && !ring.problem) {
    undecided.push("No public key came with this file and none was given, so no signature could be checked.");
  }
  const checkpoints = await openCheckpoints(facts, ring, tick("signatures", facts.checkpoints.length));

  const checker = new ChainChecker(facts.org_id, facts.first_sequence, promisesOf(held, checkpoints, signatures));
  await walk(facts, entries, checker, progress);
  const report = checker.fail.bind(checker);
  if (ring.problem) report("BAD_SIGNATURE", null, `the key statements: ${ring.problem}`);
  const times = timesOf(entries, facts);
  for (const checkpoint of checkpoints) {
    refuseLate(checkpoint, ring, times.get(Math.min(checkpoint.size, times.get("end"))) ?? 0);
    if (checkpoint.problem) report(checkpoint.problem.code, checkpoint.size, checkpoint.problem.detail);
  }
  const leaves = leavesOf(entries, facts);
  const confirmed = await compareRoots(facts, leaves, checkpoints, report, tick("roots", leaves.length));
  const climbing = signatures && ring.keys.length > 0;
  if (climbing) await climb(facts, checkpoints, ring, report);
  const covered = checkpoints.find((found) => climbing && found.confirmed && found.size === facts.anchored?.covers);
  const anchors = await checkAnchors(facts, covered ?? null, ring, held.witnesses, report);
  const [signed, needed] = [cosigners(anchors).size, held.witnesses.length];
  if (signed < needed) undecided.push(`${signed} of the witnesses that you named have signed; ${needed} are needed.`);
  const last = facts.last_sequence;
  checker.finish(last, last !== null && checker.promises.some((promise) => promise.sequence > last));
  addReported(facts, entries, checker);
  doubt(entries, checker.failures);

  return {
    valid: checker.failuresTotal ? false : undecided.length ? null : true,
    undecided,
    failures: inOrder(checker.failures),
    failuresTotal: checker.failuresTotal,
    counts: checker.counts,
    firstBrokenAt: checker.firstBrokenAt,
    entriesChecked: checker.entriesChecked,
    checkpoints,
    confirmed,
    signatures: climbing,
    ring,
    anchors,
    ended: true,
  };
}

/** What the exporter met in the bucket and was not found here: a file that calls itself broken is not valid. */
function addReported(facts, entries, checker) {
  if (facts.exported === null) return;
  const { failures, failures_total: total } = facts.exported;
  for (const { code, sequence, detail } of failures) {
    if (checker.failures.some((found) => found.code === code && found.sequence === sequence)) continue;
    const entry = entries.find((one) => sequence !== null && one.sequence === sequence) ?? null;
    checker.fail(code, sequence, `the exporter reported: ${detail}`, { entry });
  }
  if (total !== failures.length) {
    const detail = `the exporter met ${total} failures, of which ${failures.length} are listed`;
    checker.fail("CONTENT_MISMATCH", null, detail);
  }
}

/** A wrong root does not say which record is: where no finding does, all that it can come from are in doubt. */
function doubt(entries, failures) {
  for (const { code, suspects } of failures.filter((failure) => failure.suspects !== null)) {
    const among = entries.filter((entry) => isAmong(entry, suspects));
    if (among.some((entry) => entry.codes.size)) continue;
    if (among.length === 1 && !suspects.trees.length) among[0].codes.add(code);
    for (const entry of among) entry.doubted = true;
  }
}

function isAmong(entry, suspects) {
  return suspects !== null && suspects.from <= entry.sequence && entry.sequence <= suspects.to;
}

function hasFindings(entry) {
  return entry.codes.size > 0 || entry.doubted;
}

/** Who says that what must be there: receipts, and signed checkpoints, which say only how far it goes. */
function promisesOf(held, checkpoints, signatures) {
  const receipts = held.receipts.map((receipt) => ({ ...receipt, source: "a receipt" }));
  const signed = checkpoints
    .filter(({ signedBy, problem }) => signatures && !problem && signedBy.length)
    .map(({ size }) => ({ sequence: size, txHash: null, source: `the checkpoint of size ${size}` }));
  return [...receipts, ...signed];
}

/** From each confirmed checkpoint to the ledger's own log, where the file has the proof. */
async function climb(facts, checkpoints, ring, report) {
  for (const checkpoint of checkpoints.filter((found) => found.confirmed && found.hasProof)) {
    try {
      checkpoint.above = await ledgerInclusion(facts, checkpoint, checkpoint.ledger_proof, ring);
    } catch (error) {
      checkpoint.above = null;
      const detail = `the proof that the ledger's log has this checkpoint: ${error.message}`;
      report("CHECKPOINT_MISMATCH", checkpoint.size, detail);
    }
  }
}

async function walk(facts, entries, checker, progress) {
  if (facts.first_sequence > 1) {
    if (facts.predecessor === null || facts.predecessor.text === null) {
      if (entries.length) checker.missPredecessor();
    } else {
      checker.precede(facts.predecessor.text, hex(await sha256(bytesOf(facts.predecessor))));
    }
  }
  for (const [index, entry] of entries.entries()) {
    checker.observe(entry);
    if (index % BATCH === BATCH - 1) await progress("links", index + 1, entries.length);
  }
}

/** When the record of each sequence was made, and under "end" the largest sequence of all. */
function timesOf(entries, facts) {
  const times = new Map([["end", 0]]);
  for (const entry of entries) {
    const key = readKey(entry.key);
    if (key === null || key.orgId !== facts.org_id || entry.text === null) continue;
    times.set(key.sequence, readAuditId(key.auditId).timestamp);
    times.set("end", Math.max(key.sequence, times.get("end")));
  }
  return times;
}
