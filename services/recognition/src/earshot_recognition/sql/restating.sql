-- What is gone through when everything is said again, after the log was lost.

-- name: page_of_accounts
-- The next accounts by key.
select author_key from accounts where author_key > $1 order by author_key limit $2
