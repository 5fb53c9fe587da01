"""How names sound in any script, how whole names fall apart, and what mails made of names say."""

from __future__ import annotations

import numpy as np
import pytest

from earshot_crm_sync.identity.offline import mails, sounds, spelling
from earshot_crm_sync.identity.offline.beside import unrelated_beside
from earshot_crm_sync.identity.offline.columns import columns_of
from earshot_crm_sync.identity.offline.levels import name_table
from earshot_crm_sync.identity.offline.nearest import has_nearer
from earshot_crm_sync.identity.offline.tables import Level
from earshot_crm_sync.identity.stream_score import name_level


def _folded(name: str) -> str:
    return spelling.name_parts("", name, "x")[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kovalyov", "Kovalev"),
        ("Zhukova", "Jukova"),
        ("Schewtschenko", "Shevchenko"),
        ("Yulia", "Юлия"),
        ("Yiorgos", "Γιώργος"),
        ("Papadopoulos", "Παπαδόπουλος"),
        ("Grossmueller", "Großmuller"),
        ("Jihoon", "지훈"),
    ],
)
def test_ways_to_romanise_a_name_sound_alike(one: str, other: str) -> None:
    assert sounds.firm_sound(_folded(one)) == sounds.firm_sound(_folded(other))


def test_other_names_sound_otherwise() -> None:
    assert sounds.firm_sound("tim") != sounds.firm_sound("tom")
    assert sounds.firm_sound("keller") != sounds.firm_sound("koehler")


@pytest.mark.parametrize(
    ("native", "latin"),
    [("يوسف", "Yusuf"), ("خالد", "Khaled"), ("فاطمة", "Fatimah"), ("שרה", "Sarah"), ("כהן", "Cohen"), ("אברהם", "Abraham"), ("צבי", "Zvi")],
)
def test_names_without_vowels_meet_by_their_consonants(native: str, latin: str) -> None:
    assert sounds.lacks_vowels(_folded(native))
    assert name_level(_folded(native), _folded(latin)) == Level.CLOSE
    assert name_level(_folded(native), "robert") < Level.CLOSE


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Clara Wieland-Osterkamp", ("clara", "wieland osterkamp", "")),
        ("anna.keller", ("anna", "keller", "")),
        ("KELLER Anna", ("anna", "keller", "")),
        ("KELLER ANNA", ("keller", "anna", "")),
        ("Ö. Yılmaz", ("o", "yilmaz", "")),
        ("박지훈", ("jihun", "park", "")),
        ("김 민수", ("minsu", "kim", "")),
        ("张伟", ("wei", "zhang", "")),
        ("von Stein, Ulrike", ("ulrike", "von stein", "")),
        ("Robert Ellison, Jr.", ("robert", "ellison", "jr")),
        ("Erin Rowe, M.D., PhD", ("erin", "rowe", "")),
        ("Autohaus Groß GmbH", ("autohaus", "gross", "")),
        ("田中太郎", ("taro", "tanaka", "")),
        ("佐々木 さくら", ("sakura", "sasaki", "")),
        ("すずきはなこ", ("hanako", "suzuki", "")),
        ("林小明", ("xiaoming", "lin", "")),
        ("欧阳雪", ("xue", "ouyang", "")),
        ("Nguyễn Văn Đức", ("van duc", "nguyen", "")),
        ("Anna\u00a0Keller", ("anna", "keller", "")),
        ("moon_river36", ("", "", "")),
    ],
)
def test_whole_names_fall_apart(whole: str, parts: tuple[str, str, str]) -> None:
    assert spelling.name_parts(whole, "", "") == parts


def test_two_names_that_exist_are_no_misspellings_and_translations_no_nicknames() -> None:
    assert name_level("robert", "bob") == Level.CLOSE
    assert name_level("john", "hans") == Level.ALIAS
    assert name_level("baker", "parker") == Level.DIFFERENT
    assert name_level("nele", "jule") == Level.DIFFERENT


@pytest.mark.parametrize(
    ("found", "one", "other", "expected"),
    [
        pytest.param(Level.CLOSE, "paul.turner@gmail.com", "paula.turner@gmail.com", Level.DIFFERENT, id="both are names"),
        pytest.param(Level.CLOSE, "paula.turner@gmail.com", "paula.tunrer@gmail.com", Level.CLOSE, id="a slip"),
        pytest.param(Level.ALIAS, "paula.turner1987@gmail.com", "paula.turner1987@web.de", Level.MISSING, id="a year says little"),
        pytest.param(Level.ALIAS, "paula.turner58213@gmail.com", "paula.turner58213@web.de", Level.ROUGH, id="a long number says more"),
        pytest.param(Level.CLOSE, "paula.turner3@firm3.com", "paula.turner33@gmail.com", Level.DIFFERENT, id="another number elsewhere"),
        pytest.param(Level.MISSING, "paula.turner@firm.com", "paula.turner2@firm.com", Level.DIFFERENT, id="counted by one domain"),
        pytest.param(Level.MISSING, "paula.turner@firm.com", "paula.turner.2@firm.com", Level.DIFFERENT, id="counted with a dot"),
        pytest.param(Level.CLOSE, "paula.turner@web.de", "paulaturner@web.de", Level.MISSING, id="a dot is no slip in a name"),
    ],
)
def test_mails_of_two_of_one_name(found: Level, one: str, other: str, expected: Level) -> None:
    assert mails.level(found, (one, "paula", "turner"), (other, "paula", "turner"), alike=True) == expected


def test_a_mailbox_called_by_the_whole_name_of_a_nickname_tells_nothing_more_elsewhere() -> None:
    liz = ("liz", "taylor")
    mine, theirs = ((f"elizabeth.taylor@{provider}", *liz) for provider in ("gmail.com", "yahoo.com"))
    assert mails.level(Level.ALIAS, mine, theirs, alike=True) == Level.MISSING


@pytest.mark.parametrize(
    ("text", "name", "nearer"),
    [("claara", "laura", True), ("claara", "clara", False), ("xyzzy", "laura", False)],
)
def test_a_misspelt_name_is_the_nearest_ones(text: str, name: str, nearer: bool) -> None:
    assert has_nearer(text, name) == nearer


def test_a_mailbox_called_after_two() -> None:
    assert mails.names_both("hans.and.john12@aol.com", "hans", "john", ("jager", "brown"))
    assert not mails.names_both("bob.roberts@aol.com", "bob", "robert", ("roberts", "roberts"))
    assert not mails.names_both("hans@aol.com", "hans", "johann", ("jager", "jager"))


def test_a_series_of_addresses_is_seen() -> None:
    columns = columns_of({"email": address} for address in [*(f"user{n}@shop.de" for n in range(1, 7)), "anna7@shop.de", "ben@shop.de"])
    assert mails.serial(columns.vocabularies["email"]).tolist() == [True] * 6 + [False] * 2


def test_people_who_have_nothing_to_do_with_each_other_are_counted_beside_a_value() -> None:
    mailboxes = {
        "married@x.org": ["Ines Munoz", "Ines Fernandez"],
        "misspelt@x.org": ["Ines Munoz", "Imes Munos", "Munoz Ines"],
        "desk@x.org": ["Ines Munoz", "Wolfgang Schmidt", "Petra Schmidt", "Igor Belov"],
        "own@x.org": ["Ines Munoz"],
    }
    columns = columns_of({"email": mail, "name": name} for mail, names in mailboxes.items() for name in names)
    counts = unrelated_beside(columns.codes["email"], columns, name_table(columns))
    np.testing.assert_array_equal(counts, [1, 1, 3, 1])
