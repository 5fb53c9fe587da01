-- name: reset_views
-- Empties what a replay folds anew. Alarms, versions of rules and receipts are facts of this place alone and stay.
-- First the table at which gatherings begin: one that is under way ends before any other table is taken from it.
truncate gathered, feedback, nodes, threads, actions, counts, actions_done, theme_items, theme_roots, theme_parts, theme_acts, rates, rates_touched

-- name: count_facts
-- How many items the view holds: a log with fewer cannot fill it again.
select count(*) from feedback
