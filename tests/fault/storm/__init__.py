"""A storm over the whole system: kills and freezes real processes in random order under load, then compares every view."""
