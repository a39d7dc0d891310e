// SPDX-License-Identifier: Apache-2.0
// A list of any length of which only what is in sight exists. Focus stays on the list itself and names the row that is
// active (aria-activedescendant), so that scrolling never takes it away from whoever reads by keyboard or by ear.

const OVERSCAN = 8;

class Timeline {
  /** `state(entry)` gives {name, mark, label}; `read(entry, focus)` is called for the record to be shown whole. */
  constructor({ state, read, toggle }) {
    Object.assign(this, { state, read, toggle });
    this.list = at("list");
    this.spacer = at("spacer");
    this.rows = [];
    this.offsets = [0];
    this.active = -1;
    this.selected = null;
    this.list.addEventListener("scroll", () => this.draw(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.measure()).observe(this.list);
  }

  show(rows, { grouped }) {
    const kept = this.active >= 0 && this.rows[this.active];
    this.rows = rows;
    this.list.setAttribute("role", grouped ? "treegrid" : "grid");
    this.list.setAttribute("aria-rowcount", String(rows.length));
    this.active = kept ? rows.findIndex((row) => sameRow(row, kept)) : -1;
    this.measure(true);
  }

  /** Heights come from the style sheet, which gives narrow screens taller rows. */
  measure(always = false) {
    const style = getComputedStyle(this.list);
    const record = parseFloat(style.getPropertyValue("--row"));
    const heading = parseFloat(style.getPropertyValue("--heading"));
    if (!always && record === this.recordHeight && this.list.clientHeight === this.height) return;
    this.recordHeight = record;
    this.height = this.list.clientHeight;
    this.offsets = new Float64Array(this.rows.length + 1);
    for (const [index, row] of this.rows.entries()) {
      this.offsets[index + 1] = this.offsets[index] + (row.kind === "record" ? record : heading);
    }
    this.spacer.style.height = `${this.offsets[this.rows.length]}px`;
    this.draw();
  }

  draw() {
    const top = this.list.scrollTop;
    const first = Math.max(0, this.indexAt(top) - OVERSCAN);
    const end = Math.min(this.rows.length, this.indexAt(top + this.list.clientHeight) + 1 + OVERSCAN);
    const elements = [];
    for (let index = first; index < end; index += 1) elements.push(this.element(index));
    this.spacer.replaceChildren(...elements);
    const drawn = this.active >= first && this.active < end;
    if (drawn) this.list.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.list.removeAttribute("aria-activedescendant");
  }

  element(index) {
    const row = this.rows[index];
    const element = rowElement(row, this.state);
    element.id = `row-${index}`;
    element.dataset.index = String(index);
    element.setAttribute("aria-rowindex", String(index + 1));
    element.style.transform = `translateY(${this.offsets[index]}px)`;
    element.style.height = `${this.offsets[index + 1] - this.offsets[index]}px`;
    if (row.kind === "record") element.setAttribute("aria-selected", String(row.entry === this.selected));
    if (index === this.active) element.classList.add("active");
    return element;
  }

  /** The row at this height. */
  indexAt(offset) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.list.clientHeight / this.recordHeight) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const row = this.rows[this.active];
    if (event.key in moves) this.move(Math.min(this.rows.length - 1, Math.max(0, this.active + moves[event.key])));
    else if ((event.key === "Enter" || event.key === " ") && row) this.choose(row, true);
    else if (event.key === "ArrowRight" && row && row.kind === "trace" && !row.open) this.toggle(row.trace);
    else if (event.key === "ArrowLeft" && row && row.kind === "trace" && row.open) this.toggle(row.trace);
    else return;
    event.preventDefault();
  }

  click(event) {
    const element = event.target.closest("[data-index]");
    if (!element) return;
    this.active = Number(element.dataset.index);
    this.choose(this.rows[this.active], false);
  }

  choose(row, focus) {
    if (row.kind === "trace") this.toggle(row.trace);
    if (row.kind === "record") this.select(row.entry, focus);
  }

  select(entry, focus) {
    this.selected = entry;
    this.read(entry, focus);
    this.draw();
  }

  /** Have an entry chosen from the start, where there is room beside the list for it. */
  suggest(entry) {
    if (this.selected || !matchMedia("(min-width: 60.01rem)").matches) return;
    this.goTo(entry);
  }

  move(index) {
    this.active = index;
    const [top, bottom] = [this.offsets[index], this.offsets[index + 1]];
    const heading = index > 0 && this.rows[index - 1].kind !== "record" ? this.offsets[index - 1] : top;
    if (top < this.list.scrollTop) this.list.scrollTop = heading;
    else if (bottom > this.list.scrollTop + this.list.clientHeight)
      this.list.scrollTop = bottom - this.list.clientHeight;
    this.draw();
  }

  /** Bring an entry into sight and read it; false when the filters hide it. */
  goTo(entry) {
    const index = this.rows.findIndex((row) => row.entry === entry);
    if (index < 0) return false;
    this.move(index);
    this.list.scrollTop = Math.max(0, this.offsets[index] - this.list.clientHeight / 3);
    this.select(entry, false);
    return true;
  }
}

function sameRow(some, other) {
  return (
    some.kind === other.kind && some.entry === other.entry && some.trace === other.trace && some.label === other.label
  );
}
