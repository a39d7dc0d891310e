// SPDX-License-Identifier: Apache-2.0
// Signed notes, checkpoints and proof files (c2sp.org/signed-note, tlog-checkpoint, tlog-proof), and the Ed25519 keys
// that sign them. A note is believed by nobody here before `signers` has said who signed it.

const ED25519 = 1;
const COSIGNATURE = 4; // a witness's key, c2sp.org/tlog-cosignature
// No control characters and no white space: Unicode's, which is not that of \s.
const NAME = "[^+\\x00-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const SIGNATURE_LINE = new RegExp(`^— (${NAME}) ([A-Za-z0-9+/]+={0,2})$`, "u");
const VERIFIER_KEY = new RegExp(`^(${NAME})\\+([0-9a-f]{8})\\+([A-Za-z0-9+/]+={0,2})$`, "u");
const MAX_SIGNATURES = 100;

class Malformed extends Error {}
class BadSignature extends Error {}

function parseNote(text) {
  const end = typeof text === "string" ? text.lastIndexOf("\n\n") : -1;
  if (end < 0) throw new Malformed("a note has an empty line between text and signatures");
  const body = text.slice(0, end + 1);
  if (/[\x00-\x09\x0b-\x1f]/.test(body)) throw new Malformed("a note's text has no control characters");
  return { text: body, signatures: parseSignatures(text.slice(end + 2)) };
}

/** Signature lines alone, as a witness answers with them. */
function parseSignatures(text) {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.length > MAX_SIGNATURES) {
    throw new Malformed(`signatures are 1 to ${MAX_SIGNATURES} lines, each with a newline`);
  }
  return lines.map(parseSignature);
}

function parseSignature(line) {
  const parts = SIGNATURE_LINE.exec(line);
  if (!parts) throw new Malformed("a signature line is an em dash, a name and base64, with single spaces");
  const blob = decoded(parts[2], "a signature is canonical base64");
  if (blob.length < 5) throw new Malformed("a signature line has a name, a key id of four bytes and a signature");
  return { name: parts[1], keyId: hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
}

function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length < 4 || lines.pop() !== "" || lines.includes("")) {
    throw new Malformed("a checkpoint has at least three lines, each with a newline");
  }
  const [origin, size, root] = lines;
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(size)) throw new Malformed("the tree size is decimal, without leading zeros");
  const hash = decoded(root, "the root is canonical base64");
  if (hash.length !== 32) throw new Malformed("a root has 32 bytes");
  return { origin, size: Number(size), root: hash };
}

function parseProof(text) {
  const end = typeof text === "string" ? text.indexOf("\n\n") : -1;
  const lines = end < 0 ? [] : text.slice(0, end).split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1")
    throw new Malformed("a proof file starts with c2sp.org/tlog-proof@v1");
  if (lines.length && lines[0].startsWith("extra ")) lines.shift();
  const index = /^index (0|[1-9][0-9]{0,14})$/.exec(lines.shift() || "");
  if (!index) throw new Malformed("the index is decimal, without leading zeros");
  const hashes = lines.map((line) => decoded(line, "hashes are canonical base64"));
  const published = text.slice(end + 2);
  return { index: Number(index[1]), hashes, published, note: parseNote(published) };
}

function decoded(text, otherwise) {
  try {
    return fromBase64(text);
  } catch {
    throw new Malformed(otherwise);
  }
}

/** What a signature line says of a key: four bytes, as eight digits. */
async function keyId(name, publicKey, kind = ED25519) {
  return hex((await sha256(concatenated(utf8(`${name}\n`), Uint8Array.of(kind), publicKey))).subarray(0, 4));
}

async function verifierKey(name, publicKey) {
  return `${name}+${await keyId(name, publicKey)}+${base64(concatenated(Uint8Array.of(ED25519), publicKey))}`;
}

/** The ledger's key: a verifier key `name+hash+base64`, or a PEM public key (which has no name). Throws Malformed. */
async function parseKey(text) {
  const pem = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----$/.exec(text);
  if (!pem) return parseVerifierKey(text, ED25519, "only Ed25519 keys are known here");
  const der = decoded(pem[1].replace(/\s/g, ""), "a PEM key is base64");
  if (der.length !== 44 || hex(der.subarray(0, 12)) !== "302a300506032b6570032100") {
    throw new Malformed("this is not the PEM of an Ed25519 public key");
  }
  return { name: null, publicKey: der.subarray(12) };
}

/** A witness's verifier key. Throws Malformed. */
function parseWitness(text) {
  return parseVerifierKey(text, COSIGNATURE, "a witness’s key is of kind 4 (cosignature/v1)");
}

async function parseVerifierKey(text, kind, otherwise) {
  const parts = VERIFIER_KEY.exec(text);
  if (!parts) throw new Malformed("a verifier key is name+hash+key");
  const blob = decoded(parts[3], "the key is canonical base64");
  if (blob.length !== 33 || blob[0] !== kind) throw new Malformed(otherwise);
  const key = { name: parts[1], publicKey: blob.subarray(1), id: parts[2] };
  if ((await keyId(key.name, key.publicKey, kind)) !== key.id) {
    throw new Malformed("the hash in the verifier key is not that of its name and key");
  }
  return key;
}

async function isSigned(publicKey, signature, message) {
  try {
    const key = await SUBTLE.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return await SUBTLE.verify({ name: "Ed25519" }, key, signature, message);
  } catch {
    return false; // a key that is no point on the curve, a signature of another length
  }
}

/**
 * Which of these public keys signed the note under this name. Lines of others are ignored; one of these with a wrong
 * signature makes the whole note refused. Throws BadSignature.
 */
async function signers(note, name, publicKeys) {
  const found = [];
  for (const publicKey of publicKeys) {
    const id = await keyId(name, publicKey);
    for (const line of note.signatures.filter((each) => each.name === name && each.keyId === id)) {
      if (!(await isSigned(publicKey, line.signature, utf8(note.text)))) {
        throw new BadSignature("a signature of a known key does not verify");
      }
      if (!found.includes(publicKey)) found.push(publicKey);
    }
  }
  if (!found.length) throw new BadSignature("no known key signed the note");
  return found;
}

/** RFC 8032 §7.1, test 1: whether this browser checks Ed25519, and says no where it must. */
async function knowsEd25519() {
  const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const signature = fromHex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
      "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  const none = new Uint8Array(0);
  return (await isSigned(key, signature, none)) && !(await isSigned(key, signature, LEAF));
}
