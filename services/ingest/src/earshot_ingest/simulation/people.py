"""The people of the community: what they are called, where they write, under which names; and the brands with their accounts.

Owns the truth about who is who. Some people look alike on purpose (same name, shared phone): they are not the same.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from earshot_ingest.simulation.grammar import pick

NAMES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "en": (
        ("Ada", "Alice", "Amir", "Ben", "Carol", "Chloe", "Daniel", "Ella", "Finn", "Grace", "Hannah", "Isaac", "Jack", "Jasmine", "Kate",
         "Leo", "Maya", "Noah", "Olivia", "Priya", "Quinn", "Rosa", "Sam", "Tariq", "Uma", "Victor", "Wendy", "Xander", "Yara", "Zoe"),
        ("Abbott", "Baker", "Carter", "Dawson", "Ellis", "Foster", "Gill", "Hughes", "Iyer", "Jones", "Khan", "Lewis", "Mills", "Novak",
         "Okafor", "Patel", "Quill", "Reed", "Shah", "Turner", "Underwood", "Vance", "Walker", "Young", "Zimmer"),
    ),
    "de": (
        ("Anna", "Bernd", "Clara", "Dirk", "Eva", "Felix", "Greta", "Heike", "Jonas", "Katrin", "Lukas", "Meike", "Nils", "Sabine", "Uwe"),
        ("Bauer", "Fischer", "Hoffmann", "Kaiser", "Krüger", "Lang", "Müller", "Richter", "Schäfer", "Vogel", "Weiß", "Zimmermann"),
    ),
    "fr": (
        ("Amélie", "Bruno", "Camille", "Didier", "Élodie", "Gaspard", "Hélène", "Jules", "Léa", "Mathieu", "Noémie", "Rémi"),
        ("Bernard", "Chevalier", "Dubois", "Fontaine", "Girard", "Lambert", "Moreau", "Petit", "Rousseau", "Simon"),
    ),
    "es": (
        ("Alba", "Bruno", "Carmen", "Diego", "Elena", "Iker", "Lucía", "Mateo", "Nuria", "Pablo", "Rocío", "Sergio"),
        ("Castro", "Delgado", "Fernández", "García", "Herrera", "López", "Muñoz", "Ortega", "Ramos", "Vidal"),
    ),
}  # fmt: skip
CHANNELS: Final = ("twitter", "forum", "mail", "chat", "appstore")
_CHANNEL_WEIGHTS: Final = (0.40, 0.30, 0.12, 0.10, 0.08)
_MAIL_HOSTS: Final = ("example.org", "example.com", "mail.example", "post.example")


@dataclass(frozen=True, slots=True)
class Brand:
    """A made-up company."""

    name: str
    domain: str
    account: str


BRANDS: Final = (
    Brand("Brightwave", "telco", "BrightwaveHelp"),
    Brand("Velora", "bikes", "VeloraCare"),
    Brand("Halden", "bank", "AskHalden"),
    Brand("Foodle", "food", "FoodleTeam"),
)


@dataclass(slots=True)
class Person:
    """One human being (or one company's account), with the author that each channel shows."""

    person_id: str
    name: str
    language: str
    role: str
    brand: Brand
    mail: str
    phone: str
    activity: float
    helpful: float
    authors: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def given_name(self) -> str:
        """The first of the names."""
        return self.name.split(" ", 1)[0]

    def truth(self) -> dict[str, Any]:
        """Return what the truth file says about this person."""
        return {
            "type": "person",
            "person_id": self.person_id,
            "name": self.name,
            "role": self.role,
            "language": self.language,
            "email": self.mail,
            "phone": self.phone,
            "brand": self.brand.name if self.role != "customer" else None,
            "accounts": [
                {"channel": channel, "id": author.get("id"), "handle": author.get("handle"), "email": author.get("email")}
                for channel, author in self.authors.items()
            ],
        }


def make_customers(rng: Random, count: int, tag: str) -> list[Person]:
    """Return ``count`` customers; ``tag`` keeps their accounts apart from those of another community."""
    people = [_customer(rng, number, tag) for number in range(count)]
    for person in people:
        if rng.random() < 0.03 and count > 1:  # a household: one phone, two people
            person.phone = pick(rng, people).phone
    return people


def _customer(rng: Random, number: int, tag: str) -> Person:
    language = "en" if rng.random() < 0.8 else pick(rng, ("de", "de", "fr", "fr", "es"))
    given, family = (pick(rng, names) for names in NAMES[language])
    stem = _plain(pick(rng, (f"{given}.{family}", f"{given}{family}", f"{given[0]}_{family}", f"{family}{given[0]}", f"{given}")))
    mail = f"{_plain(given)}.{_plain(family)}{number}{tag}@{pick(rng, _MAIL_HOSTS)}"
    person = Person(
        person_id=f"p{number}",
        name=f"{given} {family}",
        language=language,
        role="customer",
        brand=pick(rng, BRANDS),
        mail=mail,
        phone=f"+49 30 55{number % 10_000_000:07}",
        activity=min(60.0, rng.paretovariate(1.3)),  # few write much, many write little
        helpful=rng.random() ** 4,
    )
    for channel in _channels(rng):
        person.authors[channel] = _author(rng, person, channel, stem, number, tag)
    return person


def _channels(rng: Random) -> list[str]:
    first = rng.choices(CHANNELS, _CHANNEL_WEIGHTS)[0]
    return [channel for channel in CHANNELS if channel == first or rng.random() < 0.22]


def _author(rng: Random, person: Person, channel: str, stem: str, number: int, tag: str) -> dict[str, Any]:
    """Return how a channel shows the person: ids and handles of its own, here and there a verified mail or phone."""
    handle = f"{stem}{number}{tag}" if rng.random() < 0.7 else f"{pick(rng, ('real', 'the', 'mr', 'x'))}_{stem}_{number}{tag}"
    verified = rng.random() < 0.5
    if channel == "twitter":
        followers = int(min(5e6, rng.paretovariate(0.9) * 40))
        url = f"https://social.example/@{handle}"
        return {"id": f"t{tag}{number}", "handle": handle, "name": person.name, "url": url, "followers": followers}
    if channel == "forum":
        author: dict[str, Any] = {"id": f"f{tag}{number}", "handle": handle, "name": stem}
        return author | ({"email": person.mail, "email_verified": True} if verified else {})
    if channel == "mail":
        return {"email": person.mail, "email_verified": True, "name": person.name}
    if channel == "chat":
        author = {"id": f"c{tag}{number}", "name": person.given_name, "email": person.mail, "email_verified": verified}
        return author | ({"phone": person.phone, "phone_verified": rng.random() < 0.3} if rng.random() < 0.4 else {})
    return {"id": f"a{tag}{number}", "name": handle}


def make_brand_accounts(tag: str) -> dict[str, Person]:
    """Return the accounts that speak for the brands, by brand name."""
    accounts = {}
    for number, brand in enumerate(BRANDS):
        person = _official(f"brand{number}", brand.account, "brand", brand)
        flags = {"on_behalf_of_brand": True}
        person.authors = {
            "twitter": {"id": f"b{tag}{number}", "handle": brand.account, "name": brand.name, "followers": 48_000} | flags,
            "forum": {"id": f"b{tag}{number}", "handle": brand.account, "name": brand.name} | flags,
            "mail": {"email": f"care.{tag}@{brand.name.lower()}.example", "name": brand.name} | flags,
            "chat": {"id": f"b{tag}{number}", "name": brand.name} | flags,
            "appstore": {"id": f"b{tag}{number}", "name": brand.name} | flags,
        }
        accounts[brand.name] = person
    return accounts


def make_staff(rng: Random, tag: str) -> list[Person]:
    """Return people who work for a brand and write in its forum under their own names."""
    staff = []
    for number, brand in enumerate(BRANDS * 2):
        given, family = (pick(rng, names) for names in NAMES["en"])
        person = _official(f"staff{number}", f"{given} {family}", "staff", brand)
        handle = f"{given.lower()}_{brand.name.lower()}{number}{tag}"
        person.authors = {"forum": {"id": f"s{tag}{number}", "handle": handle, "name": person.name, "is_staff": True}}
        staff.append(person)
    return staff


def _official(person_id: str, name: str, role: str, brand: Brand) -> Person:
    return Person(person_id=person_id, name=name, language="en", role=role, brand=brand, mail="", phone="", activity=1.0, helpful=0.0)


_PLAIN: Final = str.maketrans("áàâäéèêëíìîïóòôöúùûüñç", "aaaaeeeeiiiioooouuuunc")


def _plain(name: str) -> str:
    """Return a name as handles and mail addresses spell it."""
    return name.lower().replace("ß", "ss").translate(_PLAIN).replace(" ", "")
