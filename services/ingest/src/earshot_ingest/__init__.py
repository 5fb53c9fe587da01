"""Hears every channel: the HTTP door, imports and sources, and the topic of received feedback."""
