-- name: reset_views
-- Empties what a replay folds anew.
truncate items, replies, handle_pairs, ledger, accounts, actions_done
