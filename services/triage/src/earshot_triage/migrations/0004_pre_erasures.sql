-- Receipts of erasures: ingest makes skeletons, and says how many; the receipt goes out once all of them have come here.
create table erased_items (
    erasure_id text not null,
    key uuid not null,
    primary key (erasure_id, key)
);
create table erasures (
    erasure_id text primary key,
    expected int not null, -- how many skeletons ingest made
    told boolean not null default false
);
