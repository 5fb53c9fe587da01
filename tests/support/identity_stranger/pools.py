"""The names, places and numbers that the stranger's suite draws from.

Owns: plain word lists and the ways people write one phone number, one mail address, one birth date.
Must not: look at the engine or its lists; they were written from the issue and the contract alone.
"""

from __future__ import annotations

import random
import unicodedata

GIVEN = {
    "en": (
        "James Robert John Michael David William Richard Joseph Thomas Charles Daniel Matthew Anthony Mark Steven Andrew "
        "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Donna Nancy Margaret Sandra Ashley Emily"
    ).split(),
    "de": "Hans Peter Klaus Jürgen Stefan Wolfgang Björn Anna Ursula Sabine Petra Käthe Heike Günter Jörg Lena".split(),
    "fr": "Jean Pierre François Hélène René Chloé Élodie Benoît Camille Amélie Jérôme Sylvie Thérèse Hugo".split(),
    "es": "José María Jesús Carmen Antonio Manuel Lucía Álvaro Sofía Íñigo Begoña Raúl Inés Martín".split(),
    "in": "Rajesh Priya Amit Sunita Vikram Ananya Deepak Kavita Arjun Lakshmi Sanjay Meera Rohan Pooja".split(),
    "tr": "Mehmet Ayşe Çağla Özgür Işıl Şükrü Emre Zeynep Gülşen Oğuz".split(),
    "pl": "Paweł Łukasz Małgorzata Zofia Stanisław Bożena Grażyna Michał Wojciech Agnieszka".split(),
    "br": "João Conceição Luís Fátima Antônio Márcia Sérgio Letícia Otávio Patrícia".split(),
}
FAMILY = {
    "en": (
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Thomas Moore Martin Jackson Thompson White "
        "Harris Clark Lewis Walker Hall Young King Wright Hill Green Baker Nelson Carter Mitchell Turner Parker Ashdown "
        "Fairweather Holloway Pemberton Quillfeather Ravenscroft Tolliver Winterbourne Yarborough Oglethorpe"
    ).split(),
    "de": "Müller Schmidt Schröder Köhler Weiß Jäger Großmann Keller Fürst Böhm Krüger Vogel Hübner Zimmermann".split(),
    "fr": "Lefèvre Dubois Gauthier Bérard Fournier Noël Chevalier Rousseau Bélanger Marchand".split(),
    "es": "García Muñoz Ibáñez Rodríguez Núñez Peña Fernández Castaño Gutiérrez Domínguez".split(),
    "in": "Sharma Patel Iyer Banerjee Chaudhary Krishnan Deshpande Mukherjee Nair Reddy".split(),
    "tr": "Yılmaz Öztürk Şahin Çelik Güneş Kılıç Aydın Doğan".split(),
    "pl": "Wójcik Kowalczyk Dąbrowski Zieliński Szymański Woźniak Kozłowski Jabłoński".split(),
    "br": "Gonçalves Araújo Magalhães Simões Conceição Brandão Leitão Assunção".split(),
}
CULTURE_COUNTRY = {"en": "US", "de": "DE", "fr": "FR", "es": "ES", "in": "IN", "tr": "TR", "pl": "PL", "br": "BR"}
CITIES = {
    "US": "Springfield Columbus Denver Portland Austin Boston Tucson Fresno".split(),
    "GB": "Leeds Bristol Cardiff Glasgow London York".split(),
    "DE": "Köln Berlin München Leipzig Nürnberg Göttingen".split(),
    "FR": "Paris Lyon Orléans Nîmes Lille".split(),
    "ES": "Madrid Málaga Sevilla Cádiz".split(),
    "IN": "Mumbai Pune Chennai Delhi".split(),
    "TR": "İstanbul Ankara İzmir".split(),
    "PL": "Kraków Łódź Gdańsk Warszawa".split(),
    "BR": "Brasília Curitiba Niterói".split(),
    "RU": ["Moscow", "Kazan"],
}
COUNTRY_WORDS = {
    "US": ("US", "USA", "United States", "us"),
    "GB": ("GB", "UK", "United Kingdom"),
    "DE": ("DE", "Germany", "Deutschland", "de"),
    "FR": ("FR", "France"),
    "ES": ("ES", "Spain", "España"),
    "IN": ("IN", "India"),
    "TR": ("TR", "Turkey", "Türkiye"),
    "PL": ("PL", "Poland", "Polska"),
    "BR": ("BR", "Brazil", "Brasil"),
    "RU": ("RU", "Russia"),
}
STREETS = "Oak Elm Maple Mill Church High Station Park Lake Hill Garden River Bridge Forest Queen Linden Rosen".split()
STREET_KIND = (("Street", "St"), ("Road", "Rd."), ("Avenue", "Ave"), ("Lane", "Ln"), ("Drive", "Dr"))

NICKNAMES = (
    ("Robert", "Bob"), ("William", "Bill"), ("Elizabeth", "Liz"), ("Margaret", "Peggy"), ("Richard", "Dick"),
    ("James", "Jim"), ("Katherine", "Kate"), ("Michael", "Mike"), ("Jennifer", "Jenny"), ("Anthony", "Tony"),
    ("Edward", "Ted"), ("Theodore", "Teddy"), ("Charles", "Chuck"), ("Alexander", "Sasha"), ("Rebecca", "Becky"),
    ("Susan", "Sue"), ("Christopher", "Chris"), ("Deborah", "Debbie"), ("Francisco", "Paco"), ("José", "Pepe"),
    ("Guadalupe", "Lupe"), ("Johannes", "Hannes"), ("Wilhelm", "Willi"), ("Giuseppe", "Beppe"), ("Aleksandr", "Sasha"),
    ("Ekaterina", "Katya"), ("Dmitri", "Dima"), ("Nicholas", "Nick"), ("Joseph", "Joe"), ("Patricia", "Trish"),
)  # fmt: skip
TRANSLITERATED = (
    (("Юлия", "Иванова"), ("Yulia", "Ivanova"), ("Julia", "Iwanowa")),
    (("Сергей", "Щербаков"), ("Sergey", "Shcherbakov"), ("Sergei", "Scherbakov")),
    (("Дмитрий", "Ковалёв"), ("Dmitry", "Kovalyov"), ("Dmitri", "Kovalev")),
    (("Екатерина", "Жукова"), ("Ekaterina", "Zhukova"), ("Yekaterina", "Jukova")),
    (("Олександр", "Шевченко"), ("Oleksandr", "Shevchenko"), ("Alexander", "Schewtschenko")),
    (("Γιώργος", "Παπαδόπουλος"), ("Giorgos", "Papadopoulos"), ("Yiorgos", "Papadopoulos")),
    (("Ελένη", "Χριστοδούλου"), ("Eleni", "Christodoulou"), ("Eleni", "Hristodoulou")),
    (("محمد", "الحسن"), ("Mohammed", "Al-Hassan"), ("Muhammad", "Alhasan")),
    (("فاطمة", "الزهراء"), ("Fatima", "Al-Zahra"), ("Fatimah", "Alzahra")),
    (("伟", "王"), ("Wei", "Wang"), ("Wei", "Wang")),
    (("秀英", "张"), ("Xiuying", "Zhang"), ("Xiu Ying", "Zhang")),
    (("さくら", "たなか"), ("Sakura", "Tanaka"), ("Sakura", "Tanaka")),
    (("민준", "김"), ("Minjun", "Kim"), ("Min-jun", "Kim")),
    (("राजेश", "शर्मा"), ("Rajesh", "Sharma"), ("Rajesh", "Sharma")),
    (("יעל", "כהן"), ("Yael", "Cohen"), ("Yael", "Kohen")),
    (("Jürgen", "Großmüller"), ("Juergen", "Grossmueller"), ("Jurgen", "Grosmuller")),
    (("Łukasz", "Wójcik"), ("Lukasz", "Wojcik"), ("Lukas", "Wojcik")),
    (("Søren", "Kjærgaard"), ("Soeren", "Kjaergaard"), ("Soren", "Kjaergard")),
    (("Çağla", "Yılmaz"), ("Cagla", "Yilmaz"), ("Çagla", "Yilmaz")),
    (("Nguyễn", "Văn Đức"), ("Nguyen", "Van Duc"), ("Nguyen", "Vanduc")),
)
TWINS = (
    ("Anna", "Anne"), ("Lea", "Lena"), ("Ethan", "Evan"), ("Jayden", "Kayden"), ("Lisa", "Lina"), ("Tim", "Tom"),
    ("Jan", "Jana"), ("Daniel", "Daniela"), ("Oliver", "Olivia"), ("Leon", "Levi"), ("Ella", "Emma"), ("Paul", "Paula"),
    ("Amy", "Ann"), ("Mia", "Pia"), ("Sara", "Laura"), ("Francis", "Frances"), ("Eric", "Erik Jan"), ("Louis", "Louise"),
)  # fmt: skip
BLANKS = ("", " ", "-", "n/a", "N/A", "null", "NULL", "none", "None", "unknown", "Unbekannt", "?", "undefined", "nan", "xxx", "TBD")
BLANK_MAILS = ("none@none.com", "test@test.com", "noreply@example.com", "no-reply@shop.example.org", "n/a", "unknown@unknown.com",
               "noemail@noemail.com", "a@a.com", "asdf@asdf.com", "nomail@nomail.de", "example@example.com")  # fmt: skip
BLANK_PHONES = ("0000000000", "1111111111", "1234567890", "+10000000000", "999-999-9999", "0", "000", "n/a", "+49 000 0000000")
BLANK_BIRTHS = ("1900-01-01", "0000-00-00", "1970-01-01", "9999-12-31", "01/01/1900", "1111-11-11", "1900-01-01T00:00:00Z")

_PHONE = {
    "US": ("1", ("415", "212", "303", "617", "512", "206"), 7, ""),
    "GB": ("44", ("7400", "7711", "7862", "7973"), 6, "0"),
    "DE": ("49", ("151", "160", "170", "176"), 8, "0"),
    "FR": ("33", ("6", "7"), 8, "0"),
    "ES": ("34", ("61", "65", "69"), 7, ""),
    "IN": ("91", ("98", "97", "99"), 8, "0"),
    "TR": ("90", ("532", "505", "543"), 7, "0"),
    "PL": ("48", ("50", "60", "69"), 7, ""),
    "BR": ("55", ("119", "219", "619"), 8, "0"),
    "RU": ("7", ("903", "916", "926"), 7, "8"),
}


def draw_phone(rng: random.Random, country: str) -> str:
    """A plausible mobile number, E.164."""
    code, areas, count, _ = _PHONE[country]
    body = str(rng.randint(2, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(count - 1))
    return f"+{code}{rng.choice(areas)}{body}"


def spell_phone(rng: random.Random, phone: str, country: str) -> str:
    """One of the ways people write an E.164 number: with or without prefix, grouped or not."""
    code, _, _, trunk = _PHONE[country]
    national = phone[1 + len(code) :]
    grouped = f"{national[:3]} {national[3:6]} {national[6:]}".strip()
    dashed = f"{national[:3]}-{national[3:6]}-{national[6:]}"
    return rng.choice(
        (
            phone,
            f"+{code} {grouped}",
            f"00{code}{national}",
            f"00{code} {grouped}",
            f"+{code} ({trunk or national[0]}){national if trunk else national[1:]}" if trunk == "0" else f"+{code}-{dashed}",
            f"{trunk}{national}",
            f"{trunk}{grouped}",
            f"({trunk}{national[:3]}) {national[3:]}",
            f"{trunk}{dashed}",
            f"tel:{phone}",
        )
    )


def spell_birth(rng: random.Random, birth: str) -> str:
    """An ISO date or another unambiguous spelling of it."""
    year, month, day = birth.split("-")
    names = "January February March April May June July August September October November December".split()
    word = names[int(month) - 1]
    return rng.choice(
        (
            birth,
            birth,
            year + month + day,
            f"{year}/{month}/{day}",
            f"{int(day)} {word} {year}",
            f"{word[:3]} {int(day)}, {year}",
            f"{birth}T00:00:00Z",
        )
    )


def misspell(rng: random.Random, text: str) -> str:
    """One keyboard slip inside a word of four letters or more: dropped, doubled, swapped or replaced."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    return rng.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            text[:at] + rng.choice("aeiorstn") + text[at + 1 :],
        )
    )


def plain(text: str) -> str:
    """ASCII letters of a Latin text, lower case: what stands in a mail address."""
    table = str.maketrans({"ß": "ss", "ł": "l", "Ł": "l", "ı": "i", "ø": "o", "æ": "ae"})
    decomposed = unicodedata.normalize("NFD", text.translate(table))
    return "".join(mark for mark in decomposed if mark.isascii()).lower().replace(" ", "")
