// SPDX-License-Identifier: Apache-2.0
// What makes a chain true. The same checks, in the same order and with the same findings as the ledger's own verifier
// (indelible/domain/chain.py): a test holds the two against each other over every mutation of the catalogue.

const MAX_FAILURES = 1000;
const CODES = [
  "CONTENT_MISMATCH",
  "BROKEN_LINK",
  "MISSING",
  "FORK",
  "SHADOWED",
  "UNLOCKED",
  "TIME_REVERSED",
  "TRUNCATED",
  "UNKNOWN_FORMAT",
  "CHECKPOINT_MISMATCH",
  "BAD_SIGNATURE",
];

class ChainChecker {
  /**
   * `promises`: {sequence, txHash, source, receipt}; a null txHash promises only that the chain reaches so far, and of
   * a receipt every member counts.
   */
  constructor(orgId, start, promises) {
    this.orgId = orgId;
    this.start = start;
    this.promises = promises;
    this.promisedAt = new Map();
    for (const promise of promises) {
      this.promisedAt.set(promise.sequence, [...(this.promisedAt.get(promise.sequence) || []), promise]);
    }
    this.failures = [];
    this.failuresTotal = 0;
    this.counts = {};
    this.entriesChecked = 0;
    this.firstBrokenAt = null;
    this.last = null;
  }

  get nextSequence() {
    return this.last === null ? this.start : this.last.sequence + 1;
  }

  /** The record before `start` is the first link. */
  precede(text, txHash) {
    let timestamp = 0;
    try {
      timestamp = readRecord(text).timestamp;
    } catch (error) {
      if (!(error instanceof UnknownFormat)) throw error;
    }
    this.last = { sequence: this.start - 1, hashes: new Set([txHash]), timestamp };
  }

  missPredecessor() {
    this.fail("MISSING", this.start - 1, "the record before the range is not there");
  }

  /** One entry of the page, in the order of keys. */
  observe(entry) {
    const key = readKey(entry.key);
    if (key === null || key.orgId !== this.orgId) {
      this.fail("UNKNOWN_FORMAT", null, "an object that is no record lies among the records", { entry });
      return;
    }
    if (entry.text === null) return;
    this.entriesChecked += 1;
    this.link(key.sequence, entry, this.read(entry, key));
  }

  /** There is nothing more; `last` is where the range was to end, null for wherever the chain does. */
  finish(last, goesOn) {
    if (goesOn && last !== null && last >= this.nextSequence) {
      this.fail("MISSING", this.nextSequence, "there is no such record", { through: last });
      return;
    }
    let promised = 0;
    for (const { sequence } of this.promises) if (sequence >= this.start) promised = Math.max(promised, sequence);
    if (last !== null) promised = Math.min(promised, last);
    if (promised < this.nextSequence) return;
    const broken = this.promises.filter((promise) => promise.sequence >= this.nextSequence);
    const who = [...new Set(broken.map((promise) => promise.source))].sort().join(" and ");
    const detail = `the chain ends at ${this.nextSequence - 1}, but ${who} goes on to ${promised}`;
    this.fail("TRUNCATED", this.nextSequence, detail, { through: promised });
  }

  read(entry, key) {
    if (entry.stored !== null && entry.stored !== entry.hash) {
      this.fail("CONTENT_MISMATCH", key.sequence, "the bytes do not have the checksum that was stored with them", {
        entry,
        expected: entry.stored,
        found: entry.hash,
      });
    }
    for (const promise of this.promisedAt.get(key.sequence) || []) {
      if (promise.txHash === null || promise.txHash === entry.hash) continue;
      this.fail("CONTENT_MISMATCH", key.sequence, `${promise.source} names another hash for this sequence`, {
        entry,
        expected: promise.txHash,
        found: entry.hash,
      });
    }
    let record;
    try {
      record = readRecord(entry.text);
    } catch (error) {
      if (!(error instanceof UnknownFormat)) throw error;
      this.fail("UNKNOWN_FORMAT", key.sequence, error.message, { entry });
      return null;
    }
    if (!saysTheSame(record, key)) {
      this.fail("CONTENT_MISMATCH", key.sequence, "the record does not belong under its key", {
        entry,
        expected: entry.key,
        found: `org ${record.orgId}, sequence ${record.sequence}, audit_id ${record.auditId}`,
      });
    }
    for (const { receipt, txHash, source } of this.promisedAt.get(key.sequence) || []) {
      if (!receipt || txHash !== entry.hash) continue;
      for (const [name, expected, found] of contradictions(receipt, entry, record)) {
        this.fail("CONTENT_MISMATCH", key.sequence, `${source} has another ${name} than the record`, {
          entry,
          expected,
          found,
        });
      }
    }
    return record;
  }

  link(sequence, entry, record) {
    const last = this.last;
    if (last !== null && sequence <= last.sequence) {
      this.fail("FORK", sequence, "this sequence has more than one record", { entry, found: entry.hash });
      if (sequence === last.sequence) last.hashes.add(entry.hash);
      return;
    }
    const expected = this.nextSequence;
    if (sequence > expected) {
      this.fail("MISSING", expected, "there is no such record", { through: sequence - 1 });
    } else if (record !== null) {
      const before = last !== null ? last.hashes : sequence === 1 ? new Set([GENESIS]) : null;
      if (before !== null && !before.has(record.prevHash)) {
        this.fail("BROKEN_LINK", sequence, "prev_hash is not the hash of the record before", {
          entry,
          expected: [...before].sort().join(" or "),
          found: record.prevHash,
        });
      }
    }
    let timestamp = last !== null ? last.timestamp : 0;
    if (record !== null) {
      if (record.timestamp < timestamp) {
        this.fail("TIME_REVERSED", sequence, "earlier than a record before it", {
          entry,
          expected: `not before ${new Date(timestamp).toISOString()}`,
          found: new Date(record.timestamp).toISOString(),
        });
      }
      timestamp = Math.max(timestamp, record.timestamp);
    }
    this.last = { sequence, hashes: new Set([entry.hash]), timestamp };
  }

  /** `suspects`: the records {from, to}, and the `trees` around them, that a wrong root can come from. */
  fail(code, sequence, detail, { entry = null, suspects = null, through = null, expected = null, found = null } = {}) {
    this.failuresTotal += 1;
    this.counts[code] = (this.counts[code] || 0) + 1;
    if (sequence !== null) this.firstBrokenAt = Math.min(sequence, this.firstBrokenAt ?? sequence);
    if (entry !== null) entry.codes.add(code);
    if (this.failures.length >= MAX_FAILURES) return;
    this.failures.push({
      code,
      sequence,
      detail,
      suspects,
      through: through === sequence ? null : through,
      entry,
      expected,
      found,
    });
  }
}

/** As every verdict lists them (indelible/domain/findings.py): by sequence, those without one last, and then by code. */
function inOrder(failures) {
  const place = ({ sequence, code, through, entry, detail }) => [
    sequence ?? Infinity,
    CODES.indexOf(code),
    through ?? 0,
    entry?.key ?? "",
    entry?.version ?? "",
    detail,
  ];
  return [...failures].sort((some, other) => {
    const others = place(other);
    for (const [index, mine] of place(some).entries()) {
      if (mine !== others[index]) return mine < others[index] ? -1 : 1;
    }
    return 0;
  });
}
