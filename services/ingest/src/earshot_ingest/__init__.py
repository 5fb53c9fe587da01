"""Ingest: the door through which everything customers say comes in, once, and stays."""
