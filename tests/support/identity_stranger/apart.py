"""Pathologies where people who share something must stay apart.

Each function adds about ``count`` groups to a world. Every true pair is one that a fair reader of these fields would join;
records of which nobody could tell carry ``maybe``.
"""

from __future__ import annotations

from dataclasses import replace

from support.identity_stranger import pools
from support.identity_stranger.world import Person, World, unsure


def _housemate(world: World, person: Person, given: str, **changes: str) -> Person:
    """Somebody else of the same address and phone."""
    other = world.person("en", given=given, family=changes.pop("family", person.family), country=person.country)
    return replace(
        other, street=person.street, number=person.number, city=person.city, postcode=person.postcode, phone=person.phone, **changes
    )


def families(world: World, count: int) -> None:
    """Parents and children on one phone; each called once and wrote once."""
    rng = world.rng
    for turn in range(count):
        head = world.person("en")
        givens = [g for g in rng.sample(pools.GIVEN["en"], 6) if g != head.given and g[:3] != head.given[:3]][:3]
        births = (world.birth(1972, 1982), world.birth(1972, 1982), world.birth(2004, 2008), world.birth(2009, 2014))
        members = [replace(head, birth=births[0])]
        members += [_housemate(world, head, given, birth=birth) for given, birth in zip(givens, births[1:], strict=False)]
        for member in members:
            spelt = pools.spell_phone(rng, head.phone, head.country)
            shape = turn % 5
            home = {"street": head.address, "city": head.city, "postcode": head.postcode}
            if shape == 0:
                world.add(member, name=member.name, phone=spelt, country=head.country)
                world.add(member, name=member.name, phone=head.phone, email=member.mail)
            elif shape == 1:
                world.add(member, given_name=member.given, family_name=member.family, birth_date=member.birth, **home)
                world.add(member, given_name=member.given, family_name=member.family, birth_date=member.birth, phone=head.phone, **home)
            elif shape == 2:
                world.add(member, name=member.name, phone=spelt, country=head.country, **home)
                world.add(member, name=f"{member.family}, {member.given}", phone=head.phone, birth_date=member.birth)
            elif shape == 3:
                world.add(member, name=member.name, email=head.mail, phone=head.phone)
                world.add(member, given_name=member.given, family_name=member.family, email=head.mail, **home)
            else:
                world.add(member, name=member.name.upper(), phone=head.phone, email=member.mail, **home)
                world.add(member, given_name=pools.misspell(rng, member.given), family_name=member.family, email=member.mail, **home)
        if turn % 3 == 0:  # nobody knows which of them called
            world.add(f"unsure{len(world.records)}", unsure([m.key for m in members]), phone=head.phone)


def couples(world: World, count: int) -> None:
    """Two people, one phone, or one mail address made of both names; married or not."""
    rng = world.rng
    for turn in range(count):
        one = world.person()
        other = _housemate(
            world,
            one,
            rng.choice([g for g in pools.GIVEN["en"] if g[0] != one.given[0]]),
            family=one.family if turn % 2 else rng.choice([f for f in pools.FAMILY["en"] if f != one.family]),
        )
        both = f"{pools.plain(one.given)}.and.{pools.plain(other.given)}{turn}@{rng.choice(('gmail.com', 'gmx.net', 'aol.com'))}"
        for member in (one, other):
            if turn % 4 == 0:
                world.add(member, name=member.name, phone=one.phone, email=both)
                world.add(member, name=member.name, email=both, city=one.city)
            elif turn % 4 == 1:
                world.add(member, given_name=member.given, family_name=member.family, phone=one.phone, birth_date=member.birth)
                world.add(
                    member,
                    name=member.name,
                    birth_date=pools.spell_birth(rng, member.birth),
                    street=one.address,
                    postcode=one.postcode,
                    city=one.city,
                )
                world.add(member, name=member.name, phone=one.phone, street=one.address, postcode=one.postcode)
            elif turn % 4 == 2:
                world.add(member, name=member.name, phone=one.phone, accounts={"facebook": member.handle})
                world.add(
                    member, name=member.name, phone=pools.spell_phone(rng, one.phone, one.country), country=one.country, email=member.mail
                )
            else:
                world.add(member, name=member.name, phone=one.phone, email=both, street=one.address, city=one.city, postcode=one.postcode)
                world.add(member, name=member.name, phone=one.phone, email=both, birth_date=member.birth)
        if turn % 3 == 0:
            world.add(
                f"unsure{len(world.records)}",
                unsure((one.key, other.key)),
                email=both if turn % 4 in (0, 3) else None,
                phone=one.phone,
                name=one.family if one.family == other.family else None,
            )


def twins(world: World, count: int) -> None:
    """Born the same day in the same house, names a letter apart."""
    rng = world.rng
    for turn in range(count):
        first, second = pools.TWINS[turn % len(pools.TWINS)]
        one = world.person("en", given=first)
        other = _housemate(world, one, second, birth=one.birth)
        home = {"street": one.address, "city": one.city, "postcode": one.postcode}
        for member in (one, other):
            if turn % 4 == 0:
                world.add(member, given_name=member.given, family_name=member.family, birth_date=one.birth, **home)
                world.add(member, given_name=member.given, family_name=member.family, birth_date=one.birth, phone=one.phone, **home)
            elif turn % 4 == 1:
                world.add(member, name=member.name, birth_date=one.birth, email=member.mail, **home)
                world.add(member, name=member.name, email=member.mail, phone=one.phone)
            elif turn % 4 == 2:
                world.add(member, name=member.name, birth_date=one.birth, phone=one.phone)
                world.add(
                    member,
                    name=member.name,
                    birth_date=pools.spell_birth(rng, one.birth),
                    phone=pools.spell_phone(rng, one.phone, one.country),
                    country=one.country,
                )
            else:
                world.add(member, name=member.name, birth_date=one.birth, phone=one.phone, email=one.mail, **home)
                world.add(member, name=member.name, birth_date=one.birth, email=one.mail, **home)


def father_and_son(world: World, count: int) -> None:
    """One name, one house, one phone; a generation apart."""
    rng = world.rng
    for turn in range(count):
        father = replace(world.person(), birth=world.birth(1945, 1965))
        son = _housemate(
            world,
            father,
            father.given,
            birth=f"{int(father.birth[:4]) + rng.randint(21, 38)}{father.birth[4:] if turn % 5 == 0 else world.birth()[4:]}",
        )
        home = {"street": father.address, "city": father.city, "postcode": father.postcode}
        for member, mark in ((father, "Sr."), (son, "Jr.")):
            if turn % 4 == 0:
                world.add(member, name=member.name, birth_date=member.birth, phone=father.phone, **home)
                world.add(member, given_name=member.given, family_name=member.family, birth_date=member.birth, **home)
            elif turn % 4 == 1:
                world.add(member, name=member.name, birth_date=member.birth, email=member.mail, **home)
                world.add(member, name=member.name, birth_date=pools.spell_birth(rng, member.birth), email=member.mail, phone=father.phone)
            elif turn % 4 == 2:
                world.add(member, name=f"{member.name} {mark}", phone=father.phone, birth_date=member.birth, **home)
                world.add(member, name=f"{member.name}, {mark}", birth_date=member.birth, phone=father.phone, email=member.mail)
            else:
                world.add(member, name=member.name, birth_date=member.birth, email=father.mail, phone=father.phone)
                world.add(member, name=member.name, birth_date=member.birth, email=father.mail, **home)
        if turn % 3 == 0:  # which of the two?
            world.add(f"unsure{len(world.records)}", unsure((father.key, son.key)), name=father.name, phone=father.phone, **home)


MOST_ON_ONE_VALUE = 5  # beyond, a value links nobody by itself (the usual limit)
ROLES = (
    "info",
    "office",
    "sales",
    "support",
    "contact",
    "kontakt",
    "admin",
    "hello",
    "billing",
    "reservations",
    "team",
    "service",
    "hr",
    "accounts",
    "reception",
    "noreply",
)


def shared_mailboxes(world: World, count: int) -> None:
    """A firm's, a club's or a parish's one mail address, used by everybody there."""
    rng = world.rng
    for turn in range(count):
        domain = f"{pools.plain(rng.choice(pools.FAMILY['en']))}{turn}.{rng.choice(('com', 'de', 'co.uk', 'org'))}"
        if turn % 3 == 2:
            domain = rng.choice(("gmail.com", "web.de", "hotmail.com"))
        local = (
            rng.choice(ROLES)
            if turn % 3 == 0
            else rng.choice(("kanzlei", "chess.club", "reception-desk", "flat3", "whitehouse.family", "choir", "praxis", "thegang"))
        )
        mail = f"{local}{turn if turn % 3 else ''}@{domain}"
        names: set[str] = set()
        people = rng.randint(3, 12)
        for _ in range(people):
            member = world.person()
            if member.name in names:
                continue
            names.add(member.name)
            world.add(member, name=member.name, email=mail, phone=member.phone if rng.random() < 0.7 else None)
            if rng.random() < 0.6:
                world.add(
                    member,
                    name=member.name,
                    email=mail.upper() if rng.random() < 0.2 else mail,
                    birth_date=member.birth,
                    phone=member.phone,
                )
                if world.records[-2].get("phone") is None and (turn % 3 == 0 or people > MOST_ON_ONE_VALUE):
                    world.labels[-2] = replace(world.labels[-2], weak=True)
        if turn % 2:
            world.add(
                f"unsure{len(world.records)}",
                unsure([label.person for label in world.labels[-30:] if label.case == "shared_mailboxes"]),
                email=mail,
            )


def switchboards(world: World, count: int) -> None:
    """A company's one number and address; two of its people may even have one name."""
    rng = world.rng
    for turn in range(count):
        firm = world.person("en" if turn % 2 else "de")
        domain = f"{pools.plain(firm.family)}-{rng.choice(('tools', 'media', 'bank', 'logistics'))}{turn}.com"
        site = {"street": firm.address, "city": firm.city, "postcode": firm.postcode, "country": firm.country}
        seen: set[str] = set()
        last = firm
        for place in range(rng.randint(12, 40)):
            member = world.person(country=firm.country)
            twin = place == 5  # a namesake of the one before
            if twin:
                member = replace(member, given=last.given, family=last.family)
            elif member.name in seen:
                continue
            seen.add(member.name)
            last = member
            mail = f"{pools.plain(member.given)}.{pools.plain(member.family)}{'2' if twin else ''}@{domain}"
            spelt = pools.spell_phone(rng, firm.phone, firm.country)
            world.add(member, name=member.name, email=mail, phone=spelt, **site)
            if place % 2:
                world.add(member, given_name=member.given, family_name=member.family, email=mail, phone=firm.phone)
            elif place % 3 == 0 and not twin:
                world.add(member, name=member.name, email=mail, accounts={"linkedin": member.handle})
        world.add(
            f"unsure{len(world.records)}",
            unsure([label.person for label in world.labels[-90:] if label.case == "switchboards"]),
            phone=firm.phone,
            **site,
        )


def namesakes(world: World, count: int) -> None:
    """``count`` people of one name in one city, and visitors' names with nothing else."""
    rng = world.rng
    given, family, city, country = rng.choice(
        (
            ("John", "Smith", "Springfield", "US"),
            ("Maria", "Garcia", "Madrid", "ES"),
            ("Peter", "Müller", "Köln", "DE"),
            ("Rajesh", "Sharma", "Mumbai", "IN"),
            ("Ivan", "Petrov", "Moscow", "RU"),
        )
    )
    births: set[str] = set()
    addresses: set[str] = set()
    for place in range(count):
        person = world.person(
            "en", given=given, family=family, city=city, country=country, postcode=f"{rng.randint(10, 30)}0{rng.randint(10, 99)}"
        )
        while person.birth in births:
            person = replace(person, birth=world.birth())
        while person.address in addresses:  # of two of one name at one address nobody could tell
            person = replace(person, number=rng.randint(1, 240))
        births.add(person.birth)
        addresses.add(person.address)
        base: dict[str, object] = {"name": person.name, "city": city}
        if rng.random() < 0.3:
            base = {"given_name": given, "family_name": family, "city": city, "country": country}
        pairs: tuple[tuple[dict[str, object], dict[str, object]], ...] = (
            ({"email": person.mail}, {"email": person.mail, "phone": person.phone}),
            ({"phone": person.phone}, {"phone": person.phone, "birth_date": person.birth}),
            (
                {"birth_date": person.birth, "street": person.address},
                {"birth_date": person.birth, "street": person.address, "postcode": person.postcode},
            ),
            (
                {"birth_date": person.birth, "email": person.mail},
                {"birth_date": person.birth, "email": person.mail, "accounts": {"x": person.handle}},
            ),
            ({"email": person.mail, "phone": person.phone}, {"phone": person.phone, "street": person.address}),
            (
                {"street": person.address, "postcode": person.postcode, "phone": person.phone},
                {"street": person.address, "postcode": person.postcode, "email": person.mail, "phone": person.phone},
            ),
            (
                {"birth_date": person.birth, "postcode": person.postcode, "street": person.address, "email": person.mail},
                {"birth_date": person.birth, "postcode": person.postcode, "street": person.address},
            ),
        )
        for fields in pairs[place % len(pairs)]:
            world.add(person, **base, **fields)
        if place % 10 == 0:  # a name and a city alone never merge
            world.add(f"alone{len(world.records)}", **base)
        if place % 10 == 5:
            world.add(f"alone{len(world.records)}", name=person.name, country=country)


def numbered_mails(world: World, count: int) -> None:
    """john.smith1@ … john.smith40@: as many people; phones and handles in a row too."""
    rng = world.rng
    for turn in range(max(1, count // 20)):
        seedling = world.person("en")
        local, domain = (
            rng.choice(
                (
                    f"{pools.plain(seedling.given)}.{pools.plain(seedling.family)}",
                    f"{pools.plain(seedling.family)}{turn}_",
                    "user",
                    "kunde",
                    "customer.",
                )
            ),
            rng.choice(("gmail.com", "mail.example", "uni.edu")),
        )
        for number in range(1, 21):
            person = world.person("en", **({"given": seedling.given, "family": seedling.family} if turn % 2 == 0 else {}))
            mail = f"{local}{number}@{domain}"
            if not world.unused(mail):
                continue
            phone = seedling.phone[:-2] + f"{number:02}"
            fields = {"name": person.name, "email": mail} | ({"city": seedling.city} if turn % 3 == 0 else {})
            world.add(person, **fields, **({"phone": phone} if turn % 4 == 1 else {}))
            if number % 2:
                world.add(person, **{**fields, "email": mail.title() if number % 4 == 1 else mail})
            if number % 5 == 0:
                world.add(person, **fields, accounts={"x": f"{local}{number}"}, birth_date=person.birth)


def recycled(world: World, count: int) -> None:
    """A phone or a handle that was given to somebody else: names, births and mails contradict."""
    rng = world.rng
    for turn in range(count):
        old = world.person()
        new = replace(world.person(), country=old.country)
        while new.given[:2] == old.given[:2] or new.family[:2] == old.family[:2]:
            new = replace(world.person(), country=old.country)
        channel = rng.choice(("x", "instagram", "reddit", "twitter", "telegram"))
        shared: dict[str, object] = {"phone": old.phone} if turn % 2 else {"accounts": {channel: old.handle}}
        for person in (old, new):
            if turn % 6 < 2:
                world.add(person, name=person.name, email=person.mail, **shared)
                world.add(person, name=person.name, email=person.mail, birth_date=person.birth, **shared)
            elif turn % 6 < 4:
                world.add(person, given_name=person.given, family_name=person.family, birth_date=person.birth, city=person.city, **shared)
                world.add(
                    person, given_name=person.given, family_name=person.family, birth_date=person.birth, email=person.mail, city=person.city
                )
            else:
                world.add(person, name=person.name, city=person.city, **shared)
                world.add(person, name=person.name, **shared, street=person.address, email=person.mail)


def impersonators(world: World, count: int) -> None:
    """Somebody types another's mail address, or takes another's name and a handle a letter away."""
    rng = world.rng
    for turn in range(count):
        victim = world.person()
        thief = world.person()
        while thief.given[:1] == victim.given[:1] or thief.family[:1] == victim.family[:1]:
            thief = world.person()
        world.add(victim, name=victim.name, email=victim.mail, phone=victim.phone, accounts={"x": victim.handle}, email_verified=True)
        world.add(victim, name=victim.name, email=victim.mail, birth_date=victim.birth)
        shape = turn % 5
        if shape == 0:
            world.add(thief, name=thief.name, email=victim.mail, accounts={"x": thief.handle}, email_verified=False)
        elif shape == 1:
            world.add(thief, name=thief.name, email=victim.mail, phone=thief.phone, birth_date=thief.birth)
            world.add(thief, name=thief.name, phone=thief.phone, birth_date=thief.birth)
        elif shape == 2:  # the display name alone, and a handle that looks alike
            world.add(thief, name=victim.name, accounts={"x": victim.handle.replace("l", "1").replace("o", "0") + "_"})
        elif shape == 3:
            world.add(thief, name=thief.name, email=victim.mail, phone=thief.phone, city=thief.city, street=thief.address)
        else:
            world.add(thief, name=thief.name, email=victim.mail, accounts={"x": thief.handle}, phone=thief.phone)
            world.add(thief, name=thief.name, email=thief.mail, accounts={"x": thief.handle}, phone=thief.phone)
        if rng.random() < 0.3:  # the name is the victim's, all else is not; nobody can tell an impostor from a second account
            world.add(
                f"unsure{len(world.records)}",
                unsure((victim.key,)),
                name=victim.name,
                email=victim.mail,
                accounts={"x": f"{victim.handle}_official"},
            )


def flatmates(world: World, count: int) -> None:
    """Strangers at one address, and neighbours of one family name."""
    for turn in range(count):
        one = world.person()
        home = {"street": one.address, "city": one.city, "postcode": one.postcode}
        for place in range(4):
            member = world.person()
            if turn % 2:
                member = replace(member, family=one.family, given=pools.GIVEN["en"][(turn * 5 + place * 7) % 32])
            world.add(member, name=member.name, birth_date=member.birth, **home)
            world.add(member, given_name=member.given, family_name=member.family, birth_date=member.birth, email=member.mail, **home)


def placeholders(world: World, count: int) -> None:
    """Namesakes and strangers who share only what a form made them type."""
    rng = world.rng
    city = rng.choice(pools.CITIES["US"])
    for turn in range(count):
        person = world.person("en", city=city, country="US")
        if turn % 4 == 0:
            person = replace(person, given="Mary", family="Johnson")
        blank = {
            "email": rng.choice(pools.BLANK_MAILS + pools.BLANKS),
            "phone": rng.choice(pools.BLANK_PHONES + pools.BLANKS),
            "birth_date": rng.choice(pools.BLANK_BIRTHS + pools.BLANKS),
            "street": rng.choice(pools.BLANKS),
            "accounts": rng.choice(
                ({}, {"x": "n/a"}, {"x": None}, {"x": ""}, {"x": "anonymous"}, {"x": "unknown"}, {"facebook": "null"}, None)
            ),
        }
        kept = dict(rng.sample(sorted(blank.items(), key=lambda item: item[0]), 3))
        world.add(person, unsure((person.key,)), name=person.name, city=city, **kept)
        if turn % 4 == 0:
            continue
        if turn % 4 == 1:
            world.add(person, name=person.name, city=city, **{**kept, "email": person.mail})
            world.add(person, name=person.name, **{**kept, "email": person.mail})
        if turn % 4 == 2:  # nobody behind it at all
            world.add(
                f"nobody{len(world.records)}",
                name=rng.choice(("Unknown", "n/a", "Anonymous", "Test Test", "", "Guest", "Customer", "-", "Deleted User")),
                **blank,
            )
        if turn % 4 == 3:
            world.add(f"nobody{len(world.records)}", **blank, city=city)


def wrong_types(world: World, count: int) -> None:
    """Numbers, lists, objects where texts belong: never a reason to merge different people."""
    rng = world.rng
    junk: tuple[object, ...] = (0, 1, True, False, [], {}, [None], {"a": 1}, 3.5, -1, [[]], "[object Object]", "NaN", 1e308)
    keys = ("email", "phone", "name", "birth_date", "street", "city", "accounts", "given_name", "postcode", "country")
    for turn in range(count):
        person = world.person()
        if turn % 3 == 0:  # sound records with unused junk elsewhere
            world.add(person, name=person.name, email=person.mail)
            world.add(person, name=person.name, email=person.mail, phone=person.phone)
        else:
            world.add(
                person, unsure((person.key,)), name=person.name, **{key: rng.choice(junk) for key in rng.sample(keys, 3) if key != "name"}
            )
        world.add(f"junk{len(world.records)}", **{key: rng.choice(junk) for key in rng.sample(keys, rng.randint(2, 6))})
