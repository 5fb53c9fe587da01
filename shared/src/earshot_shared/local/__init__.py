"""The local ground: a real Postgres and a real Kafka on this machine, and the supervisor of `earshot up`.

Owns: finding or fetching the servers, starting, watching and ending operating-system processes.
Must not: know anything of the business, import a service, or need Docker.
"""
