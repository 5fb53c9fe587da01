"""People made to be confused, with known truth: each scene says which of its records are one person.

Every record carries the scene's name in its id; the truth is the person's number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Row = dict[str, Any]
Scene = Callable[[Random], Iterator[tuple[int, Row]]]  # (person within the scene, record)

GIVEN_F = [
    "Anna",
    "Laura",
    "Julia",
    "Sarah",
    "Katharina",
    "Emily",
    "Olivia",
    "Grace",
    "Hannah",
    "Elena",
    "Sofia",
    "Marta",
    "Clara",
    "Ida",
    "Nora",
    "Alice",
    "Ruth",
    "Eva",
    "Helen",
    "Diana",
]
GIVEN_M = [
    "Paul",
    "Lukas",
    "Thomas",
    "Robert",
    "William",
    "Daniel",
    "Martin",
    "Oliver",
    "Henry",
    "Felix",
    "Simon",
    "Oscar",
    "David",
    "Peter",
    "Jonas",
    "Victor",
    "Erik",
    "Adam",
    "Leon",
    "Max",
]
FAMILY = [
    "Schmidt",
    "Weber",
    "Okafor",
    "Lindqvist",
    "Moreau",
    "Castellano",
    "Brannigan",
    "Fitzgerald",
    "Novak",
    "Horvath",
    "Petrov",
    "Tanaka",
    "Delgado",
    "Rasmussen",
    "Van-Dijk",
    "Abernathy",
    "Kowalski",
    "Haddad",
    "Nakamura",
    "Oyelaran",
    "Pemberton",
    "Quigley",
    "Rossetti",
    "Sandoval",
    "Thornbury",
    "Underhill",
    "Vasquez",
    "Whitcombe",
    "Yilmaz",
    "Zeller",
]
STREETS = [
    "Oak",
    "Mill",
    "Station",
    "Church",
    "Park",
    "Garden",
    "River",
    "Hill",
    "Bridge",
    "Market",
    "Castle",
    "Forest",
    "Lake",
    "Spring",
    "Rose",
]
CITIES = ["Berlin", "Hamburg", "Leeds", "Bristol", "Lyon", "Madrid", "Vienna", "Graz", "Zurich", "Oslo"]


def person(random: Random) -> Row:
    """Return a full record of somebody."""
    given, family = random.choice(GIVEN_F + GIVEN_M), random.choice(FAMILY)
    year, month, day = random.randint(1945, 2004), random.randint(1, 12), random.randint(1, 28)
    return {
        "given_name": given,
        "family_name": family,
        "birth_date": f"{year}-{month:02}-{day:02}",
        "email": f"{given}.{family}{random.randint(100, 9999)}@{random.choice(['gmail.com', 'web.de', 'mail.org', 'posteo.net'])}".lower(),
        "phone": f"+49{random.randint(150, 179)}{random.randint(1000000, 9999999)}",
        "street": f"{random.randint(1, 240)} {random.choice(STREETS)} Street",
        "city": random.choice(CITIES),
        "postcode": f"{random.randint(10000, 99999)}",
    }


def without(row: Row, *names: str) -> Row:
    """Return the record lacking some fields."""
    return {name: value for name, value in row.items() if name not in names}


def slip(text: str, random: Random) -> str:
    """Return text with one slip of the finger."""
    place = random.randrange(1, max(len(text) - 1, 2))
    kind = random.randrange(4)
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place : place + 1] * 2 + text[place + 1 :]
    if kind == 2:
        return text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
    return text[:place] + random.choice("aeinrst") + text[place + 1 :]


def family_on_one_phone(random: Random) -> Iterator[tuple[int, Row]]:
    home = person(random)
    for number, given in enumerate(random.sample(GIVEN_F, 2) + random.sample(GIVEN_M, 2)):
        other = person(random)
        shared = {name: home[name] for name in ("family_name", "phone", "street", "city", "postcode")}
        member = other | shared | {"given_name": given}
        yield number, without(member, "email") if random.random() < 0.5 else member
        if random.random() < 0.4:
            yield number, without(member | {"given_name": slip(given, random)}, "street", "email")


def couple_on_one_phone(random: Random) -> Iterator[tuple[int, Row]]:
    one, other = person(random), person(random)
    one["given_name"], other["given_name"] = random.choice(GIVEN_F), random.choice(GIVEN_M)
    other |= {"phone": one["phone"], "street": one["street"], "city": one["city"], "postcode": one["postcode"]}
    if random.random() < 0.5:
        other["family_name"] = one["family_name"]
    fewer = ("birth_date",) if random.random() < 0.5 else ()
    yield 0, without(one, *fewer)
    yield 1, without(other, *fewer)
    yield 0, without(one, "street", "postcode")


def twins(random: Random) -> Iterator[tuple[int, Row]]:
    one = person(random)
    names = random.sample(GIVEN_F, 2) if random.random() < 0.5 else random.sample(GIVEN_M, 2)
    one["given_name"] = names[0]
    other = one | {"given_name": names[1], "email": person(random)["email"]}
    if random.random() < 0.5:
        one, other = without(one, "email"), without(other, "email")
    yield 0, one
    yield 1, other
    if random.random() < 0.5:
        yield 1, other | {"given_name": slip(names[1], random)}


def father_and_son(random: Random) -> Iterator[tuple[int, Row]]:
    father = person(random)
    year = int(father["birth_date"][:4])
    son = father | {
        "birth_date": f"{year + random.randint(20, 38)}{person(random)['birth_date'][4:]}",
        "email": person(random)["email"],
    }
    if random.random() < 0.3:
        father["family_name"] += " Sr."
        son["family_name"] += " Jr."
    yield 0, father
    yield 1, without(son, "email") if random.random() < 0.5 else son
    yield 0, without(father, "phone")


def shared_mailbox(random: Random) -> Iterator[tuple[int, Row]]:
    address = (
        random.choice(["info", "office", "sales", "family", "team", "praxis"])
        + f"@{random.choice(FAMILY).lower()}{random.randint(10, 999)}.com"
    )
    for number in range(random.randint(3, 12)):
        yield number, person(random) | {"email": address}


def switchboard(random: Random) -> Iterator[tuple[int, Row]]:
    number_of_firm = f"+4930{random.randint(1000000, 9999999)}"
    for number in range(random.randint(6, 25)):
        worker = person(random) | {"phone": number_of_firm}
        yield number, without(worker, "street", "postcode")
        if random.random() < 0.2:
            yield number, without(worker, "birth_date", "street")


def one_name_one_city(random: Random) -> Iterator[tuple[int, Row]]:
    given, family, city = random.choice(GIVEN_F), random.choice(FAMILY), random.choice(CITIES)
    births: set[str] = set()
    for number in range(200):
        row = person(random) | {"given_name": given, "family_name": family, "city": city}
        while row["birth_date"] in births:  # of two of one name, city and birthday nobody could tell
            row["birth_date"] = person(random)["birth_date"]
        births.add(row["birth_date"])
        row["email"] = f"{given}.{family}{number}@gmail.com".lower()
        kept = random.choice([("birth_date",), ("email",), ("phone",), ("street", "postcode"), ("birth_date", "phone"), ()])
        yield number, {name: row[name] for name in ("given_name", "family_name", "city", *kept)}


def numbered_mails(random: Random) -> Iterator[tuple[int, Row]]:
    given, family = random.choice(GIVEN_F), random.choice(FAMILY)
    first = random.randint(1, 9_000)
    for number in range(8):
        row = person(random) | {
            "given_name": given,
            "family_name": family,
            "email": f"{given}{family}{first + number}@gmail.com".lower(),
        }
        yield number, without(row, "phone", "street", "birth_date") if number % 2 else without(row, "phone", "street")


def recycled(random: Random) -> Iterator[tuple[int, Row]]:
    one, other = person(random), person(random)
    other["given_name"], other["family_name"] = (
        random.choice(GIVEN_M),
        random.choice([name for name in FAMILY if name != one["family_name"]]),
    )
    one["given_name"] = random.choice(GIVEN_F)
    if random.random() < 0.5:
        other["phone"] = one["phone"]
    else:
        one["accounts"] = other["accounts"] = {"x": f"handle_{random.randint(1000, 9999)}"}
    yield 0, one
    yield 1, other


def impersonator(random: Random) -> Iterator[tuple[int, Row]]:
    victim, rogue = person(random), person(random)
    rogue["given_name"] = random.choice(GIVEN_M if victim["given_name"] in GIVEN_F else GIVEN_F)
    yield 0, victim | {"accounts": {"x": f"{victim['given_name'].lower()}{random.randint(10, 99)}"}}
    yield 1, rogue | {"email": victim["email"], "accounts": {"x": f"rogue{random.randint(100, 999)}"}}
    yield 0, without(victim, "phone", "birth_date")


def transliterated(random: Random) -> Iterator[tuple[int, Row]]:
    pairs = [
        ("Юлия Иванова", "Yulia Ivanova"),
        ("Дмитрий Соколов", "Dmitry Sokolov"),
        ("Алексей Щербаков", "Alexey Shcherbakov"),
        ("Екатерина Волкова", "Ekaterina Volkova"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos"),
        ("Jürgen Müller", "Juergen Mueller"),
        ("Łukasz Wójcik", "Lukasz Wojcik"),
        ("Søren Kjær", "Soeren Kjaer"),
        ("François Lefèvre", "Francois Lefevre"),
        ("José Núñez", "Jose Nunez"),
        ("王伟", "Wang Wei"),
    ]
    row = person(random)
    native, latin = random.choice(pairs)
    rest = without(row, "given_name", "family_name")
    yield 0, without(rest, "email") | {"name": native}
    yield 0, without(rest, random.choice(["street", "phone"])) | {"name": latin}


def nickname(random: Random) -> Iterator[tuple[int, Row]]:
    full, short = random.choice(
        [
            ("William", "Bill"),
            ("Robert", "Bob"),
            ("Katharina", "Kathi"),
            ("Elizabeth", "Liz"),
            ("Alexander", "Sasha"),
            ("Margaret", "Peggy"),
        ]
    )
    row = person(random) | {"given_name": full}
    yield 0, row
    yield 0, without(row, random.choice(["email", "phone", "street"])) | {"given_name": short}


def swapped(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    yield 0, row
    yield 0, without(row, "email") | {"given_name": row["family_name"], "family_name": row["given_name"]}
    yield 0, without(row, "given_name", "family_name", "phone") | {"name": f"{row['family_name']}, {row['given_name']}"}


def spellings(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    local, _, domain = row["email"].partition("@")
    digits = row["phone"][3:]
    year, month, day = row["birth_date"].split("-")
    yield 0, row
    yield 0, without(row, "street", "birth_date") | {"phone": f"0{digits[:3]} / {digits[3:]}"}
    yield 0, without(row, "phone") | {"email": f"{local}+shop@{domain}".upper(), "birth_date": f"{day}.{month}.{year}"}
    yield 0, without(row, "email") | {"phone": f"0049 (0){digits}", "birth_date": f"{year}{month}{day}"}


def placeholders(random: Random) -> Iterator[tuple[int, Row]]:
    for number in range(6):
        row = person(random)
        yield (
            number,
            {
                "name": random.choice(["Unknown", "n/a", "Test User", f"{row['given_name']} {row['family_name']}"]),
                "email": random.choice(["none@none.com", "noemail@example.com", "n/a", ""]),
                "phone": random.choice(["0000000000", "1234567890", "-", "+49 000 0000000"]),
                "birth_date": random.choice(["1900-01-01", None, "0000-00-00"]),
                "city": random.choice(CITIES),
            },
        )


def wrong_types(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    yield 0, row
    yield (
        0,
        without(row, "email") | {"phone": int(row["phone"][1:]), "postcode": int(row["postcode"]), "accounts": "none", "email": ["x"]},
    )
    yield 1, {"name": {"first": "A"}, "email": 5, "birth_date": [], "accounts": [1]}


def misspelt(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    yield 0, row
    for _ in range(random.randint(1, 3)):
        copy = dict(row)
        for name in random.sample(["given_name", "family_name", "street", "city", "email"], 2):
            copy[name] = slip(copy[name], random)
        yield 0, without(copy, random.choice(["phone", "postcode", "birth_date"]))


SCENES: dict[str, tuple[Scene, int]] = {
    scene.__name__: (scene, count)
    for count, scenes in (
        (2, (one_name_one_city,)),
        (8, (switchboard,)),
        (15, (shared_mailbox, numbered_mails, placeholders)),
        (20, (wrong_types,)),
        (30, (family_on_one_phone, couple_on_one_phone)),
        (40, (twins, father_and_son, recycled, impersonator, transliterated, nickname, swapped, spellings)),
        (150, (misspelt,)),
    )
    for scene in scenes
}


_NOBODYS_DIGITS = 3  # different digits at most in what is made up, unlike a birthday or a numbered mail


def adversarial_suite(seed: int, scenes: dict[str, tuple[Scene, int]] | None = None) -> tuple[list[Row], dict[str, str]]:
    """Return shuffled records and the person of each record id."""
    random = Random(seed)
    rows: list[Row] = []
    truth: dict[str, str] = {}
    proofs: set[tuple[str, object]] = set()
    for name, (scene, count) in (scenes or SCENES).items():
        for number in range(count):
            people = [*scene(random)]
            while proofs & (shown := {proof for _, row in people for proof in _proofs(row)}):
                people = [*scene(random)]  # of two of one name and one birthday, mail or postcode by chance nobody could tell
            proofs |= shown
            for who, row in people:
                row_id = f"{name}-{number}-{len(rows)}"
                truth[row_id] = f"{name}-{number}-{who}"
                rows.append({"id": row_id, **row})
    random.shuffle(rows)
    return rows, truth


def _proofs(row: Row) -> Iterator[tuple[str, object]]:
    """Return what makes any reader take two records for one person: a name and something beside it."""
    name = str(row.get("name") or "") or " ".join(str(row.get(part, "")).partition(" ")[0] for part in ("given_name", "family_name"))
    known = [row.get(kind) for kind in ("birth_date", "email", "postcode")] if name.strip() else []
    return ((name, value) for value in known if isinstance(value, str) and len({*filter(str.isdigit, value)}) > _NOBODYS_DIGITS)
