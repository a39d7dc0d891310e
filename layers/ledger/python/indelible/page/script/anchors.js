// SPDX-License-Identifier: Apache-2.0
// What others gave about the ledger's own log: cosignatures, RFC 3161 tokens, OpenTimestamps proofs. The rules and the
// codes are those of the auditor's verifier (indelible/audit/anchors.py). It is believed only where the reader
// has said whom to trust; what is not true says nothing of the records, as anybody may have put it there.

const ANCHOR_KINDS = {
  cosignature: "witness",
  token: "timestamp",
  pending: "opentimestamps",
  bitcoin: "opentimestamps",
};
const COSIGNATURE_BYTES = 8 + 64;
const OTS_OF_SHA256 = fromHex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108");

/**
 * One {kind, name, size, checked, words, time, covers, state} for each word of somebody. `covered` is the organisation's
 * checkpoint below, null when nothing confirms it; `witnesses` are keys that the reader gave. `report` is told when the
 * ledger's checkpoint above it is not good.
 */
async function checkAnchors(facts, covered, ring, witnesses, report) {
  const { anchored } = facts;
  if (anchored === null) return [];
  const { size, covers } = anchored;
  const told = (anchor, more) => ({
    kind: ANCHOR_KINDS[anchor.kind] || "unknown",
    name: anchor.name,
    size,
    checked: false,
    time: null,
    covers,
    state: "open",
    ...more,
  });
  const unproven = (why) => anchored.anchors.map((anchor) => told(anchor, { words: `not checked: ${why}` }));
  if (covered === null) return unproven("no signed root here is confirmed that it would be above");
  if (anchored.proof === null) return unproven("nothing in this file leads to the ledger’s checkpoint that it is about");
  let above;
  try {
    above = await ledgerInclusion(facts, covered, anchored.proof, ring);
    if (above.size !== size) throw new Malformed(`it says size ${above.size}`);
  } catch (error) {
    const code = error instanceof BadSignature ? "BAD_SIGNATURE" : "CHECKPOINT_MISMATCH";
    report(code, covered.size, `the ledger's checkpoint ${size}: ${error.message}`);
    return unproven("the ledger’s checkpoint that it is about is not good");
  }
  const found = [];
  for (const anchor of anchored.anchors) {
    try {
      found.push(...(await judged(anchor, size, above, witnesses)).map((more) => told(anchor, more)));
    } catch (error) {
      const given = `what ${anchor.name} is said to have given about checkpoint ${COUNT.format(size)}`;
      const words = `${given} is not true: ${error.message}`;
      found.push(told(anchor, { words, state: "bad" }));
    }
  }
  return found;
}

/** The verifier keys of the named witnesses whose cosignatures are good. */
function cosigners(anchors) {
  return new Set(anchors.filter(({ kind, checked }) => checked && kind === "witness").map(({ name }) => name));
}

/** Throws for what is not true. */
async function judged(anchor, size, above, witnesses) {
  if (anchor.data === null) throw new Malformed("nothing of this kind is so long");
  const bytes = fromBase64(anchor.data);
  if (anchor.kind === "cosignature") return cosigned(bytes, size, above.note, witnesses);
  if (anchor.kind === "token") return [await stamped(anchor, bytes, utf8(above.published))];
  return [await committed(anchor, bytes, size, utf8(above.published))];
}

async function cosigned(bytes, size, note, witnesses) {
  const lines = parseSignatures(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  const found = [];
  for (const witness of witnesses) {
    const own = lines.filter((line) => line.name === witness.name && line.keyId === witness.id);
    for (const { signature } of own) {
      if (!(await isCosigned(witness.publicKey, signature, note.text))) {
        throw new BadSignature("a signature of a known key does not verify");
      }
    }
    if (!own.length) continue;
    const time = new Date(Number(cosignedAt(own[0].signature)) * 1000).toISOString();
    const words = `${witness.name} has seen the ledger's log of size ${COUNT.format(size)} at ${time}`;
    found.push({ name: witness.text, checked: true, words, time, state: "ok" });
  }
  return found.length ? found : [{ words: "a cosignature by nobody whose key you gave" }];
}

/** Seconds since 1970, by the witness's clock. */
function cosignedAt(signature) {
  return new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
}

/** c2sp.org/tlog-cosignature: a time, and Ed25519 over it and the checkpoint. */
async function isCosigned(publicKey, signature, text) {
  if (signature.length !== COSIGNATURE_BYTES) return false;
  return isSigned(publicKey, signature.subarray(8), utf8(`cosignature/v1\ntime ${cosignedAt(signature)}\n${text}`));
}

async function stamped(anchor, bytes, published) {
  const token = readTimestamp(bytes);
  const digest = new Uint8Array(await SUBTLE.digest(token.algorithm, published));
  if (!equal(token.digest, digest)) throw new Malformed("the token is for other data");
  const time = new Date(token.time).toISOString();
  const unchecked = "whether it signed that was not checked here: indelible verify --tsa-root does";
  return { words: `${anchor.name} says ${time}; ${unchecked}`, time };
}

/** Only what the proof is for: where it leads is a walk through operations that this page does not know. */
async function committed(anchor, bytes, size, published) {
  const start = concatenated(OTS_OF_SHA256, await sha256(published));
  if (!equal(bytes.subarray(0, start.length), start)) throw new Malformed("the proof is for other data");
  const about = `for the ledger's checkpoint ${COUNT.format(size)}`;
  const words =
    anchor.kind === "bitcoin"
      ? `a proof ${about}; whether it leads to Bitcoin block ${COUNT.format(anchor.height)} was not checked here: ` +
        "indelible verify --bitcoin-headers does"
      : `${anchor.name} has promised a proof ${about}; indelible upgrade-ots asks`;
  return { words };
}
