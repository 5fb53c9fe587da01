"""Derives one customer from all the accounts and contacts that prove to be one person."""
