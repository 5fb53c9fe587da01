"""Numbered SQL that brings each schema of an installation to the wanted state, and the check that it is there.

``files`` reads and judges the numbered files of a package; ``runner`` applies them. Every service's schema gets the
tables of the loop (``loop/``) first and then the service's own (its package's ``migrations/`` folder); ``access/``
makes the one schema all services share.
"""

from earshot_shared.migrations.files import ACCESS, Migration, MigrationError, plan_of, services_with_schema
from earshot_shared.migrations.runner import Applied, migrate_all, missing_migrations

__all__ = [
    "ACCESS",
    "Applied",
    "Migration",
    "MigrationError",
    "migrate_all",
    "missing_migrations",
    "plan_of",
    "services_with_schema",
]
