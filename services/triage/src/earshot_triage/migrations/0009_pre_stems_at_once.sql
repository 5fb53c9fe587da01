-- Leaders are looked for by stem after every batch: entries that wait in a list would be read through once for every stem.
alter index theme_items_by_stem set (fastupdate = off);
select gin_clean_pending_list('theme_items_by_stem');
