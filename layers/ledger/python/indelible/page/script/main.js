// SPDX-License-Identifier: Apache-2.0
// Reads what is in the file, shows it, and verifies it; again whenever the reader gives something to hold it against.

class Page {
  constructor(facts, entries) {
    this.facts = facts;
    this.entries = entries;
    this.verdict = null;
    this.closed = new Set();
    this.run = 0;
    this.held = new Held(facts, () => this.verify());
    this.filters = new Filters(entries, () => this.list());
    this.timeline = new Timeline({
      state: (entry) => this.state(entry),
      read: (entry, focus) => this.read(entry, focus),
      toggle: (trace) => this.toggle(trace),
    });
    at("goto").addEventListener("change", () => this.goToNumber(at("goto").value));
    at("detail").addEventListener("keydown", (event) => event.key === "Escape" && this.back());
    addEventListener("beforeprint", () => preparePrint(this.shown, this.entries.length, (entry) => this.state(entry)));
    addEventListener("afterprint", () => at("printed").replaceChildren());
    drawAbout(facts, entries);
    drawLimits(facts, this.held);
    drawWithout(facts);
    this.drawDetailHint();
    this.list();
  }

  async verify() {
    this.run += 1;
    const run = this.run;
    at("verdict").dataset.state = "running";
    at("verdict-headline").textContent = "Verifying …";
    at("progress").hidden = false;
    at("announcer").textContent = "Verifying";
    this.verdict = null;
    let drawn = 0;
    const verdict = await verify(this.facts, this.entries, this.held, async (phase, done, of) => {
      if (performance.now() - drawn > 60) {
        drawProgress(phase, done, of);
        this.timeline.draw();
        drawn = performance.now();
      }
      await breath();
    });
    if (run !== this.run) return;
    this.verdict = verdict;
    drawVerdict(verdict, this.facts, this.held, (entry) => this.goTo(entry));
    drawLimits(this.facts, this.held, verdict.anchors);
    this.held.draw(verdict, this.entries);
    drawCheckpoints(verdict);
    await drawKeys(verdict, this.facts, this.held);
    drawAnchors(verdict);
    this.list();
    if (this.timeline.selected) this.read(this.timeline.selected, false);
    else if (this.entries.length) this.timeline.suggest(this.entries.find(hasFindings) || this.entries[0]);
    document.documentElement.dataset.verified = String(verdict.valid);
  }

  /** How the verification of an entry stands, in a word, a sign and a sentence. */
  state(entry) {
    if (entry.codes.size) return { name: "bad", mark: MARKS.bad, label: [...entry.codes].join(", ") };
    if (entry.doubted) return { name: "doubt", mark: MARKS.doubt, label: "in doubt" };
    if (this.verdict === null)
      return { name: "wait", mark: MARKS.wait, label: entry.hash ? "hashed" : "not yet checked" };
    if (entry.text === null || !entry.hash) return { name: "open", mark: MARKS.open, label: "not checked" };
    const signed = entry.sequence !== null && entry.sequence <= this.verdict.confirmed && this.verdict.signatures;
    return {
      name: "ok",
      mark: MARKS.ok,
      label: signed ? "verified, under a signed root" : "verified, under no signed root",
    };
  }

  list() {
    const { found, filtered } = this.filters.apply(this.entries);
    this.shown = found;
    const gaps =
      filtered || !this.verdict
        ? []
        : this.verdict.failures.filter(({ code }) => code === "MISSING" || code === "TRUNCATED");
    const { grouped } = this.filters;
    this.timeline.show(grouped ? rowsByTrace(found, this.closed) : rowsByDay(found, gaps), { grouped });
    const trace = this.filters.trace === null ? "" : ` of the trace ${visible(this.filters.trace)}`;
    at("tally").textContent = filtered
      ? `${COUNT.format(found.length)} of ${count(this.entries.length, "record")}${trace}`
      : count(this.entries.length, "record");
    at("filter-clear").hidden = !filtered;
  }

  toggle(trace) {
    if (!this.closed.delete(trace)) this.closed.add(trace);
    this.list();
  }

  read(entry, focus) {
    at("reader").classList.add("reading");
    drawDetail(entry, {
      state: this.state(entry),
      verdict: this.verdict,
      facts: this.facts,
      around: (one) => ({ before: this.entries[one.place - 1], after: this.entries[one.place + 1] }),
      go: (other) => this.goTo(other),
      follow: (trace) => this.filters.follow(trace),
      back: () => this.back(),
    });
    if (focus) at("detail").focus();
  }

  back() {
    at("reader").classList.remove("reading");
    at("list").focus();
    this.timeline.measure(true);
  }

  /** Show a record, whatever the filters would hide. */
  goTo(entry) {
    if (this.filters.grouped && this.closed.delete(entry.event.trace)) this.list();
    if (!this.timeline.goTo(entry)) {
      this.filters.clear();
      this.timeline.goTo(entry);
    }
    at("reader").scrollIntoView({ block: "nearest" });
  }

  goToNumber(text) {
    const sequence = Number(text.replace(/[^0-9]/g, ""));
    const entry = this.entries.find((each) => each.sequence === sequence);
    at("goto").setAttribute("aria-invalid", String(!entry && text !== ""));
    if (entry) this.goTo(entry);
  }

  drawDetailHint() {
    fill(
      at("detail"),
      make("p", { class: "empty" }, "Choose a record to read it whole: who, what, when, why, its hash, and its bytes."),
    );
  }
}

function chooseTheme() {
  at("theme").addEventListener("change", (event) => {
    document.documentElement.dataset.theme = event.target.value;
  });
}

async function start() {
  chooseTheme();
  const facts = readFacts();
  const entries = readEntries();
  for (const [index, entry] of entries.entries()) {
    readEvent(entry);
    if (index % 2000 === 1999) await breath();
  }
  await new Page(facts, entries).verify();
}

start().catch((error) => {
  at("verdict").dataset.state = "bad";
  at("verdict-headline").textContent = "Not valid: this page is damaged";
  at("verdict-text").textContent =
    `What it says of itself cannot be read (${visible(error.message)}). Nothing in it can be relied on.`;
  at("announcer").textContent = "Not valid: this page is damaged.";
  at("progress").hidden = true;
  document.documentElement.dataset.verified = "false";
});
