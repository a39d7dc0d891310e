// SPDX-License-Identifier: Apache-2.0
// The ledger's signing keys (indelible/signing-key@v1): from one that is trusted, both ways to all. Each statement is
// signed by its own key and by the one before, and names the text of the statement before.

const STATEMENT = "indelible/signing-key@v1";

/** What a key statement says; nothing in it is believed yet. Throws Malformed. */
async function parseStatement(note, ledgerName) {
  const lines = note.text.split("\n");
  if (lines.length !== 7 || lines[0] !== STATEMENT)
    throw new Malformed(`a key statement is ${STATEMENT} and five lines`);
  const [, name, generation, key, validFrom, previous] = lines;
  const begins = instant(validFrom);
  const named = await parseKey(key);
  if (name !== ledgerName || named.name !== ledgerName) throw new Malformed("the statement is another ledger's");
  if (!/^[1-9][0-9]{0,3}$/.test(generation) || begins === null)
    throw new Malformed("a generation or an instant is not one");
  if (!/^(?:GENESIS|[0-9a-f]{64})$/.test(previous) || (previous === GENESIS) !== (generation === "1")) {
    throw new Malformed("the first generation, and no other, has no predecessor");
  }
  const digest = hex(await sha256(utf8(note.text)));
  return { generation: Number(generation), publicKey: named.publicKey, begins, previous, digest, note };
}

/** All generations, when every statement follows from the one before. Throws Malformed or BadSignature. */
async function readRing(statements, ledgerName) {
  const ring = [];
  for (const text of statements) {
    const found = await parseStatement(parseNote(text), ledgerName);
    const before = ring.at(-1);
    if (found.generation !== ring.length + 1)
      throw new Malformed(`generation ${ring.length + 1} is missing, or stated twice`);
    if (ring.some((key) => equal(key.publicKey, found.publicKey)))
      throw new Malformed("a key returns in another generation");
    if (before && found.previous !== before.digest) {
      throw new Malformed(`generation ${found.generation} names another statement before it`);
    }
    if (before && found.begins <= before.begins) {
      throw new Malformed(`generation ${found.generation} begins before the one before it`);
    }
    const must = before ? [found.publicKey, before.publicKey] : [found.publicKey];
    if ((await signers(found.note, ledgerName, must)).length !== must.length) {
      throw new BadSignature("somebody who must sign a key statement has not");
    }
    if (before) before.ends = found.begins;
    ring.push({ ...found, ends: null });
  }
  return ring;
}

/**
 * The keys that may have signed, oldest first. `pinned` is the public key that the reader trusts, null for the key that
 * came with the page. `problem` says what is wrong with the statements; then nothing is trusted that they say.
 */
async function trustedKeys(facts, pinned) {
  const alone = (publicKey) => ({ keys: [{ generation: null, publicKey, begins: null, ends: null }], problem: null });
  if (!facts.keys.length) return pinned ? alone(pinned) : { keys: [], problem: null };
  let ring;
  try {
    ring = await readRing(facts.keys, facts.ledger_name);
  } catch (error) {
    return { keys: pinned ? alone(pinned).keys : [], problem: error.message };
  }
  if (pinned && !ring.some((key) => equal(key.publicKey, pinned))) return alone(pinned);
  return { keys: ring, problem: null };
}
