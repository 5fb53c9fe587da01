-- What business calendars make of cases. All null: no calendar holds for the case, all time counts.
alter table threads
    add column calendar text, -- the calendar's name
    add column target_s int, -- the target in the calendar's seconds
    add column took_us bigint; -- from opening to first response in the calendar's hours; null: no response yet
