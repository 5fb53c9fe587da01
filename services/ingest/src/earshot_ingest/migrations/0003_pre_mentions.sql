-- Items of others that named somebody who is erased: the name is struck from their words.
alter table erasures add column mentions int not null default 0;
-- Wishes of before are gone through once more, for the mentions alone: a skeleton stays as it is, and the receipt is said again.
update erasures set done = false, after = '00000000-0000-0000-0000-000000000000';
