"""What crm-sync decides, as pure functions and values: no clock, no randomness, no database."""
