-- name: reset_views
-- Empties what a replay folds anew.
truncate items, replies, handle_pairs, helps, accounts, counts, acts, thank_yous, erasures, actions_done

-- name: count_facts
-- How many items the view holds: a log with fewer cannot fill it again.
select count(*) from items
