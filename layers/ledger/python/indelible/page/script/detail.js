// SPDX-License-Identifier: Apache-2.0
// One record, whole: who, what, when, why, how it stands in the chain, and its bytes.

/** Draws the record; `go(entry)` leads to another one, `follow(trace)` to all of one trace, `back()` to the list. */
function drawDetail(entry, { state, verdict, facts, around, go, follow, back }) {
  const record = entry.text === null ? null : parsed(entry);
  const { event } = entry;
  const title = entry.sequence === null ? "An object among the records" : `Record ${COUNT.format(entry.sequence)}`;
  fill(
    at("detail"),
    make(
      "header",
      { class: "detail-head" },
      make("h3", { id: "detail-heading" }, title),
      make("p", { class: `standing ${state.name}` }, `${state.mark} ${state.label}`),
      button("Back to the list", back, "quiet back"),
    ),
    hasFindings(entry) && verdict ? findingsOf(entry, verdict, facts) : null,
    make(
      "dl",
      { class: "facts" },
      ...terms(
        [
          ["Who", value(event.actor)],
          ["What", event.action ? [value(whatOf(event)), " ", value(event.type, "type")] : value(event.type)],
          ["When", value(event.time && `${event.time.replace("T", " ").replace("Z", "")} UTC`)],
          ["Why", event.reason ? value(event.reason, "reason") : null],
          ["Level", event.level],
          [
            "Trace",
            event.trace ? [value(event.trace), " ", button("show all of it", () => follow(event.trace))] : null,
          ],
          ...eventTerms(objectAt(record, "event")),
        ].filter(([, content]) => !(content instanceof Element) || content.textContent),
      ),
    ),
    payloadOf(record),
    make("h4", {}, "In the chain"),
    make("dl", { class: "facts chain" }, ...chainTerms(entry, record, verdict, around, go)),
    make("h4", {}, entry.bytes === null ? "The bytes" : "The bytes, which are no plain text"),
    make(
      "pre",
      { class: "raw", tabindex: "0", "aria-label": "Bytes of the record" },
      entry.text === null ? "none" : entry.text,
    ),
  );
  at("detail").scrollTop = 0;
}

function eventTerms(event) {
  const context = objectAt(event, "aow_context");
  const rules = objectAt(event, "regulatory");
  const override = objectAt(rules, "human_override");
  const texts = (list) => (Array.isArray(list) ? list.map(String).join(", ") : "");
  const shown = (found) => (found === undefined || found === null ? "" : String(found));
  const by = [textOf(override.operator) && `by ${override.operator}`, textOf(override.reason)]
    .filter(Boolean)
    .join(": ");
  const overridden =
    override.overridden === true ? `yes, ${by}` : override.overridden === false ? `no${by && `; looked at ${by}`}` : "";
  return [
    ["Answers", textOf(event.correlation_id)],
    ["Happened at, it says", textOf(event.occurred_at)],
    ["Outcome", textOf(context.outcome)],
    ["Intent", textOf(context.intent_id)],
    ["Agent", textOf(context.agent_urn)],
    ["Policy", textOf(context.policy_urn)],
    ["Regulations", texts(rules.regulations)],
    ["Rules cited", texts(rules.rule_citations)],
    ["Confidence", shown(rules.confidence)],
    ["Human override", overridden],
    ["Taken out before sealing", texts(event.sanitized_paths)],
  ].map(([term, text]) => [term, text ? value(text) : null]);
}

function payloadOf(record) {
  const event = objectAt(record, "event");
  if (!Object.hasOwn(event, "payload")) return null;
  return [
    make("h4", {}, "Payload"),
    make("pre", { class: "payload", tabindex: "0", "aria-label": "Payload" }, JSON.stringify(event.payload, null, 2)),
  ];
}

function chainTerms(entry, record, verdict, around, go) {
  const { before, after } = around(entry);
  const cover =
    verdict &&
    verdict.checkpoints.find((found) => found.confirmed && entry.sequence !== null && found.size >= entry.sequence);
  const hashOf = (text, neighbour, label) => [
    value(text, "hash"),
    neighbour ? [" ", button(label, () => go(neighbour))] : null,
  ];
  return terms([
    ["SHA-256 of the bytes", entry.hash ? value(entry.hash, "hash") : "not computed yet"],
    ["Stored with it", entry.stored ? value(entry.stored, "hash") : "nothing"],
    ["The record before, as it says", hashOf(textOf(record && record.prev_hash) || "nothing", before, "read it")],
    ["The record after", after ? button("read it", () => go(after)) : null],
    ["Signed root", cover ? `checkpoint ${COUNT.format(cover.size)} covers it` : "none here covers it"],
    ["audit_id", value(textOf(record && record.audit_id), "hash")],
    ["Key in the bucket", value(entry.key, "hash")],
    ["Version, S3 said", entry.version ? value(entry.version, "hash") : null],
    ["Lock promised", record ? value(`${textOf(record.lock_mode)} until ${textOf(record.retain_until)}`) : null],
  ]);
}

function findingsOf(entry, verdict, facts) {
  const found = verdict.failures.filter(
    (failure) => failure.entry === entry || (entry.doubted && isAmong(entry, failure.suspects)),
  );
  return make("ul", { class: "findings" }, ...found.map((failure) => make("li", {}, ...findingText(failure, facts))));
}

/** A finding in full: code, words, and what was expected and found. */
function findingText(failure, facts) {
  return [
    make("code", { class: "code" }, failure.code),
    ` ${MEANING[failure.code]} `,
    make("span", { class: "aside" }, value(sentence(failure.detail)), causeText(failure, facts)),
    failure.expected === null && failure.found === null
      ? null
      : make(
          "dl",
          { class: "compare" },
          ...terms([
            ["expected", failure.expected && value(failure.expected, "hash")],
            ["found", failure.found && value(failure.found, "hash")],
          ]),
        ),
  ];
}

function sentence(text) {
  const start = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() : text.charAt(0); // not in names such as prev_hash
  return `${start}${text.slice(1)}.`;
}
