// SPDX-License-Identifier: Apache-2.0
// Which records are shown. Filters only hide: what is verified does not depend on them.

const MOST_SUGGESTIONS = 300;

class Filters {
  constructor(entries, changed) {
    this.changed = changed;
    this.trace = null;
    suggest("actors", entries, (entry) => entry.event.actor);
    suggest("types", entries, (entry) => entry.event.type);
    let waiting = 0;
    at("filters").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(changed, 120);
    });
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    at("filter-clear").addEventListener("click", () => this.clear());
  }

  clear() {
    const grouped = at("group").checked;
    at("filters").reset();
    at("group").checked = grouped;
    this.trace = null;
    this.changed();
  }

  follow(trace) {
    this.trace = trace;
    this.changed();
  }

  get grouped() {
    return at("group").checked;
  }

  /** The entries that pass, and whether any were kept back. */
  apply(entries) {
    const tests = this.tests();
    const found = tests.length ? entries.filter((entry) => tests.every((passes) => passes(entry))) : entries;
    return { found, filtered: tests.length > 0 };
  }

  tests() {
    const tests = [];
    const given = (id) => at(id).value.trim();
    const words = given("filter-text");
    if (words) tests.push(textTest(words));
    const level = given("filter-level");
    if (level) tests.push((entry) => (entry.event.level || "none") === level);
    for (const [id, name] of [
      ["filter-actor", "actor"],
      ["filter-type", "type"],
    ]) {
      const part = given(id).toLowerCase();
      if (part) tests.push((entry) => entry.event[name].toLowerCase().includes(part));
    }
    const from = utc(given("filter-from"));
    const to = utc(given("filter-to"));
    if (from !== null) tests.push((entry) => entry.event.at !== null && entry.event.at >= from);
    if (to !== null) tests.push((entry) => entry.event.at !== null && entry.event.at < to + 1000);
    if (at("filter-override").checked) tests.push((entry) => entry.event.overridden);
    if (at("filter-broken").checked) tests.push(hasFindings);
    if (this.trace !== null) tests.push((entry) => entry.event.trace === this.trace);
    return tests;
  }
}

/** Looks into the whole record, as it is written; a hash finds the record that has it. */
function textTest(words) {
  const written = JSON.stringify(words).slice(1, -1);
  const pattern = new RegExp(written.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
  return (entry) => entry.hash === words || (entry.text !== null && pattern.test(entry.text));
}

/** What a datetime-local field says, taken as UTC. */
function utc(text) {
  const ms = text ? Date.parse(`${text}Z`) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

function suggest(id, entries, read) {
  const found = new Set();
  for (const entry of entries) {
    if (found.size >= MOST_SUGGESTIONS) break;
    if (read(entry)) found.add(read(entry));
  }
  at(id).replaceChildren(...[...found].sort().map((each) => make("option", { value: each })));
}
