"""A toy of two tables that decides the design: does the last record of every key equal the database, whatever died or froze?

`state` is what a service folds, `outbox` is what it has to say. Real Postgres, real Kafka, real signals; README.md has the argument.
"""
