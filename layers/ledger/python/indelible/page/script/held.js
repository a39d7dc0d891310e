// SPDX-License-Identifier: Apache-2.0
// What the reader holds against the page: a key that is pinned, witnesses' keys, and receipts. All change the verdict.

const NO_KEY =
  "No key was given. Signatures are checked with the key that came inside this file, " +
  "which whoever made the file could have chosen.";
const NO_WITNESS = "No witness was named. Cosignatures are listed, and count for nothing.";

class Held {
  constructor(facts, changed) {
    this.facts = facts;
    this.changed = changed;
    this.pinned = null;
    this.witnesses = [];
    this.receipts = [];
    at("pinned-check").addEventListener("click", () => this.pin(at("pinned").value.trim()));
    at("pinned-clear").addEventListener("click", () => this.unpin());
    at("witness-check").addEventListener("click", () => this.name(at("witness").value));
    at("witness-clear").addEventListener("click", () => this.unname());
    at("receipt-check").addEventListener("click", () => this.hold(at("receipt").value.trim()));
    at("receipt-clear").addEventListener("click", () => this.letGo());
  }

  async pin(text) {
    const names = [this.facts.ledger_name, `${this.facts.ledger_name}/${this.facts.org_id}`];
    try {
      const key = await parseKey(text);
      if (key.name !== null && !names.includes(key.name))
        throw new Malformed(`this key is of ${key.name}, not of this ledger`);
      this.pinned = key.publicKey;
    } catch (error) {
      say("pinned-result", "bad", `${sentence(error.message)} Nothing was changed.`);
      return;
    }
    at("pinned-clear").hidden = false;
    await this.changed();
  }

  async unpin() {
    this.pinned = null;
    at("pinned").value = "";
    at("pinned-clear").hidden = true;
    await this.changed();
  }

  /** Trust these witnesses, one verifier key a line. */
  async name(text) {
    const lines = new Set(text.split("\n").map((line) => line.trim()));
    lines.delete("");
    const named = [];
    try {
      for (const line of lines) named.push({ ...(await parseWitness(line)), text: line });
      if (!named.length) throw new Malformed("a verifier key is name+hash+key");
    } catch (error) {
      say("witness-result", "bad", `${sentence(error.message)} Nothing was changed.`);
      return;
    }
    this.witnesses = named;
    at("witness-clear").hidden = false;
    await this.changed();
  }

  async unname() {
    this.witnesses = [];
    at("witness").value = "";
    at("witness-clear").hidden = true;
    await this.changed();
  }

  async hold(text) {
    try {
      this.receipts = readReceipts(text).map((receipt) => checkedReceipt(receipt, this.facts));
    } catch (error) {
      this.receipts = [];
      fill(at("receipt-result"), make("li", { class: "bad" }, sentence(error.message)));
      return;
    }
    at("receipt-clear").hidden = false;
    await this.changed();
  }

  async letGo() {
    this.receipts = [];
    at("receipt").value = "";
    at("receipt-clear").hidden = true;
    await this.changed();
  }

  /** Say what came of it, once everything has been verified again. */
  draw(verdict, entries) {
    if (this.pinned === null) say("pinned-result", "", NO_KEY);
    else {
      const good =
        verdict.checkpoints.length > 0 && verdict.checkpoints.every((checkpoint) => checkpoint.signedBy.length);
      say(
        "pinned-result",
        good ? "ok" : "bad",
        good
          ? "Every checkpoint here is signed by this key, or by one that it leads to."
          : verdict.checkpoints.length
            ? "This key did not sign the checkpoints here."
            : "There is no checkpoint here that it could have signed.",
      );
    }
    fill(
      at("witness-result"),
      ...(this.witnesses.length
        ? this.witnesses.map((one) => witnessLine(one, verdict.anchors))
        : [make("li", {}, NO_WITNESS)]),
    );
    fill(at("receipt-result"), ...this.receipts.map((receipt) => receiptLine(receipt, entries)));
  }
}

function witnessLine(witness, anchors) {
  const found = anchors.find(({ name, checked }) => checked && name === witness.text);
  const name = value(witness.name);
  if (!found) return make("li", { class: "open" }, "– ", name, ": no cosignature by this key here.");
  const size = COUNT.format(found.size);
  return make("li", { class: "ok" }, "✓ ", name, ` has seen the ledger’s log of size ${size} at ${found.time}.`);
}

/** Receipts from what may have been pasted: one, an answer that holds one or several, a list, or one a line. */
function readReceipts(text) {
  const read = (found) =>
    Array.isArray(found) ? found.flatMap(read) : found.receipts ? read(found.receipts) : [found.receipt || found];
  try {
    return read(JSON.parse(text));
  } catch {
    try {
      return text
        .split("\n")
        .filter((line) => line.trim())
        .flatMap((line) => read(JSON.parse(line)));
    } catch {
      throw new Malformed("this is not the JSON of a receipt");
    }
  }
}

function checkedReceipt(receipt, facts) {
  const { sequence, tx_hash: txHash, s3_key: key } = receipt;
  if (!Number.isSafeInteger(sequence) || sequence < 1 || !/^[0-9a-f]{64}$/.test(txHash)) {
    throw new Malformed("a receipt has a sequence and a tx_hash");
  }
  if (typeof key === "string" && !key.startsWith(`${facts.org_id}/`))
    throw new Malformed("the receipt is another organisation’s");
  return { sequence, txHash, receipt };
}

function receiptLine({ sequence, txHash, receipt }, entries) {
  const name = `Receipt for record ${COUNT.format(sequence)}`;
  const there = entries.filter((entry) => entry.sequence === sequence);
  if (!there.length) return make("li", { class: "open" }, `– ${name}: that record is not on this page.`);
  const same = there.find((entry) => entry.hash === txHash);
  if (!same) return make("li", { class: "bad" }, `✗ ${name}: not kept. The record here is another one.`);
  const others = contradictionsIn(receipt, same).map(([member]) => member);
  if (!others.length) return make("li", { class: "ok" }, `✓ ${name}: kept. The record here is the one it was given for.`);
  return make("li", { class: "bad" }, `✗ ${name}: not kept. The record here has another ${others.join(", another ")}.`);
}

function say(id, state, text) {
  at(id).dataset.state = state;
  at(id).textContent = text;
}
