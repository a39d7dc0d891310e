// SPDX-License-Identifier: Apache-2.0
// Who did what, when and why: what is shown of an event, read once for each record.

const LEVELS = ["pipeline", "agent", "decision"];

/** Strings as they are, anything else as nothing: a rotten record may hold whatever it likes. */
function textOf(found) {
  return typeof found === "string" ? found : "";
}

/** The whole record as a value; null when its bytes are no JSON object. */
function parsed(entry) {
  try {
    const record = JSON.parse(entry.text);
    return record !== null && typeof record === "object" && !Array.isArray(record) ? record : null;
  } catch {
    return null;
  }
}

function objectAt(holder, name) {
  const found = holder !== null && Object.hasOwn(holder, name) ? holder[name] : null;
  return found !== null && typeof found === "object" && !Array.isArray(found) ? found : {};
}

/** Reads the event into `entry.event`, short enough to be kept for every record. */
function readEvent(entry) {
  const record = entry.text === null ? null : parsed(entry);
  const event = objectAt(record, "event");
  const override = objectAt(objectAt(event, "regulatory"), "human_override");
  const time = textOf(record && record.timestamp);
  entry.event = {
    readable: record !== null,
    type: textOf(event.event_type),
    level: LEVELS.includes(event.level) ? event.level : "",
    actor: textOf(event.actor),
    action: textOf(event.action),
    target: textOf(event.target),
    reason: textOf(event.reason),
    trace: textOf(event.trace_id),
    outcome: textOf(objectAt(event, "aow_context").outcome),
    overridden: override.overridden === true,
    time,
    at: instant(time),
  };
}

/** “approve → application-1207”, or the type of event where no action is named. */
function whatOf(event) {
  if (!event.action) return event.type;
  return event.target ? `${event.action} → ${event.target}` : event.action;
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" });

/** The UTC day, as it is sorted by; empty without a time. */
function dayOf(event) {
  return event.at === null ? "" : event.time.slice(0, 10);
}

/** The time of day, to the millisecond, UTC. */
function clockOf(event) {
  return event.at === null ? "no time" : event.time.slice(11, 23);
}
