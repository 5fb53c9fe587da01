"""A second suite of people made to be confused: other kinds, other scripts, other countries than the first one's.

Written after the weights were set and kept apart from the first suite, so that it says how the engine fares with what it was not made for.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from support.identity_adversary import FAMILY, GIVEN_F, GIVEN_M, Row, Scene, person, slip, without

_TITLES = ["Dr. ", "Prof. Dr. ", "Mr ", "Mrs. ", "Ms ", "Herr ", "Frau ", "Sir ", "Dipl.-Ing. "]
_SCRIPTS = [
    ("محمد الحسيني", "Mohammed Al-Husseini"),
    ("דוד כהן", "David Cohen"),
    ("Наталья Кузнецова", "Natalia Kuznetsova"),
    ("Ελένη Δημητρίου", "Eleni Dimitriou"),
    ("김민수", "Kim Minsu"),
    ("Борис Петров", "Boris Petrov"),
    ("Ганна Шевченко", "Hanna Shevchenko"),
    ("Đorđe Jovanović", "Djordje Jovanovic"),
    ("Zoë Brontë", "Zoe Bronte"),
    ("Åsa Öberg", "Asa Oberg"),
    ("Ağrı Çelik", "Agri Celik"),
    ("Nguyễn Thị Hương", "Nguyen Thi Huong"),
    ("Siân Llŷr", "Sian Llyr"),
]
_NICKNAMES = [
    ("Margaret", "Maggie"),
    ("Richard", "Dick"),
    ("Elisabeth", "Lisa"),
    ("Johannes", "Hannes"),
    ("Friedrich", "Fritz"),
    ("Francisco", "Paco"),
    ("Giuseppe", "Beppe"),
    ("Aleksandra", "Ola"),
    ("Michael", "Mike"),
    ("Jennifer", "Jenny"),
    ("Christopher", "Chris"),
    ("Dmitry", "Dima"),
    ("Maria", "Mia"),
    ("Anthony", "Tony"),
    ("Theodore", "Ted"),
    ("Catherine", "Kate"),
]
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_OFFICES = "kontakt support hello contact mail service admin buchhaltung noreply webmaster hr contacto".split()
_PHONES = [("+44", "0", 10), ("+1", "", 10), ("+33", "0", 9), ("+39", "", 10), ("+61", "0", 9), ("+91", "0", 10), ("+34", "", 9)]


def titles(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    rest = without(row, "given_name", "family_name")
    yield 0, rest | {"name": f"{row['given_name']} {row['family_name']}"}
    yield 0, without(rest, "email") | {"name": f"{random.choice(_TITLES)}{row['given_name']} {row['family_name']}"}
    yield 0, without(rest, "phone", "street") | {"name": f"{row['family_name'].upper()}, {row['given_name']}"}


def married(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random) | {"given_name": random.choice(GIVEN_F)}
    new = random.choice([name for name in FAMILY if name != row["family_name"]])
    later = row | {"family_name": new if random.random() < 0.5 else f"{row['family_name']}-{new}"}
    yield 0, row
    yield 0, without(later, "street", "postcode", "city") if random.random() < 0.5 else without(later, "email")


def dates_turned(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    year, month, day = row["birth_date"].split("-")
    yield 0, row
    yield 0, without(row, "email") | {"birth_date": f"{year}-{day}-{month}" if int(day) <= 12 else f"{month}/{day}/{year}"}
    yield (
        0,
        without(row, "phone") | {"birth_date": f"{int(day)} {_MONTHS[int(month) - 1]} {year}"},
    )


def post_office_boxes(random: Random) -> Iterator[tuple[int, Row]]:
    """Strangers behind one post office's boxes."""
    first = person(random)
    for number in range(random.randint(3, 8)):
        yield number, person(random) | {"street": f"PO Box {random.randint(1, 90)}", "city": first["city"], "postcode": first["postcode"]}


def generations(random: Random) -> Iterator[tuple[int, Row]]:
    """Grandfather, father and son of one name at one address and on one phone."""
    home = person(random) | {"given_name": random.choice(GIVEN_M)}
    year = random.randint(1930, 1945)
    for number, suffix in enumerate(random.choice([("Sr.", "Jr.", "III"), ("Senior", "Junior", "3rd"), ("", "II", "III")])):
        row = home | {
            "birth_date": f"{year + 27 * number}{person(random)['birth_date'][4:]}",
            "family_name": f"{home['family_name']} {suffix}".strip(),
        }
        yield number, without(row, "email")


def numbered_handles(random: Random) -> Iterator[tuple[int, Row]]:
    stem = random.choice(GIVEN_M).lower()
    for number in range(6):
        row = person(random) | {"given_name": stem.title(), "accounts": {"x": f"{stem}{random.randint(1000, 999999)}{number}"}}
        yield number, without(row, "email", "phone", "street", "birth_date")


def one_handle_two_channels(random: Random) -> Iterator[tuple[int, Row]]:
    """The same handle on different channels is no evidence at all."""
    handle = f"{random.choice(GIVEN_F).lower()}_{random.randint(1, 9)}"
    yield 0, without(person(random), "email", "phone") | {"accounts": {"x": handle}}
    yield 1, without(person(random), "email", "phone") | {"accounts": {"github": handle}}


def offices(random: Random) -> Iterator[tuple[int, Row]]:
    address = f"{random.choice(_OFFICES)}@firm{random.randint(1, 9999)}.com"
    for number in range(random.randint(2, 7)):
        yield number, without(person(random), "phone", "street", "birth_date") | {"email": address}


def junk_phones(random: Random) -> Iterator[tuple[int, Row]]:
    junk = random.choice(
        ["0000000", "1234567", "+1 555 555 5555", "999999999", "111-111-1111", "0123456789", "12345678", "+490000000000", "00000"]
    )
    for number in range(4):
        yield number, without(person(random), "email", "street") | {"phone": junk}


def throw_away(random: Random) -> Iterator[tuple[int, Row]]:
    domain = random.choice(["mailinator.com", "guerrillamail.com", "10minutemail.com", "trashmail.com", "yopmail.com"])
    for number in range(3):
        yield number, without(person(random), "phone", "street", "birth_date") | {"email": f"{random.choice(['a', 'test', 'x1'])}@{domain}"}


def test_mails(random: Random) -> Iterator[tuple[int, Row]]:
    junk = random.choice(
        ["test@test.com", "asdf@asdf.com", "a@a.com", "none@none.com", "null@null.com", "user@example.com", "na@na.com", "email@email.com"]
    )
    for number in range(4):
        yield number, without(person(random), "phone", "street", "birth_date") | {"email": junk}


def empties(random: Random) -> Iterator[tuple[int, Row]]:
    for number in range(5):
        yield (
            number,
            {
                "name": "",
                "email": "  ",
                "phone": "",
                "birth_date": " ",
                "city": random.choice(["Leeds", ""]),
                "accounts": {"x": ""},
                "street": "-",
            },
        )


def nested_junk(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    yield 0, row | {"accounts": {"x": ["a"], "github": {"login": "b"}, "forum": None}}
    yield (
        0,
        without(row, "street")
        | {
            "email": {"address": row["email"]},
            "given_name": [row["given_name"]],
            "name": f"{row['given_name']} {row['family_name']}",
            "extra": [1, {"a": 2}],
        },
    )
    yield 1, {"name": [["deep"]], "phone": {"a": {"b": 1}}, "birth_date": 19700101.5, "accounts": [{"x": "y"}], "email": True}
    yield 2, {"name": 7, "phone": 1.5, "birth_date": None, "accounts": "x", "email": 0}


def scripts(random: Random) -> Iterator[tuple[int, Row]]:
    native, latin = random.choice(_SCRIPTS)
    rest = without(person(random), "given_name", "family_name")
    yield 0, without(rest, random.choice(["email", "street"])) | {"name": native}
    yield 0, without(rest, random.choice(["phone", "postcode"])) | {"name": latin}


def countries(random: Random) -> Iterator[tuple[int, Row]]:
    prefix, trunk, digits = random.choice(_PHONES)
    row = person(random)
    national = str(random.randint(2 * 10 ** (digits - 1), 9 * 10 ** (digits - 1)))
    yield 0, row | {"phone": f"{prefix} {national[:3]} {national[3:6]} {national[6:]}"}
    yield 0, without(row, "email", "street") | {"phone": f"{trunk}{national[:4]}-{national[4:]}"}
    yield 0, without(row, "birth_date", "street") | {"phone": f"({trunk}{national[:3]}) {national[3:]}"}


def more_nicknames(random: Random) -> Iterator[tuple[int, Row]]:
    full, short = random.choice(_NICKNAMES)
    row = person(random) | {"given_name": full}
    yield 0, row
    yield 0, without(row, random.choice(["email", "phone", "street", "birth_date"])) | {"given_name": short}


def initials(random: Random) -> Iterator[tuple[int, Row]]:
    """A man and his initial are one; his brother of the same initial at the same address is not."""
    one = person(random) | {"given_name": "Thomas"}
    brother = one | {
        "given_name": "Tobias",
        "birth_date": f"{int(one['birth_date'][:4]) + 3}{person(random)['birth_date'][4:]}",
        "email": person(random)["email"],
    }
    yield 0, one
    yield 0, without(one, "street") | {"given_name": "T."}
    yield 1, without(brother, "phone")


def double_names(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    other = random.choice(GIVEN_F)
    yield 0, row | {"given_name": f"{row['given_name']} {other}"}
    yield 0, without(row, "phone")
    yield 0, without(row, "email") | {"given_name": f"{row['given_name']}-{other}"}


def colleagues(random: Random) -> Iterator[tuple[int, Row]]:
    """Three of one name and of three ages in one firm, at the firm's address and number."""
    firm = person(random)
    given, family = random.choice(GIVEN_M), random.choice(FAMILY)
    for number, local in enumerate((f"{given}.{family}", f"{given[0]}.{family}", f"{given}.{family}2")):
        row = person(random) | {name: firm[name] for name in ("phone", "street", "city", "postcode")}
        row["birth_date"] = f"{1950 + 18 * number}{row['birth_date'][4:]}"
        yield number, row | {"given_name": given, "family_name": family, "email": f"{local}@firm{firm['postcode']}.com".lower()}


def flatmates(random: Random) -> Iterator[tuple[int, Row]]:
    home = person(random)
    for number, family in enumerate(random.sample(FAMILY, random.randint(3, 5))):
        yield number, person(random) | {"family_name": family} | {name: home[name] for name in ("street", "city", "postcode", "phone")}


def block_of_flats(random: Random) -> Iterator[tuple[int, Row]]:
    home, family = person(random), random.choice(FAMILY)
    for number, given in enumerate(random.sample(GIVEN_F + GIVEN_M, 12)):
        row = person(random) | {"given_name": given} | {name: home[name] for name in ("city", "postcode")}
        yield (
            number,
            without(row, "email", "phone")
            | {"street": f"{home['street']} Apt {number + 1}", "family_name": family if number % 3 == 0 else row["family_name"]},
        )


def sisters(random: Random) -> Iterator[tuple[int, Row]]:
    """Sisters of like names, a year or two apart, sharing a mailbox."""
    first = person(random)
    for number, given in enumerate(
        random.choice([("Anna", "Hannah"), ("Julia", "Juliane"), ("Marta", "Marla"), ("Elena", "Helena"), ("Clara", "Lara")])
    ):
        birth = f"{int(first['birth_date'][:4]) + 3 * number}-{1 + number * 6:02}-{random.randint(1, 9) + 13 * number:02}"
        yield number, first | {"given_name": given, "birth_date": birth}


def born_on_one_day(random: Random) -> Iterator[tuple[int, Row]]:
    """Strangers of one family name who happen to share a birthday."""
    first = person(random)
    for number, given in enumerate(random.sample(GIVEN_F, 2) + random.sample(GIVEN_M, 2)):
        yield number, person(random) | {"given_name": given, "family_name": first["family_name"], "birth_date": first["birth_date"]}


def moved(random: Random) -> Iterator[tuple[int, Row]]:
    row, new = person(random), person(random)
    yield 0, row
    yield 0, without(row, "email") | {name: new[name] for name in ("street", "city", "postcode")}
    yield 0, row | {"phone": new["phone"], "email": row["email"].replace("@", f"+{random.choice(['news', 'x'])}@")}


def recycled_mail(random: Random) -> Iterator[tuple[int, Row]]:
    one, other = person(random) | {"given_name": random.choice(GIVEN_F)}, person(random) | {"given_name": random.choice(GIVEN_M)}
    other["family_name"] = random.choice([name for name in FAMILY if name != one["family_name"]])
    yield 0, one
    yield 1, other | {"email": one["email"]}


def contradicted_handle(random: Random) -> Iterator[tuple[int, Row]]:
    """A handle alone joins; name, birth and contacts that contradict outweigh it."""
    handle = f"kit{random.randint(1000, 99999)}"
    one, other = person(random) | {"given_name": random.choice(GIVEN_F)}, person(random) | {"given_name": random.choice(GIVEN_M)}
    other["family_name"] = random.choice([name for name in FAMILY if name != one["family_name"]])
    yield 0, one | {"accounts": {"x": handle}}
    yield 0, {"accounts": {"x": f"@{handle.upper()}"}, "given_name": one["given_name"], "family_name": one["family_name"]}
    yield 1, other | {"accounts": {"x": handle}}


def name_and_city_alone(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    for number in range(4):
        yield (
            number,
            {name: row[name] for name in ("given_name", "family_name", "city")} | ({"country": "DE", "region": "BE"} if number % 2 else {}),
        )


def heavily_misspelt(random: Random) -> Iterator[tuple[int, Row]]:
    row = person(random)
    yield 0, row
    for _ in range(2):
        copy = dict(row)
        for name in random.sample(["given_name", "family_name", "street", "city", "email", "phone"], 3):
            copy[name] = slip(copy[name], random)
        yield 0, copy


MORE_SCENES: dict[str, tuple[Scene, int]] = {
    scene.__name__: (scene, count)
    for count, scenes in (
        (10, (numbered_handles, empties, nested_junk, block_of_flats, name_and_city_alone)),
        (20, (post_office_boxes, offices, junk_phones, throw_away, test_mails, colleagues, flatmates, born_on_one_day, generations)),
        (40, (titles, married, dates_turned, one_handle_two_channels, scripts, countries, more_nicknames, initials, double_names)),
        (40, (sisters, moved, recycled_mail, contradicted_handle)),
        (80, (heavily_misspelt,)),
    )
    for scene in scenes
}
