-- Whatever did not succeed: every outcome but success. Parameters: organisation, first day, last day.
SELECT
  sequence,
  "timestamp",
  event.event_type,
  event.actor,
  event.action,
  event.target,
  event.aow_context.outcome,
  event.aow_context.policy_urn,
  event.reason,
  event.trace_id,
  audit_id
FROM records
WHERE org = ?
  AND day BETWEEN ? AND ?
  AND upper(event.aow_context.outcome) <> 'SUCCESS'
ORDER BY sequence
