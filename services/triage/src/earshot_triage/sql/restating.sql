-- What is gone through when everything is said again, after the log was lost.

-- name: page_of_feedback
-- The next items by key.
select key, thread, revision, opened, joined, brief from feedback where key > $1 order by key limit $2

-- name: page_of_opened
-- The next ids of cases that were ever told of.
select key from feedback where key > $1 and opened order by key limit $2
