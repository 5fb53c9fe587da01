"""One spelling for each identifier: mail, phone, handle, link, name, date.

Owns what counts as the same value and what counts as no value at all; what an erasure must find too is spelt in
`earshot_shared.identifiers`. Must not weigh evidence.
Everything returns None (or "") for what is missing, a placeholder or malformed: a wrong value never raises.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from earshot_shared.identifiers import NOBODY, NamedAccount, email, handle, noreply_account, phone, plain

__all__ = ["NOBODY", "NamedAccount", "email", "handle", "link", "name", "noreply_account", "phone", "plain", "profile_link"]

_PROFILE_HOSTS = {
    "x.com": "x",
    "twitter.com": "x",
    "github.com": "github",
    "gitlab.com": "gitlab",
    "linkedin.com": "linkedin",
    "instagram.com": "instagram",
    "facebook.com": "facebook",
    "reddit.com": "reddit",
    "dev.to": "dev",
    "medium.com": "medium",
    "youtube.com": "youtube",
    "t.me": "telegram",
    "bsky.app": "bluesky",
}
_PROFILE_PREFIXES = frozenset({"in", "u", "user", "profile", "c"})
_NO_PROFILES = frozenset(
    {
        "about",
        "explore",
        "features",
        "help",
        "home",
        "i",
        "intent",
        "issues",
        "login",
        "orgs",
        "privacy",
        "search",
        "settings",
    }
    | {"share", "signup", "terms", "watch"}
)


def profile_link(text: str | None) -> NamedAccount | None:
    """Return the account that a link to a profile page shows, for the networks whose addresses say so."""
    cleaned = plain(text)
    if cleaned is None:
        return None
    try:
        parts = urlsplit(cleaned if "://" in cleaned else f"https://{cleaned}")
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return None
    channel = _PROFILE_HOSTS.get(host)
    steps = [step for step in parts.path.split("/") if step]
    if channel is None or not steps:
        return None
    if steps[0] in _PROFILE_PREFIXES and len(steps) > 1:
        steps = steps[1:]
    name = handle(steps[0])
    if len(steps) > 1 or name is None or name in _NO_PROFILES:
        return None
    return NamedAccount(channel, "", name)


def link(text: str | None) -> str | None:
    """Return a web address without scheme, www, query and trailing slash; None for what is no address."""
    cleaned = plain(text)
    if cleaned is None:
        return None
    try:
        parts = urlsplit(cleaned if "://" in cleaned else f"https://{cleaned}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    return host + parts.path.rstrip("/") if "." in host else None


@lru_cache(maxsize=8_192)
def name(text: str | None) -> str | None:
    """Return a display name for showing: trimmed, inner blanks single; None for placeholders and mail addresses."""
    cleaned = plain(text)
    if cleaned is None or "@" in cleaned or not any(letter.isalpha() for letter in cleaned):
        return None
    return " ".join(cleaned.split())
