-- name: reset_views
-- Empties every view, so that a replay folds the topics anew.
truncate identifiers, statements, evidence, customers, customer_words, activities, contacts, decisions,
         decision_parts, edits, consents, acts, suggestions, standings, erasures, totals

-- name: count_facts
-- How many items the view holds: a log with fewer cannot fill it again.
select count(*) from activities
