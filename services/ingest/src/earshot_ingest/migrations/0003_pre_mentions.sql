-- Items of others that named somebody who is erased: the name is struck from their words.
alter table erasures add column mentions int not null default 0;
