"""A large made-up crowd with misspelt copies and known truth: for speed, memory and quality at size.

Not FEBRL's generator, but of its kind: clean originals, copies with slips, exchanged, missing and replaced fields.
"""

from __future__ import annotations

from random import Random
from typing import Any

from earshot_crm_sync.identity.lists import lines
from support.identity_adversary import slip

_HEADS = [
    "bar",
    "ber",
    "bo",
    "bran",
    "car",
    "cas",
    "cor",
    "dal",
    "del",
    "don",
    "dun",
    "ed",
    "el",
    "fair",
    "fer",
    "gal",
    "gar",
    "gil",
    "gra",
    "hal",
    "har",
    "hel",
    "hol",
    "jar",
    "kar",
    "kel",
    "ken",
    "lan",
    "lar",
    "lor",
    "mac",
    "mal",
    "mar",
    "mer",
    "mil",
    "mon",
    "mor",
    "nel",
    "nor",
    "ol",
    "os",
    "par",
    "pem",
    "per",
    "quin",
    "ral",
    "ram",
    "ren",
    "ros",
    "sal",
    "san",
    "sel",
    "ser",
    "shel",
    "sor",
    "stan",
    "sul",
    "tan",
    "tor",
    "tre",
    "val",
    "van",
    "var",
    "vel",
    "ver",
    "wal",
    "war",
    "wel",
    "wes",
    "win",
    "zan",
    "zel",
]
_TAILS = [
    "by",
    "den",
    "ders",
    "dez",
    "do",
    "don",
    "dorf",
    "ell",
    "er",
    "es",
    "ett",
    "ey",
    "field",
    "ford",
    "gan",
    "ger",
    "ham",
    "hardt",
    "iano",
    "ic",
    "ing",
    "ino",
    "ins",
    "ius",
    "kin",
    "kov",
    "la",
    "land",
    "ler",
    "ley",
    "lin",
    "lo",
    "low",
    "man",
    "mann",
    "mark",
    "meyer",
    "mond",
    "mont",
    "more",
    "nes",
    "ney",
    "ni",
    "now",
    "off",
    "old",
    "ol",
    "on",
    "owski",
    "quist",
    "ra",
    "rd",
    "rez",
    "ri",
    "ron",
    "rup",
    "sen",
    "ser",
    "shaw",
    "sky",
    "son",
    "stein",
    "stone",
    "ston",
    "sz",
    "ter",
    "thal",
    "ton",
    "tov",
    "tti",
    "ue",
    "va",
    "vic",
    "ville",
    "vin",
    "wald",
    "ward",
    "well",
    "wick",
    "witz",
    "wood",
    "worth",
    "y",
    "zak",
]


def family_name(random: Random) -> str:
    """Return one of some 20,000 names, some far more common than others."""
    place = min(int(random.expovariate(1 / 1500)), 20_000)
    return _HEADS[place % len(_HEADS)] + ("", "a", "e", "o", "i")[place // 6_700 % 5] + _TAILS[(place // len(_HEADS)) % len(_TAILS)]


def crowd(count: int, *, copies: float = 0.3, seed: int = 1, most_copies: int = 3) -> tuple[list[dict[str, Any]], list[int]]:
    """Return `count` records, the given share of them misspelt copies, and the person of each."""
    random = Random(seed)
    given = lines("given_names")
    people = int(count * (1 - copies))
    rows = [(who, _person(random, given)) for who in range(people)]
    while len(rows) < count:
        who, original = rows[random.randrange(people)]
        for _ in range(random.randint(1, most_copies)):
            if len(rows) < count:
                rows.append((who, _copy(original, random)))
    random.shuffle(rows)
    return [{"id": f"r{place}", **row} for place, (_, row) in enumerate(rows)], [who for who, _ in rows]


def _person(random: Random, given: tuple[str, ...]) -> dict[str, Any]:
    first, last = given[min(int(random.expovariate(1 / 150)), len(given) - 1)], family_name(random)
    row: dict[str, Any] = {
        "given_name": first,
        "family_name": last,
        "birth_date": f"{random.randint(1930, 2006)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
        "street": f"{random.randint(1, 300)} {family_name(random)} street",
        "city": family_name(random) + "ton",
        "postcode": f"{random.randint(1000, 9999)}",
    }
    if random.random() < 0.6:
        row["email"] = (
            f"{first}.{last}{random.choice(['', '', str(random.randint(1, 99))])}@{random.choice(['gmail.com', 'mail.org', 'web.de'])}"
        )
    if random.random() < 0.6:
        row["phone"] = f"+49{random.randint(1500000000, 1799999999)}"
    return row


def _copy(original: dict[str, Any], random: Random) -> dict[str, Any]:
    row = dict(original)
    for _ in range(random.randint(1, 4)):
        name = random.choice(list(row))
        kind = random.random()
        if kind < 0.12 and len(row) > 4:
            del row[name]
        elif kind < 0.17:
            row[name] = _person(random, (original["given_name"],)).get(name, row[name])
        else:
            row[name] = slip(row[name], random)
    if random.random() < 0.04 and {"given_name", "family_name"} <= row.keys():
        row["given_name"], row["family_name"] = row["family_name"], row["given_name"]
    return row
