"""A made-up community whose truth is known: who is who on which channel, who helps whom, what is a complaint.

Everything here but ``command`` is a pure function of a seed: no clock, no network, no file but the texts it ships.
"""
