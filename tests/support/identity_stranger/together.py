"""Pathologies where one person is written in several ways and must be found; and values shared by thousands.

Each function adds about ``count`` people to a world; a fair reader of these fields would join what is one person's.
"""

from __future__ import annotations

from dataclasses import replace

from support.identity_stranger import pools
from support.identity_stranger.world import World, unsure


def transliterated(world: World, count: int) -> None:
    """One name in two scripts or two romanisations; the same phone, mail or birth and address."""
    rng = world.rng
    for turn in range(count):
        spellings = rng.sample(pools.TRANSLITERATED[turn % len(pools.TRANSLITERATED)], 2)
        person = world.person("en")
        proofs: tuple[dict[str, object], ...] = (
            {"phone": person.phone},
            {"email": person.mail},
            {"birth_date": person.birth, "phone": person.phone},
            {"birth_date": person.birth, "street": person.address, "postcode": person.postcode, "city": person.city},
            {"email": person.mail, "birth_date": person.birth},
        )
        proof = proofs[turn // len(pools.TRANSLITERATED) % len(proofs)]
        for place, (given, family) in enumerate(spellings):
            if (turn + place) % 2:
                world.add(person, name=f"{given} {family}", **proof)
            else:
                world.add(person, given_name=given, family_name=family, **proof)


def nicknames(world: World, count: int) -> None:
    """Bob is Robert, at the same mail address, phone, or birth date and home."""
    rng = world.rng
    for turn in range(count):
        formal, short = pools.NICKNAMES[turn % len(pools.NICKNAMES)]
        person = world.person("en", given=formal)
        first: tuple[dict[str, object], ...] = (
            {"phone": person.phone},
            {"email": person.mail},
            {"birth_date": person.birth, "postcode": person.postcode, "street": person.address},
            {"birth_date": person.birth, "phone": person.phone, "city": person.city},
        )
        proof = first[turn // len(pools.NICKNAMES) % len(first)]
        world.add(person, name=person.name, **proof)
        if rng.random() < 0.5:
            world.add(person, name=f"{short} {person.family}", **proof)
        else:
            world.add(person, given_name=short, family_name=person.family, **proof)


def swapped_names(world: World, count: int) -> None:
    """Family name first, by a comma, by culture or by mistake; a middle name or a title more."""
    rng = world.rng
    for turn in range(count):
        person = world.person()
        proofs: tuple[dict[str, object], ...] = (
            {"phone": person.phone},
            {"email": person.mail},
            {"birth_date": person.birth, "city": person.city, "postcode": person.postcode},
            {"birth_date": person.birth, "street": person.address},
        )
        proof = proofs[turn % 4]
        world.add(person, given_name=person.given, family_name=person.family, **proof)
        shape = turn // 4 % 6
        if shape == 0:
            world.add(person, given_name=person.family, family_name=person.given, **proof)
        elif shape == 1:
            world.add(person, name=f"{person.family}, {person.given}", **proof)
        elif shape == 2:
            world.add(person, name=f"{person.family.upper()} {person.given}", **proof)
        elif shape == 3:
            world.add(person, name=f"{rng.choice(('Dr.', 'Mr', 'Mrs.', 'Prof. Dr.', 'Herr', 'Frau'))} {person.name}", **proof)
        elif shape == 4:
            world.add(person, name=f"{person.given} {rng.choice('ABCDEFGHJ')}. {person.family}", **proof)
        else:  # an initial beside a phone could be anybody of the house
            world.add(person, unsure((), weak=turn % 4 == 0), name=f"{person.given[0]}. {person.family}", **proof)


def phone_prefixes(world: World, count: int) -> None:
    """One number in any of its spellings, with the country told or not."""
    rng = world.rng
    for _ in range(count):
        person = world.person()
        world.add(person, name=person.name, phone=person.phone, **({"city": person.city} if rng.random() < 0.5 else {}))
        for _ in range(2):
            told = {"country": rng.choice(pools.COUNTRY_WORDS[person.country])} if rng.random() < 0.6 else {}
            spelt = pools.spell_phone(rng, person.phone, person.country)
            if rng.random() < 0.2:
                world.add(person, given_name=person.given, family_name=person.family, phone=spelt, **told)
            else:
                world.add(person, name=person.name, phone=spelt, **told)


def mail_spellings(world: World, count: int) -> None:
    """Dots and tags where the provider ignores them, capitals, googlemail, mailto and brackets; a slip in the domain with more proof."""
    rng = world.rng
    for turn in range(count):
        person = world.person("en")
        number = turn
        called = f"{pools.plain(person.given)}.{pools.plain(person.family)}"
        providers = ("gmail.com", "outlook.com", "yahoo.com", "web.de")
        while sum(world.unused(f"{called}{number}@{provider}") for provider in providers) < len(providers):
            number += 1_000  # somebody else has that one
        local = f"{pools.plain(person.given)}.{pools.plain(person.family)}{number}"
        plain = local.replace(".", "")
        tag = rng.choice(("shop", "news", "earshot", "2024"))
        spellings = (
            (f"{local}@gmail.com", f"{plain}@gmail.com"),
            (f"{local}@gmail.com", f"{local}+{tag}@gmail.com"),
            (f"{local}@googlemail.com", f"{plain}+{tag}@gmail.com"),
            (f"{local}@firm{turn}.com", f"{local}+{tag}@firm{turn}.com"),
            (f"{local}@outlook.com", f"{local.title()}@OUTLOOK.com"),
            (f"{local}@yahoo.com", f" {local}@yahoo.com "),
            (f"{local}@web.de", f"mailto:{local}@web.de"),
            (f"{local}@gmail.com", f"{person.name} <{local}@gmail.com>"),
        )
        one, other = spellings[turn % len(spellings)]
        world.add(person, name=person.name, email=one)
        world.add(person, name=person.name if turn % 3 else f"{person.given[0]}. {person.family}", email=other)
        if turn % 4 == 0:
            world.add(person, email=one)  # a newsletter form: the address alone


def lives(world: World, count: int) -> None:
    """People move, marry and change numbers; what stays is enough."""
    for turn in range(count):
        person = world.person()
        later = world.person(country=person.country)
        moved = {"street": later.address, "city": later.city, "postcode": later.postcode}
        home = {"street": person.address, "city": person.city, "postcode": person.postcode}
        if turn % 5 == 0:
            world.add(person, name=person.name, birth_date=person.birth, email=person.mail, **home)
            world.add(person, name=person.name, birth_date=person.birth, email=person.mail, **moved)
        elif turn % 5 == 1:
            world.add(person, name=person.name, birth_date=person.birth, email=person.mail, phone=person.phone)
            world.add(person, name=f"{person.given} {later.family}", birth_date=person.birth, email=person.mail, phone=person.phone)
        elif turn % 5 == 2:
            world.add(person, name=person.name, phone=person.phone, email=person.mail, **home)
            world.add(person, name=person.name, phone=later.phone, email=person.mail, **home)
            world.add(person, name=person.name, phone=later.phone, **home)
        elif turn % 5 == 3:
            world.add(person, name=person.name, birth_date=person.birth, phone=person.phone)
            world.add(person, name=person.name, birth_date=person.birth, phone=person.phone, email=later.mail, **moved)
        else:
            world.add(person, name=person.name, birth_date=person.birth, **home)
            world.add(person, name=f"{person.given} {person.family}-{later.family}", birth_date=person.birth, email=person.mail, **home)


def misspelt(world: World, count: int) -> None:
    """A slip in the name, the birth date or the street; the rest agrees."""
    rng = world.rng
    for turn in range(count):
        person = world.person()
        wrong_day = person.birth[:8] + f"{(int(person.birth[8:]) + 9) % 28 + 1:02}"
        home = {"street": person.address, "city": person.city, "postcode": person.postcode}
        slip = replace(
            person, given=pools.misspell(rng, person.given), family=pools.misspell(rng, person.family) if turn % 2 else person.family
        )
        if turn % 5 == 0:
            world.add(person, name=person.name, email=person.mail)
            world.add(person, name=slip.name, email=person.mail)
        elif turn % 5 == 1:
            world.add(person, given_name=person.given, family_name=person.family, phone=person.phone, **home)
            world.add(person, given_name=slip.given, family_name=slip.family, phone=person.phone, **home)
        elif turn % 5 == 2:
            world.add(person, given_name=person.given, family_name=person.family, birth_date=person.birth, **home)
            world.add(
                person,
                given_name=slip.given,
                family_name=slip.family,
                birth_date=person.birth,
                **{**home, "street": pools.misspell(rng, person.address)},
            )
        elif turn % 5 == 3:
            world.add(person, name=person.name, birth_date=person.birth, email=person.mail, phone=person.phone)
            world.add(person, name=person.name, birth_date=wrong_day, email=person.mail, phone=person.phone)
        else:
            world.add(person, name=person.name, birth_date=person.birth, email=person.mail)
            world.add(
                person,
                name=person.name,
                birth_date=person.birth,
                email=pools.misspell(rng, person.mail.split("@")[0]) + "@" + person.mail.split("@")[1],
            )


def channels(world: World, count: int) -> None:
    """Records of several kinds: a post, a mail, a call, a CRM contact; tied in a chain."""
    rng = world.rng
    for turn in range(count):
        person = world.person()
        channel = rng.choice(("x", "instagram", "reddit", "facebook", "github"))
        world.add(person, name=person.name, accounts={channel: person.handle})
        world.add(
            person, name=person.name, email=person.mail, accounts={channel: f"@{person.handle}" if turn % 2 else person.handle.upper()}
        )
        world.add(person, name=person.name, email=person.mail, phone=person.phone)
        if turn % 2:
            world.add(person, phone=pools.spell_phone(rng, person.phone, person.country), country=person.country, name=person.name)
        if turn % 3 == 0:
            world.add(
                person,
                given_name=person.given,
                family_name=person.family,
                birth_date=person.birth,
                email=person.mail,
                street=person.address,
                city=person.city,
                postcode=person.postcode,
                country=person.country,
            )
        if turn % 4 == 0:
            world.add(person, email=person.mail)


def scalar_types(world: World, count: int) -> None:
    """A phone or a postcode as a JSON number is still the phone."""
    for turn in range(count):
        person = world.person("de")
        world.add(person, name=person.name, phone=person.phone, postcode=person.postcode)
        if turn % 2:
            world.add(person, name=person.name, phone=int(person.phone[1:]), postcode=int(person.postcode), country="DE")
        else:
            world.add(
                person, name=person.name, phone=person.phone, postcode=int(person.postcode), birth_date=int(person.birth.replace("-", ""))
            )


HUBS = ("phone", "email", "handle", "birth", "address", "family", "everything")


def hub(world: World, count: int, kind: str) -> None:
    """One value on ``count`` records of as many people, some of whom come twice with better proof."""
    world.case = f"hub_{kind}"
    one = world.person("en")
    values: dict[str, dict[str, object]] = {
        "phone": {"phone": one.phone},
        "email": {"email": f"frontdesk.{pools.plain(one.family)}@gmail.com"},
        "handle": {"accounts": {"x": one.handle}},
        "birth": {"birth_date": "1980-01-01"},
        "address": {"street": one.address, "city": one.city, "postcode": one.postcode},
        "family": {"family_name": "Smith", "city": one.city},
        "everything": {"phone": one.phone, "street": one.address, "city": one.city, "postcode": one.postcode},
    }
    shared = values[kind]
    for place in range(count):
        person = world.person(family="Smith") if kind == "family" else world.person()
        fields: dict[str, object] = {"given_name": person.given, "family_name": person.family} | shared
        # beside a hub, two of one name could be one: those pairs count neither way, unless it is but a name and a city
        alike = () if kind == "family" else (f"{kind}:{fields['given_name']} {fields['family_name']}",)
        if place % 10 == 0:
            proof = {"email": person.mail} if kind != "email" else {"phone": person.phone}
            world.add(person, unsure(alike, weak=False), **fields | proof)
            world.add(person, unsure(alike, weak=False), **fields | proof)
        else:
            world.add(person, unsure(alike, weak=True), **fields)
