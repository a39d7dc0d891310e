-- How much each agent did on each day. Parameters: organisation, first day, last day.
SELECT
  day,
  coalesce(event.actor, event.aow_context.agent_urn, 'nobody named') AS agent,
  count(*) AS events,
  count(*) FILTER (WHERE event.level = 'decision') AS decisions,
  count(*) FILTER (WHERE event.regulatory.human_override.overridden) AS overridden
FROM records
WHERE org = ?
  AND day BETWEEN ? AND ?
GROUP BY day, coalesce(event.actor, event.aow_context.agent_urn, 'nobody named')
ORDER BY day, agent
