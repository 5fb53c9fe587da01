"""Keeping a running installation over HTTP: its API keys, what was set aside, and replays; what commands do with ``--url``.

``shapes`` says how keys and dead letters are told, ``routes`` offers them at each service, ``client`` asks a service for them. Everything
here wants the scope ``admin``, from a key that is bound to nothing.
"""
