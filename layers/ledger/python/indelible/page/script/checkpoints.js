// SPDX-License-Identifier: Apache-2.0
// Checkpoints, keys, and external anchors.

const MOST_ROWS = 200;
const ANCHOR_NAMES = {
  witness: "Witness",
  timestamp: "Time-stamp authority (RFC 3161)",
  opentimestamps: "OpenTimestamps calendar",
};

function drawCheckpoints(verdict) {
  const all = verdict.checkpoints;
  if (!all.length) {
    fill(at("checkpoints"), make("p", {}, "There is none in this file: nobody has signed for these records here."));
    return;
  }
  const broken = all.filter((checkpoint) => checkpoint.problem);
  const shown = all.length <= MOST_ROWS ? all : [...broken, ...all.slice(-20)].slice(0, MOST_ROWS);
  fill(
    at("checkpoints"),
    make(
      "p",
      { class: "hint" },
      "A checkpoint is the ledger’s signed word for how many records there are, and for all of them up to that number.",
    ),
    make(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Signed checkpoints" },
      make(
        "table",
        { class: "table" },
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ...["Records", "Merkle root", "Signed by", "Result"].map((name) => make("th", { scope: "col" }, name)),
          ),
        ),
        make("tbody", {}, ...shown.map((checkpoint) => checkpointRow(checkpoint, verdict))),
      ),
    ),
    shown.length < all.length
      ? make(
          "p",
          { class: "hint" },
          `${COUNT.format(shown.length)} of ${COUNT.format(all.length)} are listed: those with findings, and the last. ` +
            "All were checked.",
        )
      : null,
  );
}

function checkpointRow(checkpoint, verdict) {
  const generation = (publicKey) => verdict.ring.keys.find((key) => key.publicKey === publicKey).generation;
  const by = checkpoint.signedBy
    .map((publicKey) => (generation(publicKey) ? `key ${generation(publicKey)}` : "the key"))
    .join(", ");
  const [state, words] = checkpoint.problem
    ? ["bad", checkpoint.problem.code]
    : checkpoint.confirmed
      ? [
          checkpoint.signedBy.length ? "ok" : "open",
          checkpoint.signedBy.length ? "good" : "root agrees, signature not checked",
        ]
      : [
          "open",
          verdict.counts.CHECKPOINT_MISMATCH
            ? "not compared: an earlier one disagrees"
            : "not compared: the records do not reach it",
        ];
  return make(
    "tr",
    { class: state },
    make("td", { class: "number" }, `1 to ${COUNT.format(checkpoint.size)}`),
    make("td", {}, value(checkpoint.root ? base64(checkpoint.root) : "unreadable", "hash")),
    make("td", {}, by || "nobody known"),
    make("td", {}, make("span", { class: "glyph", "aria-hidden": "true" }, MARKS[state]), ` ${words}`),
  );
}

async function drawKeys(verdict, facts, held) {
  const keys = verdict.ring ? verdict.ring.keys : [];
  const items = [];
  for (const key of keys) {
    const text = await verifierKey(facts.ledger_name, key.publicKey);
    const yours = held.pinned && equal(held.pinned, key.publicKey);
    const since = key.begins === null ? "" : `, in use from ${new Date(key.begins).toISOString()}`;
    const until = key.ends === null ? "" : ` until ${new Date(key.ends).toISOString()}`;
    items.push(
      make(
        "li",
        {},
        make("b", {}, key.generation ? `Key ${key.generation}` : "The key"),
        `${since}${until}${yours ? " — the one that you gave" : ""}`,
        make("br"),
        value(text, "hash"),
      ),
    );
  }
  const source = held.pinned
    ? "Trusted because you gave one of them."
    : "They came with this file: compare with one that you have from elsewhere.";
  fill(
    at("keys"),
    items.length
      ? [make("p", { class: "hint" }, source), make("ul", { class: "plain" }, items)]
      : make(
          "p",
          {},
          verdict.ring && verdict.ring.problem
            ? `The key statements are not good: ${verdict.ring.problem}.`
            : "None could be used.",
        ),
  );
}

function drawAnchors(verdict) {
  const proven = verdict.checkpoints.filter((found) => found.hasProof);
  const lines = proven.map((found) => anchorLine(inclusionState(found), inclusionText(found)));
  for (const { kind, name, words, state } of verdict.anchors) {
    const who = name.split("+")[0]; // of a verifier key
    const named = words.startsWith(who) ? null : [value(who), ": "];
    lines.push(anchorLine(state, make("b", {}, ANCHOR_NAMES[kind] || kind), " ", named, withCommands(`${words}.`)));
  }
  const bad = verdict.anchors.some(({ state }) => state === "bad");
  fill(
    at("anchors"),
    lines.length
      ? make("ul", { class: "plain said" }, lines)
      : make("p", {}, "No external anchor vouches for this ledger in this file."),
    bad ? make("p", { class: "hint" }, "What is not true here says nothing of the records.") : null,
  );
}

function anchorLine(state, ...words) {
  return make("li", { class: state }, make("span", { class: "glyph", "aria-hidden": "true" }, MARKS[state]), ...words);
}

function inclusionState({ above }) {
  return above === undefined ? "open" : above === null ? "bad" : "ok";
}

/** What came of a checkpoint's proof for the ledger's own log. */
function inclusionText({ size, above }) {
  const name = `Checkpoint ${COUNT.format(size)}`;
  if (above === undefined) return `${name} comes with a proof for the ledger’s own log. Not checked.`;
  if (above === null) return `${name}: its proof for the ledger’s own log does not hold.`;
  const others = above.cosigners.length ? ` Cosignature lines, not checked: ${above.cosigners.join(", ")}.` : "";
  const place = `entry ${COUNT.format(above.index + 1)} of ${COUNT.format(above.size)}`;
  return `${name} is ${place} in the ledger’s own log: checked.${others}`;
}

function drawWithout(facts) {
  const place = `${facts.ledger_name}/${facts.org_id}`;
  fill(
    at("without"),
    make(
      "p",
      {},
      "The bundle that this page came in holds the same records as records.jsonl, one a line. These check it with " +
        "programs that the bundle did not bring along:",
    ),
    make(
      "pre",
      { tabindex: "0" },
      [
        "sha256sum evidence.html                # against manifest.json",
        "sed -n 1p records.jsonl | tr -d '\\n' | sha256sum    # the hash of the first record",
        "indelible verify evidence.zip          # all of it, and timestamps by whomever you trust",
      ].join("\n"),
    ),
    make("p", {}, `The signed log is ${place}, in the formats of c2sp.org: tlog-checkpoint, tlog-tiles, signed-note.`),
  );
}
