"""Who may do what in an installation: API keys with scopes, and the secret behind keyed hashes.

``keys`` holds the forms and the pure rules, ``store`` the tables of the schema ``earshot_access``, ``secret`` the keyed hashes.
"""

from earshot_shared.access.keys import ALL_SCOPES, Principal, StoredKey, make_key, new_key, parse_token
from earshot_shared.access.secret import Secret
from earshot_shared.access.store import KeyStore, PostgresKeys, open_access_pool, read_secret, spend_token

__all__ = [
    "ALL_SCOPES",
    "KeyStore",
    "PostgresKeys",
    "Principal",
    "Secret",
    "StoredKey",
    "make_key",
    "new_key",
    "open_access_pool",
    "parse_token",
    "read_secret",
    "spend_token",
]
