// SPDX-License-Identifier: Apache-2.0
// The rows of the timeline, and what each looks like: days or traces as headings, records, and gaps where records lack.

const NO_TRACE = "";

/** Rows in the order of the chain, under a heading for each day. Gaps are shown as long as nothing is filtered. */
function rowsByDay(entries, gaps) {
  const rows = [];
  const waiting = [...gaps].sort((some, other) => some.sequence - other.sequence);
  let day = null;
  for (const entry of entries) {
    while (waiting.length && entry.sequence !== null && waiting[0].sequence < entry.sequence) {
      rows.push({ kind: "gap", gap: waiting.shift() });
    }
    const found = dayOf(entry.event);
    if (found && found !== day) rows.push({ kind: "heading", label: `${DAY.format(entry.event.at)}, UTC` });
    day = found || day;
    rows.push({ kind: "record", entry });
  }
  return [...rows, ...waiting.map((gap) => ({ kind: "gap", gap }))];
}

/** Rows under a heading for each trace, in the order in which the traces began. */
function rowsByTrace(entries, closed) {
  const traces = new Map();
  for (const entry of entries) {
    const name = entry.event.trace;
    if (!traces.has(name)) traces.set(name, []);
    traces.get(name).push(entry);
  }
  const rows = [];
  for (const [trace, members] of traces) {
    rows.push({ kind: "trace", trace, members, open: !closed.has(trace) });
    if (!closed.has(trace)) rows.push(...members.map((entry) => ({ kind: "record", entry, nested: true })));
  }
  return rows;
}

/** The element for a row. `state` says of an entry how its verification stands. */
function rowElement(row, state) {
  if (row.kind === "record") return recordRow(row, state(row.entry));
  const element = make("div", { role: "row", class: `row ${row.kind}` });
  if (row.kind === "gap") {
    const { sequence, through } = row.gap;
    const which = through
      ? `Records ${COUNT.format(sequence)} to ${COUNT.format(through)} are`
      : `Record ${COUNT.format(sequence)} is`;
    fill(element, cell("whole", `${MARKS.bad} ${which} not here: ${row.gap.code}`));
  } else if (row.kind === "trace") {
    element.setAttribute("aria-expanded", String(row.open));
    element.setAttribute("aria-level", "1");
    const name = row.trace === NO_TRACE ? "No trace" : row.trace;
    const broken = row.members.filter(hasFindings).length;
    fill(
      element,
      cell("whole", [
        make("span", { class: "twist", "aria-hidden": "true" }, row.open ? "▾" : "▸"),
        value(name, "trace-name"),
        make("span", { class: "aside" }, ` ${count(row.members.length, "record")}, ${spanOf(row.members)}`),
        broken ? make("strong", { class: "bad" }, ` ${count(broken, "record")} with findings`) : null,
      ]),
    );
  } else {
    fill(element, cell("whole", row.label));
  }
  return element;
}

function recordRow(row, state) {
  const { entry } = row;
  const { event } = entry;
  const element = make("div", {
    role: "row",
    class: `row record ${state.name}${row.nested ? ` nested ${event.level}` : ""}`,
  });
  if (row.nested) element.setAttribute("aria-level", "2");
  const number = entry.sequence === null ? "?" : COUNT.format(entry.sequence);
  fill(
    element,
    cell("place", [
      make("span", { class: "number" }, number),
      make("time", {}, clockOf(event).slice(0, 8), make("span", { class: "split" }, clockOf(event).slice(8))),
    ]),
    cell("level", [
      event.level ? make("span", { class: `tag ${event.level}` }, event.level) : null,
      event.overridden ? make("span", { class: "tag override" }, "override") : null,
    ]),
    cell("what", [
      make(
        "p",
        { class: "line" },
        event.readable
          ? [value(event.actor || "somebody", "actor"), " ", value(whatOf(event), "act")]
          : value(entry.text === null ? "no content" : "not readable as a record", "actor"),
      ),
      make("p", { class: "why" }, value(event.reason.slice(0, 400) || event.type || entry.key)),
    ]),
    cell("state", [
      make("span", { class: "glyph", "aria-hidden": "true" }, state.mark),
      make("span", { class: state.name === "bad" || state.name === "doubt" ? "codes" : "hidden" }, state.label),
    ]),
  );
  return element;
}

function cell(className, content) {
  return make(
    "div",
    { role: "gridcell", class: className, "aria-colspan": className === "whole" ? "4" : null },
    content,
  );
}

function spanOf(members) {
  const [first, last] = [members[0].event, members.at(-1).event];
  if (first.at === null || last.at === null) return "times unknown";
  const day = first.time.slice(0, 10);
  const end = last.time.startsWith(day)
    ? clockOf(last).slice(0, 8)
    : `${last.time.slice(0, 10)} ${clockOf(last).slice(0, 8)}`;
  return `${day} ${clockOf(first).slice(0, 8)} – ${end}`;
}
