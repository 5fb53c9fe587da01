-- What is gone through when everything is said again, after the log was lost.

-- name: page_of_items
-- The next items of one topic by id.
select feedback_id, revision, live, body from items where live = $1 and feedback_id > $2 order by feedback_id limit $3
