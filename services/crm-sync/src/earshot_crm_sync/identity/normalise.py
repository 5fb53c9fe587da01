"""One spelling for each identifier: mail, phone, handle, link, name, date.

Owns what counts as the same value and what counts as no value at all. Must not weigh evidence.
Everything returns None (or "") for what is missing, a placeholder or malformed: a wrong value never raises.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import phonenumbers

from .lists import words

_QUOTES_AND_BLANKS = "\"'`“”‘’«»" + string.whitespace + "\u00a0\u200b\ufeff"
_MAIL = re.compile(r"[^\s@<>()\",;:\[\]]{1,64}@(?:[^\s@.<>()\",;:\[\]_]+\.)+[^\s@.<>()\",;:\[\]_\d]{2,}")
_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})
_GITHUB_NOREPLY = re.compile(r"(?:(\d+)\+)?([a-z0-9-]{1,39})@users\.noreply\.github\.com")
_GITLAB_NOREPLY = re.compile(r"(\d+)-([a-z0-9_.-]{1,255})@users\.noreply\.gitlab\.com")
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
NOBODY = frozenset({"none", "null", "noemail", "nomail", "no", "undefined", "unknown", "nobody", "no-email", "na"})


class NamedAccount(NamedTuple):
    """An account that a mail or a link gives away; `account_id` is "" when it shows the handle alone."""

    channel: str
    account_id: str
    handle: str


@cache
def _placeholders() -> frozenset[str]:
    return words("placeholders")


def plain(text: str | None) -> str | None:
    """Trim, unquote, NFC; None for blanks, placeholders and text with control characters."""
    if not text:
        return None
    if not isinstance(text, str):
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = text.strip(_QUOTES_AND_BLANKS)
    if not text.strip("0-_.? ") or not text.isprintable() or text.casefold() in _placeholders():
        return None
    return text


def handle(text: str | None) -> str | None:
    """Return the handle as author keys spell it: no leading @, NFC, lower case."""
    cleaned = plain(text)
    return None if cleaned is None else (cleaned.lstrip("@").strip().lower() or None)


@lru_cache(maxsize=65_536)
def email(text: str | None) -> str | None:
    """Return one spelling of a mailbox: lower case, ASCII domain, no tags; no dots where the provider ignores them.

    `Anna.Schmidt+shop@GoogleMail.com` is `annaschmidt@gmail.com`; only Google's dots mean nothing, a tag after +
    means nothing everywhere.
    """
    cleaned = plain(text)
    if cleaned is None:
        return None
    cleaned = cleaned.removeprefix("mailto:").strip("<>.,;").lower()
    if not _MAIL.fullmatch(cleaned) or len(cleaned) > 254:
        return None
    local, _, domain = cleaned.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    if not domain.startswith("users.noreply."):
        local = local.partition("+")[0]
    if domain in _DOTLESS_DOMAINS:
        local, domain = local.replace(".", ""), "gmail.com"
    if not local or local in NOBODY:
        return None
    return f"{local}@{domain}"


def noreply_account(address: str) -> NamedAccount | None:
    """Return the account inside a normalised no-reply address of GitHub or GitLab."""
    if "@users.noreply." not in address:
        return None
    for channel, pattern in (("github", _GITHUB_NOREPLY), ("gitlab", _GITLAB_NOREPLY)):
        if found := pattern.fullmatch(address):
            return NamedAccount(channel, found[1] or "", found[2])
    return None


@lru_cache(maxsize=65_536)
def phone(text: str | None, region: str | None = None) -> str | None:
    """Return E.164, or None for what no phone can be (too short, repeated or counting digits).

    `region`: ISO 3166 country for numbers without an international prefix; without it those stay bare digits.
    """
    cleaned = plain(text)
    if cleaned is None:
        return None
    digits = re.sub(r"\D", "", cleaned)
    if len(digits) < 7 or len(set(digits)) < 3 or digits in "01234567890123456789" or digits in "98765432109876543210":
        return None
    if cleaned.startswith("00"):
        cleaned = "+" + cleaned[2:]
    try:
        number = phonenumbers.parse(cleaned, region)
    except phonenumbers.NumberParseException:
        return digits if len(digits) <= 15 else None
    if not phonenumbers.is_possible_number(number):
        return f"+{digits}" if cleaned.startswith("+") and 8 <= len(digits) <= 15 else None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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


@lru_cache(maxsize=65_536)
def name(text: str | None) -> str | None:
    """Return a display name for showing: trimmed, inner blanks single; None for placeholders and mail addresses."""
    cleaned = plain(text)
    if cleaned is None or "@" in cleaned or not any(letter.isalpha() for letter in cleaned):
        return None
    return " ".join(cleaned.split())
