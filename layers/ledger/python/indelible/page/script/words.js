// SPDX-License-Identifier: Apache-2.0
// What the codes mean, for somebody who has never seen one.

const MEANING = {
  CONTENT_MISMATCH: "The content is not what was sealed.",
  BROKEN_LINK: "The record does not follow from the one before it.",
  MISSING: "A record is missing.",
  FORK: "There is more than one record for the same place.",
  TIME_REVERSED: "Time runs backwards.",
  TRUNCATED: "The end has been cut off.",
  UNKNOWN_FORMAT: "Something here is not a record in a known format.",
  CHECKPOINT_MISMATCH: "The records are not those that were signed for.",
  BAD_SIGNATURE: "A signature is not good.",
  SHADOWED: "Something was laid over a record in the bucket.",
  UNLOCKED: "A record was not protected in the bucket as it promises.",
};

const MARKS = { ok: "✓", bad: "✗", doubt: "?", open: "–", wait: "…" };

/** “record 142”, “records 4 to 6”, “checkpoint 900”, or null where the place has no number. */
function placeOf(failure) {
  if (failure.sequence === null) return null;
  const number = COUNT.format(failure.sequence);
  if (failure.code === "CHECKPOINT_MISMATCH" || failure.code === "BAD_SIGNATURE") return `checkpoint ${number}`;
  return failure.through ? `records ${number} to ${COUNT.format(failure.through)}` : `record ${number}`;
}

/** Which records a wrong root can come from: “record 15”, “records 10 to 15”; null for what has its own place. */
function causeOf({ suspects }) {
  if (suspects === null) return null;
  const [from, to] = [COUNT.format(suspects.from), COUNT.format(suspects.to)];
  return from === to ? `record ${to}` : `records ${from} to ${to}`;
}

/** The same in a sentence, with how far it could be narrowed down. */
function causeText(failure, facts) {
  const cause = causeOf(failure);
  if (cause === null) return "";
  const { from, trees } = failure.suspects;
  const other = trees.length ? `, or in what this file says of the tree ${trees.join(" and ")} them` : "";
  const why =
    from > facts.first_sequence
      ? "those before are under an earlier root, which agrees"
      : "no earlier root here narrows it down";
  return ` The cause is in ${cause}${other}: ${why}.`;
}

/** The failures at the lowest sequence, where there is one. */
function firstFailures(verdict) {
  const there = verdict.failures.filter((failure) => failure.sequence === verdict.firstBrokenAt);
  return there.length ? there : verdict.failures.slice(0, 1);
}

function headline(verdict) {
  if (verdict.valid === true) return "Valid";
  if (verdict.valid === null) return "Not decided";
  const [first] = firstFailures(verdict);
  const cause = causeOf(first);
  if (cause !== null) return `Not valid: broken ${cause.startsWith("records") ? "in" : "at"} ${cause}`;
  const place = placeOf(first);
  return place === null ? "Not valid" : `Not valid: broken at ${place}`;
}

function summary(verdict, facts, held) {
  if (verdict.valid === false) {
    const [first] = firstFailures(verdict);
    const more =
      verdict.failuresTotal === 1
        ? "It is the only finding."
        : `There are ${count(verdict.failuresTotal, "finding")} in all.`;
    return `${MEANING[first.code]} ${more}${whatHolds(verdict, facts, first.suspects?.from ?? verdict.firstBrokenAt)}`;
  }
  if (verdict.valid === null) return verdict.undecided.join(" ");
  const whole = wholeness(facts, verdict);
  if (!verdict.checkpoints.length) return whole;
  const signed = verdict.checkpoints.filter((checkpoint) => checkpoint.confirmed).length;
  const by = held.pinned ? "the key that you gave" : "the key that came with this file";
  return `${whole} ${count(signed, "signed root")} ${signed === 1 ? "agrees" : "agree"}, checked with ${by}.`;
}

/** A no at one place is a yes before it. */
function whatHolds(verdict, facts, broken) {
  const from = facts.first_sequence;
  if (broken === null || broken <= from) return "";
  const before = Math.min(broken - 1, from + verdict.entriesChecked - 1);
  const signed =
    verdict.confirmed >= from ? `; signed roots confirm those up to ${COUNT.format(verdict.confirmed)}` : "";
  if (before === from) return ` Before that, record ${COUNT.format(before)} shows none${signed}.`;
  return ` Before that, records ${COUNT.format(from)} to ${COUNT.format(before)} show none${signed}.`;
}

function wholeness(facts, verdict) {
  if (verdict.entriesChecked === 0) return "There is no record in this range, and nobody promised one.";
  const several = verdict.entriesChecked > 1;
  if (!verdict.checkpoints.length) {
    const fit = several
      ? `All ${count(verdict.entriesChecked, "record")} fit together`
      : `Record ${COUNT.format(facts.first_sequence)} agrees with itself`;
    return `${fit}, but none of it is signed: whoever made this file could have written all of it.`;
  }
  if (!several) return `Record ${COUNT.format(facts.first_sequence)} is what the ledger sealed, byte for byte.`;
  const all = `All ${count(verdict.entriesChecked, "record")} are what the ledger sealed, byte for byte`;
  return `${all}: none is changed, missing, added or out of order.`;
}

/** What takes away from a yes, in one sentence; null when nothing does. */
function caution(verdict, facts, held) {
  if (verdict.valid !== true) return null;
  const said = [];
  const last = facts.first_sequence + verdict.entriesChecked - 1;
  if (verdict.checkpoints.length && !held.pinned) {
    said.push(
      "You gave no key of your own: so far the file agrees with itself, and with a key that its maker could have chosen.",
    );
  }
  if (verdict.entriesChecked && verdict.confirmed < last) {
    const from = Math.max(verdict.confirmed + 1, facts.first_sequence);
    const which =
      from === last ? `Record ${COUNT.format(last)} is` : `Records ${COUNT.format(from)} to ${COUNT.format(last)} are`;
    said.push(`${which} under no signed root here; only the chain vouches for ${from === last ? "it" : "them"}.`);
  }
  return said.length ? said.join(" ") : null;
}

/** [check, state, result] for each thing that was looked at. */
function checksOf(verdict, facts, held) {
  if (!verdict.ring) return [["Everything", "open", "could not be checked in this browser"]];
  const bad = (...codes) => codes.reduce((sum, code) => sum + (verdict.counts[code] || 0), 0);
  const line = (name, wrong, fine) => [name, wrong ? "bad" : "ok", wrong ? count(wrong, "finding") : fine];
  const roots = verdict.checkpoints.filter((checkpoint) => checkpoint.confirmed).length;
  const all = count(verdict.entriesChecked, "record");
  const checks = [
    line("Content: each has the SHA-256 that was stored with it", bad("CONTENT_MISMATCH"), all),
    line("Format: each is a record, in its own place", bad("UNKNOWN_FORMAT"), all),
    line("Sequence: none missing, none twice", bad("MISSING", "FORK"), rangeText(facts, verdict)),
    line("Links: each names the hash of the one before", bad("BROKEN_LINK"), all),
    line("Time: never backwards", bad("TIME_REVERSED"), all),
  ];
  if (facts.exported !== null) {
    const bucket = "Bucket: what the exporter saw there, and a copy does not show";
    const wrong = bad("SHADOWED", "UNLOCKED");
    checks.push(wrong ? line(bucket, wrong) : [bucket, "open", "nothing wrong, by the exporter’s word"]);
  }
  const promises = held.receipts.length + (verdict.signatures ? verdict.checkpoints.length : 0);
  const open = (name, why) => [name, "open", why];
  const end = "End: the chain reaches what was promised";
  checks.push(
    promises || bad("TRUNCATED")
      ? line(end, bad("TRUNCATED"), count(promises, "promise"))
      : open(end, "nobody promised anything"),
  );
  const root = "Merkle roots: the records lead to what was signed";
  const signature = "Signatures: Ed25519, by the ledger’s key";
  if (!verdict.checkpoints.length)
    return [...checks, open(root, "no checkpoint in this file"), open(signature, "nothing to check")];
  checks.push(
    roots || bad("CHECKPOINT_MISMATCH")
      ? line(
          root,
          bad("CHECKPOINT_MISMATCH"),
          `${COUNT.format(roots)} of ${count(verdict.checkpoints.length, "checkpoint")}`,
        )
      : open(root, "none could be reached"),
  );
  const by = held.pinned ? "with your key" : "with the file’s own key";
  checks.push(
    verdict.signatures || bad("BAD_SIGNATURE")
      ? line(signature, bad("BAD_SIGNATURE"), `${count(verdict.checkpoints.length, "checkpoint")}, ${by}`)
      : open(signature, "could not be checked"),
  );
  const named = held.witnesses.length;
  if (!named) return checks;
  const seen = cosigners(verdict.anchors).size;
  const result = `${COUNT.format(seen)} of ${COUNT.format(named)}`;
  return [
    ...checks,
    ["Witnesses: those that you named have seen the ledger’s log", seen < named ? "open" : "ok", result],
  ];
}

function rangeText(facts, verdict) {
  if (!verdict.entriesChecked) return "no record";
  return `${COUNT.format(facts.first_sequence)} to ${COUNT.format(facts.first_sequence + verdict.entriesChecked - 1)}`;
}

function othersText(anchors) {
  const reach = `record ${COUNT.format(anchors[0].covers)}`;
  const witnesses = cosigners(anchors).size
    ? `It checked the cosignatures of the witnesses that you named, which reach as far as ${reach}.`
    : "It checks cosignatures of witnesses that you name, below.";
  return `${witnesses} Of timestamps it knows whether they are for this ledger, not who signed them: indelible verify does.`;
}

/** Said whatever the verdict is. */
function limitsOf(facts, held, anchors) {
  const end = facts.last_sequence === null ? "the last record here" : `record ${COUNT.format(facts.last_sequence)}`;
  return [
    ["Whether this is all.", `It knows nothing of what came after ${end}, nor whether anything was never recorded.`],
    [
      "Who holds the key.",
      held.pinned
        ? "It checked with the key that you gave; whose that is, you must know from elsewhere."
        : "The key came with the file. Give the one that you have from elsewhere, below.",
    ],
    [
      "The bucket.",
      "Locks, delete markers and newer versions are not in a copy: of UNLOCKED and SHADOWED it has the exporter’s word.",
    ],
    [
      "Time and witnesses.",
      anchors.length
        ? othersText(anchors)
        : "Times are the ledger’s own clock; no external anchor vouches for them in this file.",
    ],
    ["Whether it is true.", "The ledger keeps what an agent said. It cannot say that the agent was right."],
    ["Itself.", "A forged page can say anything. Check the bundle with another program: see the end of this page."],
  ];
}
