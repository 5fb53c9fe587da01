"""Judges each item, routes it to those who can act, and keeps the cases and their clocks."""
