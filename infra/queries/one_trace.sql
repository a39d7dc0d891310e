-- Everything that one trace left, in the order of the chain. Parameters: organisation, first day, last day, trace_id.
SELECT
  sequence,
  "timestamp",
  event.level,
  event.event_type,
  event.actor,
  event.action,
  event.target,
  event.reason,
  event.aow_context.outcome,
  event.payload,
  audit_id
FROM records
WHERE org = ?
  AND day BETWEEN ? AND ?
  AND event.trace_id = ?
ORDER BY sequence
