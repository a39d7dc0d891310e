// SPDX-License-Identifier: Apache-2.0
// Bytes: text, hex, base64 (canonical, RFC 4648 §3.5) and SHA-256. Hashes travel as lower-case hex.

const SUBTLE = globalThis.crypto && globalThis.crypto.subtle;
const ENCODER = new TextEncoder();

function utf8(text) {
  return ENCODER.encode(text);
}

/** Every byte as the character with its number: what expressions over bytes are run on. */
function latin1(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}

function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text;
}

/** Throws for anything but an even number of lower-case digits. */
function fromHex(text) {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error("not hex");
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = parseInt(text.substr(2 * index, 2), 16);
  return bytes;
}

function base64(bytes) {
  return btoa(latin1(bytes));
}

/** Throws for text that is not the one base64 of its bytes. */
function fromBase64(text) {
  const decoded = atob(text);
  if (btoa(decoded) !== text) throw new Error("not canonical base64");
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

function concatenated(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function equal(some, others) {
  return some.length === others.length && some.every((byte, index) => byte === others[index]);
}

async function sha256(bytes) {
  return new Uint8Array(await SUBTLE.digest("SHA-256", bytes));
}
