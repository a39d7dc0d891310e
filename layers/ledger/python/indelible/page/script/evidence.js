// SPDX-License-Identifier: Apache-2.0
// What this file holds, read out of its inert elements. Nothing is checked here, and nothing of it is ever markup.

const WITHOUT_CONTENT = "-";
const BASE64 = "base64:";

function embeddedText(id) {
  return document.getElementById(id).content.textContent;
}

/** The page's facts; throws when they cannot be read. */
function readFacts() {
  const facts = JSON.parse(embeddedText("facts"));
  const note = (found) => (typeof found === "string" ? found : null); // bytes that are no text are no note either
  for (const checkpoint of facts.checkpoints) {
    checkpoint.note = note(checkpoint.note);
    checkpoint.hasProof = checkpoint.ledger_proof !== null;
    checkpoint.ledger_proof = note(checkpoint.ledger_proof);
  }
  facts.keys = facts.keys.map(note);
  if (facts.anchored !== null) facts.anchored.proof = note(facts.anchored.proof);
  facts.predecessor = facts.predecessor === null ? null : content(facts.predecessor);
  return facts;
}

/** One entry a line, in the order in which they stand. */
function readEntries() {
  return embeddedText("records").split("\n").slice(0, -1).map(readEntry);
}

function readEntry(line, place) {
  const tab = line.indexOf("\t");
  let about = [];
  try {
    about = JSON.parse(line.slice(0, Math.max(0, tab)));
  } catch {
    // An entry that says nothing of itself: its key is no record's key, and that is what is reported.
  }
  const [key, stored, version] = Array.isArray(about) ? about : [];
  const found = content(line.slice(tab + 1));
  const sequence = readKey(String(key));
  return {
    place,
    key: String(key),
    stored: typeof stored === "string" ? stored : null,
    version: typeof version === "string" ? version : null,
    sequence: sequence === null ? null : sequence.sequence,
    text: found.text,
    bytes: found.bytes,
    hash: null,
    codes: new Set(),
    doubted: false,
  };
}

/** `bytes` is null where the text is their UTF-8: it is encoded again when they are hashed. */
function content(embedded) {
  if (embedded === WITHOUT_CONTENT) return { text: null, bytes: null };
  if (!embedded.startsWith(BASE64)) return { text: embedded, bytes: null };
  try {
    const bytes = fromBase64(embedded.slice(BASE64.length));
    return { text: latin1(bytes), bytes };
  } catch {
    return { text: embedded, bytes: null };
  }
}

function bytesOf(found) {
  return found.bytes === null ? utf8(found.text) : found.bytes;
}
