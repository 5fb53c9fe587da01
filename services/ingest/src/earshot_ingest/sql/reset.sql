-- What a replay empties before it folds the topics anew.

-- name: reset_views
-- Ingest keeps facts only, and a fact that was accepted stays: there is nothing to empty.
select
