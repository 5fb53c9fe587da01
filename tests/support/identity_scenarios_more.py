"""More small scenes with a sensible person's answer: what a second stranger's suite found undecided or wrongly decided.

Owns the scenes, of the same shape as `identity_scenarios`. Must not look at the engine.
"""

from __future__ import annotations

from support.identity_scenarios import Scene

_WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
_FLAT = {"street": "Calle Mayor 48", "city": "Sevilla", "postcode": "41004"}

MORE_SCENARIOS: dict[str, Scene] = {
    # births that say little
    "one given name, birth and city, another family name": [
        ("a", {"name": "Olof Ekdahl", "birth_date": "1983-05-17", "city": "Uppsala", "email": "olof.e@telia.com"}),
        ("b", {"name": "Olof Wallin", "birth_date": "1983-05-17", "city": "Uppsala", "email": "wallin77@gmail.com"}),
    ],
    "a register's first of January": [
        (letter, {"name": f"Paolo {family}", "birth_date": "1971-01-01", "city": "Torino", "email": mail})
        for letter, family, mail in (
            ("a", "Zanetti", "zanetti.p@libero.it"), ("b", "Moretti", "pm1971@virgilio.it"), ("c", "Conti", "paoloconti@alice.it"))
    ],
    "father and son in one mailbox, and a record that fits both": [
        ("a", {"name": "Dominik Krol", "birth_date": "1950-01-23", "email": "krol.dom@wp.pl"}),
        ("b", {"name": "Dominik Krol", "birth_date": "1980-06-13", "email": "krol.dom@wp.pl"}),
        ("c", {"name": "Dominik Krol", "email": "krol.dom@wp.pl"}),
    ],
    "the same with a reason for one of them": [
        ("a", {"name": "Jens Rask", "birth_date": "1949-11-02", "email": "rask@mail.dk", "phone": "+45 20 11 22 33"}),
        ("b", {"name": "Jens Rask", "birth_date": "1979-03-30", "email": "rask@mail.dk"}),
        ("a", {"name": "Jens Rask", "email": "rask@mail.dk", "phone": "20112233", "country": "DK"}),
    ],
    "twins whose names rhyme": [
        (letter, {"name": f"{given} Demir", "birth_date": "1994-02-27", "street": "Cumhuriyet Sokak 101", "city": "Izmir", **more})
        for letter, given, more in (
            ("a", "Hakan", {}), ("b", "Serkan", {}), ("a", "Hakan", {"phone": "+90 312 444 1122"}),
            ("b", "Serkan", {"phone": "+90 312 444 1122"}))
    ],
    "twins with mails of their own": [
        (letter, {"name": f"{given} Zanetti", "birth_date": "1990-08-16", "email": f"{given.lower()}.zanetti@libero.it", **more})
        for letter, given, more in (
            ("a", "Marco", {}), ("b", "Mirco", {}), ("a", "Marco", {"city": "Bari"}), ("b", "Mirco", {"city": "Bari"}))
    ],
    # mails and places that say little
    "a dot makes another mailbox": [
        ("a", {"name": "Leandro Araújo", "email": "leandro.araujo@uol.com.br", "phone": "+55 41 99876 4881", "city": "Curitiba"}),
        ("b", {"name": "Leandro Araújo", "email": "leandroaraujo@uol.com.br", "phone": "+55 41 99676 6608", "city": "Curitiba"}),
    ],
    "one call at two providers": [
        ("a", {"name": "Willem Visser", "email": "willemvisser@yahoo.com", "birth_date": "1961-04-20", "city": "Delft"}),
        ("b", {"name": "Willem Visser", "email": "willemvisser@gmail.com", "birth_date": "1988-10-03", "city": "Utrecht"}),
        ("a", {"name": "Willem Visser", "email": "willemvisser@yahoo.com"}),
    ],
    "a name and a postcode": [
        ("a", {"name": "Yiğit Şahin", "phone": "+90 532 053 82 91", "street": "Cumhuriyet Sokak 51", "city": "Bursa", "postcode": "16010"}),
        ("b", {"name": "Yiğit Şahin", "phone": "+90 532 411 07 77", "street": "Atatürk Caddesi 35", "city": "Bursa", "postcode": "16010"}),
        ("c", {"name": "Yiğit Şahin", "city": "Bursa", "postcode": "16010"}),
    ],
    "a street of one name in two towns": [
        ("a", {"name": "Íñigo Serrano", "birth_date": "1981-01-26", **_FLAT}),
        ("b", {"name": "Íñigo Serrano", "phone": "+34 601 091 248", "street": "Calle Mayor 43", "city": "Valencia", "postcode": "46007"}),
        ("c", {"name": "Íñigo Serrano", "street": "Calle Mayor 48", "city": "Bilbao", "postcode": "48009"}),
    ],
    # people have several mails and phones
    "two mails and one mobile": [
        ("a", {"name": "Michał Gołębiewski", "email": "m.golebiewski89@onet.pl", "phone": "+48 693 828 680"}),
        ("a", {"name": "Michał Gołębiewski", "email": "lucky77@wp.pl", "phone": "693828680", "country": "Polska"}),
        ("a", {"name": "Gołębiewski, Michał", "email": "lucky77@wp.pl"}),
    ],
    "two mails and one mobile, and more": [
        ("a", {"name": "Jule Hansen", "email": "jule.h@gmx.de", "phone": "+49 160 5550123", **_FLAT}),
        ("a", {"name": "Jule Hansen", "email": "hansen@kanzlei-ost.de", "phone": "+49 160 5550123", **_FLAT}),
    ],
    "a mobile and a landline": [
        ("a", {"name": "Thijs Jansen", "phone": "+31 6 44005944"}),
        ("a", {"name": "Thijs Jansen", "phone": "+31 6 44005944", "email": "thijs.jansen@ziggo.nl"}),
        ("a", {"name": "Thijs Jansen", "phone": "+31 30 2633815", "email": "thijs.jansen@ziggo.nl"}),
    ],
    "two of one name at one switchboard": [
        (letter, {"name": "Léa Moreau", **more})
        for letter, more in (
            ("a", {"email": "lea.moreau@firm29286.com", "phone": "+33 4 72 29 87 96"}), ("a", {"phone": "+33 6 55 72 93 50"}),
            ("a", {"email": "lea.moreau@firm29286.com", "phone": "+33 6 55 72 93 50", "street": "100 avenue Foch", "city": "Lyon"}),
            ("b", {"email": "lea.moreau.2@firm29286.com", "phone": "+33 4 72 29 87 96"}),
            ("b", {"email": "lea.moreau.2@firm29286.com", "birth_date": "1977-07-20"}))
    ],
    # names and what stands beside them
    "the second family name left out": [
        ("a", {"name": "José García López", "phone": "+34 617 947 568"}),
        ("a", {"name": "José García", "phone": "+34 617 947 568"}),
        ("b", {"name": "Marta García López", "phone": "+34 617 947 568"}),
    ],
    "degrees and honours": [
        ("a", {"name": name, "phone": "+1 312 234 5678"})
        for name in ("Erin Rowe", "Erin Rowe, MD", "Erin Rowe, M.D.", "Erin Rowe PhD", "Erin Rowe Esq.", "Erin Rowe, MBA")
    ],
    "a firm with and without its legal form": [
        ("a", {"name": "Autohaus Groß GmbH", "email": "post@autohaus-gross.de", "phone": "+49 221 8026291", "city": "Köln"}),
        ("a", {"name": "Autohaus Groß", "email": "post@autohaus-gross.de", "phone": "0221 8026291", "city": "Köln", "country": "DE"}),
    ],
    "a handle and the address of its page": [
        ("a", {"name": "Anouk Bakker", "accounts": {"github": "anoukb"}}),
        ("a", {"name": "Anouk Bakker", "accounts": {"github": "https://github.com/AnoukB/"}, "email": "anouk@bakker.example"}),
    ],
    "a call where the name belongs": [
        ("a", {"name": "Hakan Şahin", "email": "hakan_sahin57@hotmail.com", "accounts": {"instagram": "runner_river36"}}),
        ("a", {"name": "runner_river36", "email": "hakan_sahin57@hotmail.com"}),
        ("a", {"name": "hakan_sahin57", "email": "hakan_sahin57@hotmail.com"}),
    ],
    "phones with firm blanks and wide digits": [
        ("a", {"name": "Elsa Holm", "phone": spelt})
        for spelt in ("+46 70 213 45 67", "+46\u00a070\u00a0213\u00a045\u00a067", "+46702134567".translate(_WIDE))
    ],
    "countries in three languages": [
        ("a", {"name": "Letícia Silva", "phone": "+55 41 99411 8142", "city": "Curitiba", "country": country})
        for country in ("BR", "Brasil", "Brazil")
    ],
    "Japanese signs": [
        ("a", {"name": "田中太郎", "email": "lemon332@gmail.com"}),
        ("a", {"name": "Taro Tanaka", "email": "lemon332@gmail.com"}),
        ("b", {"name": "Hanako Tanaka", "email": "lemon332@gmail.com", "phone": "+81 90 4296 5189"}),
        ("b", {"name": "田中 花子", "phone": "+81 90 4296 5189"}),
    ],
    "Vietnamese order": [
        ("a", {"name": "Nguyễn Văn Đức", "phone": "+84 903 717 264"}),
        ("a", {"name": "Duc Nguyen", "phone": "+84 903 717 264"}),
    ],
}  # fmt: skip
