// SPDX-License-Identifier: Apache-2.0
// On paper there is no scrolling: a table of the records that are shown is printed, up to a number that paper bears.

const MOST_PRINTED = 2000;

function preparePrint(shown, total, state) {
  const entries = shown.slice(0, MOST_PRINTED);
  const [these, found, all] = [entries.length, shown.length, total].map((number) => COUNT.format(number));
  const kept =
    entries.length < shown.length
      ? `The first ${these} of ${found} records are printed; filter the list to print others. All ${all} were verified.`
      : shown.length < total
        ? `${found} of ${all} records, as filtered. All were verified.`
        : null;
  fill(
    at("printed"),
    kept ? make("p", {}, kept) : null,
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ...["Record", "When (UTC)", "Who", "What and why", "SHA-256", ""].map((name) =>
            make("th", { scope: "col" }, name),
          ),
        ),
      ),
      make("tbody", {}, ...entries.map((entry) => printedRow(entry, state(entry)))),
    ),
  );
}

function printedRow(entry, state) {
  const { event } = entry;
  return make(
    "tr",
    { class: state.name },
    make("td", { class: "number" }, entry.sequence === null ? "?" : COUNT.format(entry.sequence)),
    make("td", {}, event.time ? `${event.time.slice(0, 10)} ${clockOf(event)}` : ""),
    make("td", {}, value(event.actor), event.level ? make("span", { class: "aside" }, ` ${event.level}`) : null),
    make(
      "td",
      {},
      value(whatOf(event) || entry.key),
      event.reason ? [make("br"), value(event.reason.slice(0, 300), "why")] : null,
      state.name === "bad" || state.name === "doubt" ? [make("br"), state.label] : null,
    ),
    make("td", { class: "hash" }, entry.hash ? `${entry.hash.slice(0, 16)}…` : ""),
    make("td", {}, state.mark),
  );
}
