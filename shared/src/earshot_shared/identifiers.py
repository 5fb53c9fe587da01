"""What identifies a person, spelt one way, and the keyed hash that stands for it once the person is forgotten.

Owns the spelling of handles, mail addresses and phone numbers and the derivation of aliases: every service must spell and hash alike, or
an erasure would not find what it is to erase. Must not weigh evidence. What is missing, a placeholder or malformed is None: a wrong value
never raises.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

import phonenumbers

ALIAS_PURPOSE: Final = "customer"
"""Names the key of the installation that aliases are made with."""

_QUOTES_AND_BLANKS = "\"'`“”‘’«»" + string.whitespace + "\u00a0\u200b\ufeff"
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")  # what typesetters and other scripts have for a blank
_MAIL = re.compile(r"[^\s@<>()\",;:\[\]]{1,64}@(?:[^\s@.<>()\",;:\[\]_]+\.)+[^\s@.<>()\",;:\[\]_\d]{2,}")
_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})
_GITHUB_NOREPLY = re.compile(r"(?:(\d+)\+)?([a-z0-9-]{1,39})@users\.noreply\.github\.com")
_GITLAB_NOREPLY = re.compile(r"(\d+)-([a-z0-9_.-]{1,255})@users\.noreply\.gitlab\.com")
NOBODY = frozenset({"none", "null", "noemail", "nomail", "no", "undefined", "unknown", "nobody", "no-email", "na"})


class NamedAccount(NamedTuple):
    """An account that a mail or a link gives away; `account_id` is "" when it shows the handle alone."""

    channel: str
    account_id: str
    handle: str


class Shown(NamedTuple):
    """An identifier: account, handle or mailbox (the value is the author key), email, phone, crm_id."""

    kind: str
    value: str


def alias_of(kind: str, value: str, key: bytes) -> str:
    """Return the keyed hash of an identifier: BLAKE2b of 16 bytes over kind U+001F value, as a UUID of version 8."""
    text = hashlib.blake2b(f"{kind}\x1f{value}".encode(), key=key, digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


def speaker_of(author_key: str) -> Shown:
    """Return the identifier that an author key names."""
    name = author_key.partition(":")[2]
    kind = "handle" if name.startswith("@") else "mailbox" if name.startswith("mail:") else "account"
    return Shown(kind, author_key)


@cache
def _placeholders() -> frozenset[str]:
    """Return what people write who write nothing; one a line, `#` for remarks."""
    text = files(__package__).joinpath("placeholders.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def plain(text: str | None) -> str | None:
    """Trim, unquote, NFC, one kind of blank; None for blanks, placeholders and text with control characters."""
    if not text:
        return None
    if not isinstance(text, str):
        return None
    if not text.isascii():
        text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text))
    text = text.strip(_QUOTES_AND_BLANKS)
    if not text.strip("0-_.? ") or not text.isprintable() or text.casefold() in _placeholders():
        return None
    return text


def handle(text: str | None) -> str | None:
    """Return the handle as author keys spell it: no leading @, NFC, lower case."""
    cleaned = plain(text)
    return None if cleaned is None else (cleaned.lstrip("@").strip().lower() or None)


@lru_cache(maxsize=16_384)
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


@lru_cache(maxsize=16_384)
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
