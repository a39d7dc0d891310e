// SPDX-License-Identifier: Apache-2.0
// The record format indelible/record@v1, as docs/format.md has it. What a verifier needs is read from both ends of the
// bytes; the event in between is the caller's, and is never searched for it.

const FORMAT = "indelible/record@v1";
const GENESIS = "GENESIS";
const MAX_SEQUENCE = 1e12 - 1;
const MAX_MS = 253402300799999;

const ORG = "[a-z0-9][a-z0-9-]{1,62}|_admin";
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const INSTANT = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
const LONGEST_TAIL = 640;
const RECORD_KEY = new RegExp(`^(${ORG})/(\\d{4}/\\d\\d/\\d\\d)/(\\d{12})-(${UUID})\\.json$`);
const FRONT = new RegExp(`^\\{"audit_id":"(${UUID})","event":\\{`);
const TAIL = new RegExp(
  `,"format":"([ -!#-\\[\\]-~]{1,64})","governor_key_id":"[a-z0-9-]{1,32}","governor_signature":"[0-9a-f]{64}"` +
    `,"lock_mode":"(COMPLIANCE|GOVERNANCE)","org_id":"(${ORG})","prev_hash":"(GENESIS|[0-9a-f]{64})"` +
    `,"retain_until":"(${INSTANT})","sequence":([1-9]\\d{0,11}),"timestamp":"(${INSTANT})"\\}$`,
);

const INSTANTS = new Set(["timestamp", "retention_until"]);
const HOUR_MINUTE = "(?:[01]\\d|2[0-3]):[0-5]\\d";
// Date.parse reads far more, some of it by the clock of the reader's own time zone.
const RFC3339 = new RegExp(
  `^\\d{4}-\\d\\d-\\d\\d[Tt]${HOUR_MINUTE}:\\d\\d(?:\\.\\d{1,9})?(?:[Zz]|[+-]${HOUR_MINUTE})$`,
);

class UnknownFormat extends Error {}

/** Milliseconds since 1970 of an instant as records write it; null when there is no such instant. */
function instant(text) {
  const ms = Date.parse(text);
  return text.startsWith("0000") || Number.isNaN(ms) || new Date(ms).toISOString() !== text ? null : ms;
}

/** `text` has one character for each byte, or is the UTF-8 of the bytes: the two ends are ASCII in either. */
function readRecord(text) {
  const front = FRONT.exec(text);
  const tail = TAIL.exec(text.slice(-LONGEST_TAIL));
  if (!front || !tail) throw new UnknownFormat("the bytes do not have the shape of a record");
  const [, format, lockMode, orgId, prevHash, retainUntil, sequence, timestamp] = tail;
  if (format !== FORMAT) throw new UnknownFormat(`format '${format}' is not known to this version`);
  const at = instant(timestamp);
  const until = instant(retainUntil);
  if (at === null || until === null) throw new UnknownFormat("timestamp or retain_until is no instant");
  return {
    auditId: front[1],
    orgId,
    sequence: Number(sequence),
    prevHash,
    timestamp: at,
    lockMode,
    retainUntil,
  };
}

/**
 * Each member of a receipt that is not the record's: its name, what the receipt says, what is true. What a receipt leaves
 * out it does not say; an instant is the same however it is written.
 */
function contradictions(receipt, entry, record) {
  const actual = {
    audit_id: record.auditId,
    prev_hash: record.prevHash,
    timestamp: new Date(record.timestamp).toISOString(),
    s3_key: entry.key,
    s3_version_id: entry.version,
    s3_lock_mode: record.lockMode,
    retention_until: record.retainUntil,
  };
  const same = (name, found) =>
    receipt[name] === found ||
    (INSTANTS.has(name) && RFC3339.test(receipt[name]) && Date.parse(receipt[name]) === Date.parse(found));
  return Object.entries(actual)
    .filter(([name, found]) => name in receipt && found !== null && !same(name, found))
    .map(([name, found]) => [name, String(receipt[name]), found]);
}

/** The same, of an entry; none where it cannot be read as a record. */
function contradictionsIn(receipt, entry) {
  try {
    return contradictions(receipt, entry, readRecord(entry.text));
  } catch (error) {
    if (!(error instanceof UnknownFormat)) throw error;
    return [];
  }
}

/** Where the record with this id stands; null when no record can have it. */
function readAuditId(text) {
  const digits = text.replaceAll("-", "");
  const timestamp = parseInt(digits.slice(0, 12), 16);
  const low = (parseInt(digits.slice(16, 24), 16) & 0x3fffffff) >>> 2;
  const sequence = parseInt(digits.slice(13, 16), 16) * 2 ** 28 + low;
  if (sequence < 1 || sequence > MAX_SEQUENCE || timestamp > MAX_MS) return null;
  return { timestamp, sequence };
}

/** What an object's key says of the record under it; null when it is not a record's key. */
function readKey(key) {
  const found = RECORD_KEY.exec(key);
  if (!found || readAuditId(found[4]) === null) return null;
  const day = found[2].replaceAll("/", "-");
  if (instant(`${day}T00:00:00.000Z`) === null) return null;
  return { orgId: found[1], day, sequence: Number(found[3]), auditId: found[4] };
}

function saysTheSame(record, key) {
  const location = readAuditId(record.auditId);
  return (
    location !== null &&
    record.orgId === key.orgId &&
    record.sequence === key.sequence &&
    record.auditId === key.auditId &&
    location.sequence === record.sequence &&
    location.timestamp === record.timestamp &&
    new Date(record.timestamp).toISOString().slice(0, 10) === key.day
  );
}
