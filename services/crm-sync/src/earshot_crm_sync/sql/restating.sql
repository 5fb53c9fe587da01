-- What is gone through when everything is said again, after the log was lost.

-- name: page_of_told
-- The next ids by which customers were ever told of.
select alias from told_of where alias > $1 order by alias limit $2
