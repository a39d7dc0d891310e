-- Decisions that stood as the machine made them. Parameters: organisation, first day, last day (2026/03/20).
SELECT
  sequence,
  "timestamp",
  event.actor,
  event.action,
  event.target,
  event.reason,
  event.regulatory.confidence,
  event.trace_id,
  audit_id
FROM records
WHERE org = ?
  AND day BETWEEN ? AND ?
  AND event.level = 'decision'
  AND NOT coalesce(event.regulatory.human_override.overridden, false)
ORDER BY sequence
