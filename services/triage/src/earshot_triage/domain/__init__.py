"""What triage decides, as pure functions: threads, cases, clocks, routes. No clock, no randomness, no I/O."""
