"""Keeps the ledger of who helps, and the standing that follows from it."""
