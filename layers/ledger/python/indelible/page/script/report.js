// SPDX-License-Identifier: Apache-2.0
// The verdict and what it rests on, at the top of the page.

const MOST_LISTED = 50;
const PHASES = {
  hashing: "Hashing",
  signatures: "Checking signatures",
  links: "Following the chain",
  roots: "Rebuilding Merkle roots",
};

function drawAbout(facts, entries) {
  const times = entries.map((entry) => entry.event.time).filter(Boolean);
  const day = (time) => time.slice(0, 19).replace("T", " ");
  const last = facts.last_sequence ?? (entries.length ? entries.at(-1).sequence : null);
  fill(
    at("title"),
    value(facts.org_id),
    " ",
    make(
      "span",
      { class: "range" },
      last === null || !entries.length
        ? "no records"
        : `records ${COUNT.format(facts.first_sequence)} to ${COUNT.format(last)}`,
    ),
  );
  fill(
    at("about"),
    ...terms([
      ["Ledger", value(facts.ledger_name)],
      ["Organisation", value(facts.org_id)],
      ["From", times.length ? `${day(times[0])} UTC` : null],
      ["To", times.length ? `${day(times.at(-1))} UTC` : null],
    ]),
  );
}

function drawProgress(phase, done, of) {
  const order = Object.keys(PHASES);
  at("progress").value = (order.indexOf(phase) + (of ? done / of : 1)) / order.length;
  at("verdict-text").textContent = `${PHASES[phase]}: ${COUNT.format(done)} of ${COUNT.format(of)}.`;
}

function drawVerdict(verdict, facts, held, go) {
  const state = verdict.valid === true ? "ok" : verdict.valid === false ? "bad" : "open";
  at("verdict").dataset.state = state;
  at("progress").hidden = true;
  at("verdict-headline").textContent = headline(verdict);
  at("verdict-text").textContent = summary(verdict, facts, held);
  const less = caution(verdict, facts, held);
  at("caution").hidden = less === null;
  at("caution-link").hidden = held.pinned !== null || !verdict.checkpoints.length;
  at("verdict-caution").textContent = less ?? "";
  at("announcer").textContent = `${headline(verdict)}. ${summary(verdict, facts, held)}`;
  drawFailures(verdict, facts, go);
  fill(
    at("checks"),
    ...checksOf(verdict, facts, held).map(([name, mark, result]) =>
      make(
        "tr",
        { class: mark },
        make("th", { scope: "row" }, nameOf(name)),
        make(
          "td",
          {},
          make("span", { class: "glyph", "aria-hidden": "true" }, MARKS[mark]),
          make("span", { class: "hidden" }, { ok: "good: ", bad: "wrong: ", open: "not checked: " }[mark]),
          result,
        ),
      ),
    ),
  );
  at("verdict-json").textContent = JSON.stringify(asJson(verdict, facts, held), null, 2);
}

/** “Content: …” as a name and what it means. */
function nameOf(text) {
  const [name, rest] = text.split(": ");
  return rest ? [make("b", {}, name), make("span", { class: "aside" }, sentence(rest))] : name;
}

function drawLimits(facts, held, anchors = []) {
  fill(
    at("limits"),
    ...limitsOf(facts, held, anchors).map(([what, why]) => make("li", {}, make("b", {}, what), " ", withCommands(why))),
  );
}

function drawFailures(verdict, facts, go) {
  const shown = verdict.failures.slice(0, MOST_LISTED);
  const rest = verdict.failuresTotal - shown.length;
  at("failures").hidden = shown.length === 0;
  fill(
    at("failures"),
    ...shown.map((failure) => {
      const place = placeOf(failure);
      const where = place === null ? "somewhere" : place;
      return make(
        "li",
        {},
        failure.entry ? button(where, () => go(failure.entry)) : make("b", {}, where),
        make("div", {}, ...findingText(failure, facts)),
      );
    }),
    rest > 0
      ? make(
          "li",
          { class: "rest" },
          `and ${count(rest, "further finding")}; the list below can show the records with findings only`,
        )
      : null,
  );
}

/** The members of the API's answer to /v1/verify, and what this page could not see. */
function asJson(verdict, facts, held) {
  const largest = verdict.checkpoints.filter((found) => found.confirmed).at(-1);
  return {
    valid: verdict.valid,
    entries_checked: verdict.entriesChecked ?? 0,
    first_broken_at: verdict.firstBrokenAt ?? null,
    failures: verdict.failures.map(({ code, sequence, detail, through, entry, expected, found }) => ({
      code,
      sequence,
      detail,
      through,
      s3_key: entry && entry.key,
      version_id: entry && entry.version,
      expected,
      found,
    })),
    failures_total: verdict.failuresTotal,
    checkpoint: largest ? { tree_size: largest.size, root_hash: hex(largest.root) } : null,
    pinned: held.pinned !== null,
    source: "evidence page",
    anchors: anchorsAsJson(verdict, facts),
    unchecked: [...verdict.undecided, ...limitsOf(facts, held, verdict.anchors).map(([what, why]) => `${what} ${why}`)],
  };
}

/** As `indelible verify --json` lists it. */
function anchorsAsJson(verdict, facts) {
  const last = verdict.checkpoints.filter(({ above }) => above).at(-1);
  const [size, leaf, all] = last ? [last.size, last.above.index, last.above.size].map((one) => COUNT.format(one)) : [];
  const words = `checkpoint ${size} is leaf ${leaf} of the ledger's own log of size ${all}`;
  const log = { kind: "ledger log", name: facts.ledger_name, checked: true, words, time: null };
  const others = verdict.anchors.map(({ state, ...found }) => found);
  return last ? [{ ...log, size: last.above.size, covers: last.size }, ...others] : others;
}
