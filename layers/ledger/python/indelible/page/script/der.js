// SPDX-License-Identifier: Apache-2.0
// As much of DER (X.690) as it takes to find in a timestamp response (RFC 3161) what it is for and what time it says.
// Nothing here looks at who signed it: that takes certificates, and a program that knows what can be wrong with one.

const SEQUENCE = 0x30;
const EXPLICIT = 0xa0;
const OCTETS = 0x04;
const GRANTED = "00";
const TIMESTAMP_INFO = "2a864886f70d0109100104";
const DIGESTS = {
  "608648016503040201": "SHA-256",
  "608648016503040202": "SHA-384",
  "608648016503040203": "SHA-512",
};

/** What the time-stamp authority says: {algorithm, digest, time in milliseconds}. Throws Malformed. */
function readTimestamp(bytes) {
  const [response] = inside({ tag: SEQUENCE, content: bytes }, SEQUENCE);
  const [status, token] = inside(response, SEQUENCE);
  const [granted] = inside(status, SEQUENCE);
  if (hex(contentOf(granted)) !== GRANTED) throw new Malformed("the authority did not grant it");
  const [, signed] = inside(token, SEQUENCE);
  const [signedData] = inside(signed, EXPLICIT);
  const [, , enclosed] = inside(signedData, SEQUENCE);
  const [type, wrapped] = inside(enclosed, SEQUENCE);
  if (hex(contentOf(type)) !== TIMESTAMP_INFO) throw new Malformed("what it holds is no timestamp");
  const [octets] = inside(wrapped, EXPLICIT);
  const [info] = inside({ tag: SEQUENCE, content: contentOf(octets, OCTETS) }, SEQUENCE);
  const [, , imprint, , genTime] = inside(info, SEQUENCE);
  const [method, digest] = inside(imprint, SEQUENCE);
  const algorithm = DIGESTS[hex(contentOf(inside(method, SEQUENCE)[0]))];
  if (!algorithm) throw new Malformed("the token's imprint is neither SHA-256, SHA-384 nor SHA-512");
  return { algorithm, digest: contentOf(digest, OCTETS), time: readGenTime(latin1(contentOf(genTime))) };
}

function contentOf(element, tag = null) {
  if (!element || (tag !== null && element.tag !== tag)) throw new Malformed("it is no RFC 3161 response");
  return element.content;
}

/** The elements inside of one, whose lengths are definite and of at most three bytes. */
function inside(element, tag) {
  const data = contentOf(element, tag);
  const found = [];
  let at = 0;
  while (at < data.length) {
    let length = data[at + 1];
    let start = at + 2;
    if (length & 0x80) {
      const end = start + (length & 0x7f);
      if (end === start || end > start + 3) throw new Malformed("it is no RFC 3161 response");
      for (length = 0; start < end; start += 1) length = length * 256 + data[start];
    }
    if (!(start + length <= data.length)) throw new Malformed("it is no RFC 3161 response"); // NaN past the end
    found.push({ tag: data[at], content: data.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** GeneralizedTime as RFC 3161 §2.4.2 has it: UTC, to the second or with a fraction. */
function readGenTime(text) {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text);
  const time = parts
    ? Date.parse(`${parts.slice(1, 4).join("-")}T${parts.slice(4, 7).join(":")}${parts[7] || ""}Z`)
    : NaN;
  if (Number.isNaN(time)) throw new Malformed("its time is none");
  return time;
}
