"""``earshot bench``: what this installation carries on this machine, measured on real Kafka and Postgres through real processes.

``load`` makes items, ``system`` runs a system of its own, ``path`` measures the way from the door to the customer view, ``yardstick``
the bare broker hop, ``offline`` the commands, ``report`` says it all. Nothing here asserts a speed.
"""
