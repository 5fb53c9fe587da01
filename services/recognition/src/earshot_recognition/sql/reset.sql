-- name: reset_views
-- Empties what a replay folds anew.
truncate items, replies, handle_pairs, helps, accounts, counts, actions_done
