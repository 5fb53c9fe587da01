"""One spelling for what records write in many: letters of any script, sounds, dates, numbers, addresses.

Owns the folding of text. Must not compare two records. Everything returns "" for what is missing or a placeholder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from anyascii import anyascii

from earshot_crm_sync.identity import normalise
from earshot_crm_sync.identity.lists import lines, words

from . import japanese
from .sounds import VOWELLESS

MOST_LETTERS = 500  # of anything that a person wrote into a field
_SPLIT = re.compile(r"[^a-z0-9]+")
_BETWEEN_WORDS = re.compile(r"[\s.,;:/|_]+")
_SYLLABLES = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "å": "aa", "æ": "ae"})
_EXAMPLES = frozenset("email example foo mail me myself name noname someone somebody test tester user you your".split())
_FILLERS = _EXAMPLES | frozenset(
    "a aa aaa abc abcd asd asdf asdfg customer demo domain fake guest my qwe qwerty sample x xx xxx xyz".split()
)
_ANYBODYS = frozenset("mail email post account personal".split())  # a person's or an office's: a file does not say who verified it
_PARTICLES = frozenset("al el ul bin ibn ben van von vom zu zur der den de da di du del della dos das do le la ten ter te af av".split())
_ABJAD = re.compile("[\u0590-\u05ff\u0600-\u06ff\u0750-\u077f]")  # Hebrew and Arabic leave vowels out
_SYLLABIC = re.compile("[\u4e00-\u9fff\uac00-\ud7a3]+")  # Han and Hangul: a syllable a sign
_TWO_SIGNS = "欧阳|歐陽|司马|司馬|诸葛|諸葛|上官|皇甫|司徒|慕容"  # Chinese families
_FAMILY_FIRST = re.compile(rf"({_TWO_SIGNS}|{_SYLLABIC.pattern[:-1]}|{_SYLLABIC.pattern[:-1]}{{1,2}}\s+)({_SYLLABIC.pattern[:-1]}{{1,3}})")
_KOREAN_FAMILIES = dict(line.split() for line in lines("korean_families"))
_VIETNAMESE_FAMILIES = frozenset("nguyen tran pham huynh hoang phan dang bui duong ngo truong dinh".split())
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "herr", "frau", "mme", "ing", "dipl", "phd", "md"})
_AFTER_A_NAME = re.compile(  # degrees, honours and the legal forms of firms
    r"(?:[,\s]+(?:ph\.?\s?d|m\.?d|m\.?sc|b\.?sc|ll\.?m|mba|cpa|dds|esq(?:uire)?|[ocm]be|"
    r"gmbh|ag|kg|ohg|gbr|ug|ltd|limited|inc|llc|plc|corp|bv|oy|sarl|s\.?r\.?l|ltda|pty|sp\. z o\.o)\b\.?)+$",
    re.IGNORECASE,
)
_A_CALL = re.compile(r"[^\s_\d]*[_\d]\S*")  # one word with a digit or a low line is a handle
_GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "jr", "iii": "iii", "iv": "iv"}
_MONTHS = {
    month: number
    for number, group in enumerate(
        (
            "jan january januar janvier enero",
            "feb february februar fevrier febrero",
            "mar march maerz marz mars marzo",
            "apr april avril abril",
            "may mai mayo",
            "jun june juni juin junio",
            "jul july juli juillet julio",
            "aug august aout agosto",
            "sep sept september septembre septiembre",
            "oct october oktober okt octobre octubre",
            "nov november novembre noviembre",
            "dec december dezember dez decembre diciembre",
        ),
        start=1,
    )
    for month in group.split()
}
_NO_BIRTHS = frozenset({"1900-01-01", "1901-01-01", "1800-01-01", "1111-11-11", "1899-12-30", "1899-12-31", "9999-12-31", "1970-01-01"})
_COMPOUND = re.compile(r"(?<=[a-z]{3})str(?:asse)?\b")  # Goethestraße, Goethestr.
_STREET_WORDS = dict(
    pair.split("=")
    for pair in [
        "street=st",
        "str=st",
        "strasse=st",
        "saint=st",
        "road=rd",
        "avenue=ave",
        "av=ave",
        "drive=dr",
        "place=pl",
        "crescent=cres",
        "court=ct",
        "lane=ln",
        "boulevard=blvd",
        "square=sq",
        "apartment=apt",
        "circuit=cct",
        "close=cl",
        "terrace=tce",
        "parade=pde",
        "highway=hwy",
        "number=no",
        "nr=no",
    ]
)

STREET_KINDS = frozenset(_STREET_WORDS.values()) - {"apt", "no"}


def fold(text: str) -> str:
    """Return text in lower-case ASCII words: any script transliterated, marks dropped, umlauts as two letters."""
    if not text.isascii():
        latin = anyascii(text.translate(_UMLAUTS))
        text = _SYLLABLES.sub(" ", latin) if _SYLLABIC.search(text) else latin
    return _SPLIT.sub(" ", text.lower().replace("'", "").replace("’", "")).strip()


def is_form_of(one: str, other: str) -> bool:
    """Whether one folded name is the other's initial, some of its parts, or the same parts written together."""
    left, right = one.split(), other.split()
    if len(left) == len(right) == 1:
        return min(len(one), len(other)) == 1 and one[0] == other[0]
    if "".join(left) == "".join(right):
        return True
    few, many = (left, right) if len(left) <= len(right) else (right, left)
    return all(any(part == word or (len(part) == 1 and word.startswith(part)) for word in many) for part in few)


def lacks_a_name(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether of two whole names (given, family) one begins as the other and lacks some of its parts: José García López, José García."""
    left, right = " ".join(one).split(), " ".join(other).split()
    few, many = (left, right) if len(left) <= len(right) else (right, left)
    return len(few) > 1 and left[0] == right[0] and set(few) <= set(many)


def share_an_end(one: str, other: str) -> bool:
    """Whether two folded names have their first or last part in common, whole: Anna and Anna M., Văn Đức and Đức."""
    head, tail = one.partition(" ")[0], one.rpartition(" ")[2]
    return (len(head) > 1 and head == other.partition(" ")[0]) or (len(tail) > 1 and tail == other.rpartition(" ")[2])


def repeats(name: object, *others: object) -> bool:
    """Whether a name is one word that is nothing but the mailbox or the handle beside it, and so says no more."""
    if not isinstance(name, str) or " " in (call := name.strip().lower()) or not call:
        return False
    return any(isinstance(other, str) and other.strip().lower().lstrip("@").partition("@")[0] == call for other in others)


def text_of(value: object) -> str:
    """Return a field as text: numbers as they print, anything else that is no text, or far too long, as missing."""
    if isinstance(value, str):
        return value if len(value) <= MOST_LETTERS else ""
    if isinstance(value, bool) or not isinstance(value, int):
        return ""
    return str(value)


def name_parts(name: str, given: str, family: str) -> tuple[str, str, str]:
    """Return (given, family, generation) from a whole name and its parts; "Family, Given" is understood."""
    if not (name or family).isascii() and (known := japanese.read(name, given, family)):
        return *known, ""
    name = _AFTER_A_NAME.sub("", name)
    given, family = _clean_name(given), _clean_name(_AFTER_A_NAME.sub("", family))
    if not (given and family) and (whole := _clean_name(name)):
        first, last = _halves(name)
        given, family = (
            given or (first if not family else _without(whole, family)),
            family or (last if not given else _without(whole, given)),
        )
    generation = ""
    parts = []
    for part in (given, family):
        kept = [token for token in part.split() if token not in _TITLES]
        for token in [one for one in kept if one in _GENERATIONS and len(kept) + bool(given and family) > 1]:
            generation = _GENERATIONS[token]
            kept.remove(token)
        parts.append(" ".join(kept))
    return parts[0], parts[1], generation


def _clean_name(name: str) -> str:
    shown = normalise.plain(name)
    if not shown or "@" in shown or not any(letter.isalpha() for letter in shown) or _A_CALL.fullmatch(shown):
        return ""
    return fold(shown) if shown.isascii() else _folded_name(shown)


def _folded_name(name: str) -> str:
    """Return a name folded; words of a script without vowels say so, and a Korean family is called as it calls itself."""
    known = _KOREAN_FAMILIES.get(name)
    return known or " ".join(filter(None, map(_folded_word, name.split())))


def _folded_word(word: str) -> str:
    if _ABJAD.search(word):
        return " ".join(part + VOWELLESS for part in fold(anyascii(word).replace("`", "")).split())
    if _SYLLABIC.fullmatch(word):
        return fold(word).replace(" ", "")
    return fold(word)[: 1 if len(word.rstrip(".")) == 1 else None]  # of Ö. the umlaut is no second letter


def _halves(raw: str) -> tuple[str, str]:
    """Return (given, family) of a whole name; what a hyphen joins stays together."""
    if not raw.isascii() and (found := _FAMILY_FIRST.fullmatch(raw.strip())):
        return _folded_name(found[2]), _folded_name(found[1].strip())
    last, _, first = map(_folded_name, raw.partition(","))
    if last and first and first not in _GENERATIONS:
        return first, last
    shown = _BETWEEN_WORDS.split(raw)
    tokens = [token for token in map(_folded_word, shown) if token and not _TITLES.issuperset(token.split())]
    tail = []
    while len(tokens) > 1 and tokens[-1] in _GENERATIONS:
        tail.append(tokens.pop())
    if len(tokens) < 2:
        return (" ".join(tokens + tail), "")
    if len(tokens) > 2 and tokens[0] in _VIETNAMESE_FAMILIES:
        return " ".join(tokens[1:]), tokens[0]  # Nguyễn Văn Đức
    start = len(tokens) - 1
    while start > 1 and tokens[start - 1] in _PARTICLES:
        start -= 1
    if start == 1 and shown[0].isupper() and len(shown[0]) > 2 and not raw.isupper():
        return " ".join(tokens[1:]), " ".join([tokens[0], *tail])  # KELLER Anna
    return " ".join(tokens[:start]), " ".join([*tokens[start:], *tail])


def _without(whole: str, known: str) -> str:
    taken = known.split()
    return " ".join(token for token in whole.split() if token not in taken)


def mail(text: str) -> str:
    """Return a normalised mail address, a misspelt one as it is (it still resembles the right one).

    "" for an office's or nobody's.
    """
    if text.endswith(">"):
        text = text.rpartition("<")[2][:-1]  # Anna Keller <anna@keller.example>
    address = normalise.email(text) if text else None
    if address is None:
        shown = normalise.plain(text)
        address = shown.lower() if shown and len(shown) >= 8 and "." in shown and " " not in shown else ""
    local, _, domain = address.rpartition("@")
    blocked = local in words("role_mailboxes") or local in _ANYBODYS or local in normalise.NOBODY or domain in words("disposable_domains")
    blocked = blocked or _is_made_up(local, domain)
    return "" if blocked else address


def _is_made_up(local: str, domain: str) -> bool:
    """Whether an address is one that people type to get past a form: test@test.com, user@example.com."""
    label = domain.partition(".")[0]
    return (local in _FILLERS and local == label) or (local in _EXAMPLES and label == "example")


def birth_date(text: str) -> str:
    """Return ISO 8601 for the spellings people use, "" for what is no date of birth.

    20.2.1987, 1987/2/20, 19870220, 20 Feb 1987; of 2/3/1987 the day is taken first unless that cannot be.
    """
    if len(text) == 10 and text[4] == text[7] == "-" and (iso := _iso(text)):
        return iso  # the usual spelling, twenty times as fast
    shown = normalise.plain(text)
    if shown is None:
        return ""
    shown = shown.split("T")[0].strip().lower()
    if len(shown) == 8 and shown.isdigit():
        likely = f"{shown[:4]}-{shown[4:6]}-{shown[6:]}" if "1880" < shown[:4] < "2100" else ""  # misspelt, yet comparable
        return _date(shown[:4], shown[4:6], shown[6:]) or _date(shown[4:], shown[2:4], shown[:2]) or likely
    found = re.findall(r"\d+|[a-z]+", anyascii(shown).lower())
    found = [part for part in found if part not in ("th", "st", "nd", "rd", "of", "de", "00")]
    if len(found) < 3:
        return ""
    named = [part for part in found if part in _MONTHS]
    if named:
        numbers = [part for part in found[:3] if part.isdigit()]
        if len(numbers) != 2:
            return ""
        year, day = (numbers[0], numbers[1]) if len(numbers[0]) == 4 else (numbers[1], numbers[0])
        return _date(year, str(_MONTHS[named[0]]), day)
    if not all(part.isdigit() for part in found[:3]):
        return ""
    if len(found[0]) == 4:
        return _date(found[0], found[1], found[2]) or _date(found[0], found[2], found[1])
    year = found[2] if len(found[2]) == 4 else ("19" if int(found[2]) > 26 else "20") + found[2].zfill(2)
    return _date(year, found[1], found[0]) or _date(year, found[0], found[1])


def _iso(text: str) -> str:
    try:
        iso = date.fromisoformat(text).isoformat()
    except ValueError:
        return ""
    return "" if iso in _NO_BIRTHS or not "1880" < iso < "2100" else iso


def _date(year: str, month: str, day: str) -> str:
    try:
        iso = date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
    return "" if iso in _NO_BIRTHS or not "1880" < iso < "2100" else iso


def phone(text: str) -> str:
    """Return the digits of a phone, + first when they are international; national numbers lose their trunk zero."""
    shown = normalise.plain(text if text.isascii() else unicodedata.normalize("NFKC", text))  # full-width digits, firm blanks
    if shown is None:
        return ""
    digits = re.sub(r"\D", "", shown.replace("(0)", ""))
    abroad = shown.lstrip(" (").startswith("+") or digits.startswith("00")
    digits = digits.lstrip("0")
    if (
        len(digits) < 6
        or len(digits) > 15
        or len(set(digits)) < 3
        or len(set(digits[3:])) < 2
        or digits in "1234567890123456789"
        or digits in "9876543210987654321"
    ):
        return ""
    return f"+{digits}" if abroad else digits


def address(text: str) -> str:
    """Return a street line in folded words with the usual abbreviations."""
    shown = normalise.plain(text)
    if shown is None:
        return ""
    return " ".join(_STREET_WORDS.get(word, word) for word in _COMPOUND.sub(" st", fold(shown)).split())


def place(text: str) -> str:
    """Return a city or region folded."""
    shown = normalise.plain(text)
    return fold(shown) if shown else ""


def country(text: str) -> str:
    """Return a country's two letters where it is one that is listed, else what is written, folded."""
    written = place(text).replace(" ", "")
    return _countries().get(written, written)


@cache
def _countries() -> dict[str, str]:
    return {name: line.split()[0] for line in lines("countries") for name in line.split()}


def postcode(text: str) -> str:
    """Return a postcode without blanks."""
    shown = normalise.plain(text)
    return fold(shown).replace(" ", "") if shown else ""


@cache
def nicknames() -> dict[str, frozenset[int]]:
    """Return the groups each given name belongs to: those of one group are forms of one name in one language."""
    return _groups("nicknames")


@cache
def translations() -> dict[str, frozenset[int]]:
    """Return the groups each given name belongs to: those of one group are one name in several languages."""
    return _groups("translations")


def _groups(name: str) -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(lines(name)):
        for member in line.split():
            groups.setdefault(member, set()).add(number)
    return {member: frozenset(found) for member, found in groups.items()}


_NO_GROUP: frozenset[int] = frozenset()


def share_a_group(groups: Mapping[str, frozenset[int]], one: str, other: str) -> bool:
    """Whether two given names are of one of the groups."""
    return not groups.get(one, _NO_GROUP).isdisjoint(groups.get(other, _NO_GROUP))


@cache
def common_names() -> frozenset[str]:
    """Return given and family names that are names of their own, not misspellings of each other."""
    return common_given_names() | words("family_names")


@cache
def common_given_names() -> frozenset[str]:
    """Return given names that are names of their own, not misspellings of each other."""
    return words("given_names")
