// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 §2.1, from hashes of perfect subtrees. Every node is hashed once, a level at a time:
// WebCrypto answers later, and many questions at once are answered sooner.

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function leafHash(data) {
  return sha256(concatenated(LEAF, data));
}

function nodeHash(left, right) {
  return sha256(concatenated(NODE, left, right));
}

class Tree {
  constructor() {
    this.levels = []; // height → index → hash
  }

  put(height, index, hash) {
    while (this.levels.length <= height) this.levels.push(new Map());
    this.levels[height].set(index, hash);
  }

  /** Perfect subtrees [height, base64], one beside the other from leaf `start` on. Throws when they do not fit there. */
  place(start, subtrees) {
    let leaf = start;
    for (const [height, root] of subtrees) {
      const hash = fromBase64(root);
      if (!Number.isInteger(height) || height < 0 || height > 40 || leaf % 2 ** height || hash.length !== 32) {
        throw new Error("a subtree does not fit where it stands");
      }
      this.put(height, leaf / 2 ** height, hash);
      leaf += 2 ** height;
    }
    return leaf;
  }

  /** Hash every inner node whose two children are known. */
  async grow(tick) {
    for (let height = 0; height < this.levels.length; height += 1) {
      const level = this.levels[height];
      const whole = [...level.keys()].filter(
        (index) => index % 2 === 0 && level.has(index + 1) && !this.node(height + 1, index / 2),
      );
      await inBatches(whole, tick, async (index) => {
        this.put(height + 1, index / 2, await nodeHash(level.get(index), level.get(index + 1)));
      });
    }
  }

  node(height, index) {
    return this.levels[height] && this.levels[height].get(index);
  }

  /** The root of the first `size` leaves; null when something is missing for it. */
  async root(size) {
    const parts = [];
    let leaf = 0;
    while (leaf < size) {
      const height = Math.floor(Math.log2(size - leaf));
      const found = this.node(height, leaf / 2 ** height);
      if (!found) return null;
      parts.push(found);
      leaf += 2 ** height;
    }
    let root = parts.pop();
    while (parts.length) root = await nodeHash(parts.pop(), root);
    return root;
  }
}

/** RFC 9162 §2.1.3.2. */
async function isIncluded(leaf, index, size, proof, root) {
  if (index < 0 || index >= size) return false;
  let [fn, sn, found] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sn === 0 || sibling.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      found = await nodeHash(sibling, found);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      found = await nodeHash(found, sibling);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(found, root);
}

const BATCH = 1024;

/** Do the same for each, many at a time, and let the page breathe in between. */
async function inBatches(items, tick, work) {
  for (let start = 0; start < items.length; start += BATCH) {
    await Promise.all(items.slice(start, start + BATCH).map(work));
    await tick(Math.min(start + BATCH, items.length));
  }
}
