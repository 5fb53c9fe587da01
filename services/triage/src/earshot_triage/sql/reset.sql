-- name: reset_views
-- Empties what a replay folds anew. Alarms, versions of rules and receipts are facts of this place alone and stay.
truncate feedback, nodes, threads, actions, counts, actions_done, gathered, theme_items, theme_roots, theme_parts, theme_acts, rates, rates_touched

-- name: count_facts
-- How many items the view holds: a log with fewer cannot fill it again.
select count(*) from feedback
