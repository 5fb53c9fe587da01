"""Who is who in a file of records: reading, blocking, scoring, clustering, in columns and batches.

See docs/identity.md.
"""
