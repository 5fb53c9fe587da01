"""Small scenes with the answer that a sensible person would give, written from the issue and the contract, not from the engine.

Owns the scenes. Each is records in the contract's shape under the letter of the person they are; of a letter with `?` any answer is
right.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Scene = list[tuple[str, Row]]

_HOME = {"street": "14 Lindenweg", "city": "Bremen", "postcode": "28195", "country": "DE"}
_CARDIFF = {"street": "7 Castle Street", "city": "Cardiff", "postcode": "CF10 1BT", "country": "GB"}

SCENARIOS: dict[str, Scene] = {
    # families and couples on one phone
    "a couple of two names on one landline": [
        ("a", {"name": "Greta Holm", "phone": "+46 8 123 45 67", "birth_date": "1971-03-05"}),
        ("b", {"name": "Anders Lund", "phone": "08-123 45 67", "country": "SE", "birth_date": "1969-11-30"}),
        ("a", {"name": "Greta Holm", "phone": "0046 8 1234567"}),
    ],
    "a couple of one family name and one initial": [
        ("a", {"name": "Michael Brandt", "phone": "+49 421 334455", **_HOME}),
        ("b", {"name": "Monika Brandt", "phone": "+49 421 334455", **_HOME}),
        ("a?b", {"name": "M. Brandt", "phone": "+49 421 334455"}),
    ],
    "a mailbox called after both": [
        ("a", {"name": "Jan Visser", "email": "jan.en.johanna@ziggo.nl", "phone": "+31 6 24681357"}),
        ("b", {"name": "Johanna Visser", "email": "jan.en.johanna@ziggo.nl", "phone": "+31 6 24681357"}),
        ("b", {"name": "Johanna Visser", "email": "jan.en.johanna@ziggo.nl", "birth_date": "1980-02-02"}),
        ("a", {"name": "Jan Visser", "email": "jan.en.johanna@ziggo.nl", "birth_date": "1978-09-12"}),
    ],
    "parents and three children at one address": [
        ("a", {"name": "Thomas Pritchard", "birth_date": "1979-01-18", "phone": "029 2018 0000", **_CARDIFF}),
        ("b", {"name": "Rhian Pritchard", "birth_date": "1981-07-02", "phone": "029 2018 0000", **_CARDIFF}),
        ("c", {"name": "Owen Pritchard", "birth_date": "2008-05-20", "phone": "029 2018 0000", **_CARDIFF}),
        ("d", {"name": "Carys Pritchard", "birth_date": "2010-10-11", **_CARDIFF}),
        ("e", {"name": "Evan Pritchard", "birth_date": "2013-12-01", **_CARDIFF}),
        ("c", {"name": "Owen Pritchard", "birth_date": "20 May 2008", "email": "owen.p@outlook.com"}),
        ("b", {"given_name": "Rhian", "family_name": "Pritchard", "phone": "+442920180000", "email": "rhian.pritchard@btinternet.com"}),
    ],
    "a wife who took the name keeps her mail and birth": [
        ("a", {"name": "Clara Wieland", "email": "clara.wieland@posteo.de", "birth_date": "1990-06-17", "phone": "+49 170 5550199"}),
        ("a", {"name": "Clara Osterkamp", "email": "clara.wieland@posteo.de", "birth_date": "1990-06-17"}),
        ("a", {"name": "Clara Wieland-Osterkamp", "phone": "0170 5550199", "country": "DE", "birth_date": "17.06.1990"}),
    ],
    "mother and daughter of like names": [
        ("a", {"name": "Maria Rossi", "birth_date": "1955-08-09", "phone": "+39 06 5551234", "street": "Via Roma 12", "city": "Roma"}),
        ("b", {"name": "Mara Rossi", "birth_date": "1983-04-27", "phone": "+39 06 5551234", "street": "Via Roma 12", "city": "Roma"}),
        ("b", {"name": "Mara Rossi", "birth_date": "1983-04-27", "email": "mara.rossi83@libero.it"}),
        ("a", {"name": "Maria Rossi", "birth_date": "1955-08-09", "email": "mrossi55@libero.it", "city": "Roma"}),
    ],
    # twins, father and son
    "twins a letter apart": [
        ("a", {"name": "Tim Sander", "birth_date": "2001-02-14", "phone": "+49 151 2223344", **_HOME}),
        ("b", {"name": "Tom Sander", "birth_date": "2001-02-14", "phone": "+49 151 2223344", **_HOME}),
        ("a", {"name": "Tim Sander", "birth_date": "2001-02-14", "email": "tim.sander@web.de"}),
        ("b", {"name": "Tom Sander", "birth_date": "2001-02-14", "email": "tom.sander@web.de"}),
    ],
    "twins with mails a letter apart": [
        ("a", {"name": "Leonie Adler", "birth_date": "1999-12-31", "email": "leonie.adler@gmail.com", "city": "Graz"}),
        ("b", {"name": "Leonore Adler", "birth_date": "1999-12-31", "email": "leonore.adler@gmail.com", "city": "Graz"}),
        ("b", {"name": "Leonore Adler", "email": "leonoreadler@gmail.com"}),
    ],
    "father and son, said by nothing but the births": [
        ("a", {"name": "Frank Novotny", "birth_date": "1958-04-01", **_HOME}),
        ("b", {"name": "Frank Novotny", "birth_date": "1986-09-22", **_HOME}),
        ("a", {"name": "Frank Novotny", "birth_date": "1.4.1958", "phone": "+49 421 998877"}),
        ("b", {"name": "Frank Novotny", "birth_date": "22.9.1986", "phone": "+49 421 998877"}),
    ],
    "father and son, said by suffixes": [
        ("a", {"name": "Robert Ellison Sr.", "phone": "+1 415 555 0133", "street": "9 Bay Road", "city": "Oakland"}),
        ("b", {"name": "Robert Ellison Jr.", "phone": "+1 415 555 0133", "street": "9 Bay Road", "city": "Oakland"}),
        ("a?b", {"name": "Robert Ellison", "phone": "+1 415 555 0133"}),
    ],
    "father and son whose birthdays are the same day": [
        ("a", {"name": "Karl Huber", "birth_date": "1950-05-05", "phone": "+43 1 5550111", "city": "Wien"}),
        ("b", {"name": "Karl Huber", "birth_date": "1978-05-05", "phone": "+43 1 5550111", "city": "Wien"}),
    ],
    # shared mailboxes and switchboards
    "a clinic's mailbox": [
        *((letter, {"name": name, "email": "zimmer2@zahnarzt-nord.de"}) for letter, name in zip("abcd", (
            "Ute Kramer", "Sina Lorenz", "Jan Petersen", "Ute Behrens"), strict=True)),
        ("a", {"name": "Ute Kramer", "email": "zimmer2@zahnarzt-nord.de", "phone": "+49 160 1110001"}),
        ("d", {"name": "Ute Behrens", "email": "zimmer2@zahnarzt-nord.de", "phone": "+49 160 1110009"}),
    ],
    "a school class that writes from one mailbox": [
        *((letter, {"name": name, "email": "klasse7b@gmx.de"}) for letter, name in zip("abcde", (
            "Mia Vogt", "Ben Kunz", "Lina Hahn", "Noah Seidel", "Mia Arnold"), strict=True)),
    ],
    "a switchboard with a namesake": [
        *((letter, {"name": name, "phone": "+44 20 7946 0000", "email": mail}) for letter, name, mail in (
            ("a", "Alice Monroe", "alice.monroe@harlandbank.co.uk"), ("b", "Peter Finch", "peter.finch@harlandbank.co.uk"),
            ("c", "Priya Nair", "priya.nair@harlandbank.co.uk"), ("d", "Peter Finch", "peter.finch2@harlandbank.co.uk"),
            ("e", "Sam Odell", "sam.odell@harlandbank.co.uk"))),
        ("b", {"name": "Peter Finch", "email": "peter.finch@harlandbank.co.uk"}),
        ("d", {"name": "Peter Finch", "email": "Peter.Finch2@harlandbank.co.uk", "city": "London"}),
    ],
    "colleagues of one first name at one desk": [
        ("a", {"name": "Sabine Ott", "email": "sabine.ott@muehle-gmbh.de", "phone": "+49 711 400500"}),
        ("b", {"name": "Sabine Otte", "email": "sabine.otte@muehle-gmbh.de", "phone": "+49 711 400500"}),
        ("a", {"name": "Sabine Ott", "email": "sabine.ott@muehle-gmbh.de", "city": "Stuttgart"}),
        ("b", {"name": "Sabine Otte", "email": "sabine.otte@muehle-gmbh.de", "city": "Stuttgart"}),
    ],
    # namesakes
    "three of one name in one city": [
        ("a", {"name": "José García", "city": "Sevilla", "email": "jose.garcia.sev@gmail.com"}),
        ("b", {"name": "José García", "city": "Sevilla", "phone": "+34 655 100 200"}),
        ("c", {"name": "José García", "city": "Sevilla", "birth_date": "1966-10-02"}),
        ("d", {"name": "José García", "city": "Sevilla"}),
        ("e", {"name": "Jose Garcia", "city": "Sevilla"}),
    ],
    "one name and one year of birth are not one person": [
        ("a", {"name": "Anna Schmidt", "birth_date": "1988-03-11", "city": "Berlin"}),
        ("b", {"name": "Anna Schmidt", "birth_date": "1988-09-27", "city": "Berlin"}),
        ("c", {"name": "Anna Schmidt", "birth_date": "1991-03-11", "city": "Berlin"}),
    ],
    "twins, one of them misspelt": [
        ("a", {"name": "Clara Weber", "birth_date": "1973-10-01", "phone": "+43 316 5550777", "street": "47 Hofgasse", "city": "Graz"}),
        ("b", {"name": "Laura Weber", "birth_date": "1973-10-01", "phone": "+43 316 5550777", "street": "47 Hofgasse", "city": "Graz"}),
        ("a", {"name": "Claara Weber", "birth_date": "1973-10-01", "phone": "+43 316 5550777", "street": "47 Hofgasse", "city": "Graz"}),
    ],
    "one rare name, and births that merely resemble": [
        ("a", {"name": "Muhammad Alhasan", "birth_date": "1960-12-10", "phone": "+1 212 539 1658"}),
        ("a", {"name": "محمد الحسن", "birth_date": "1960-12-10", "phone": "+1 212 539 1658"}),
        ("b", {"name": "Muhammad Alhasan", "birth_date": "1960-07-10", "email": "quinceorchard2001@outlook.com"}),
        ("b", {"name": "Mohammed Al-Hassan", "birth_date": "1960-07-10", "email": "quinceorchard2001@outlook.com"}),
    ],
    "an impersonator whose given name is the victim's in another language": [
        ("a", {"name": "Hans Jäger", "email": "hans.jager81@yahoo.com", "phone": "+49 160 35791331"}),
        ("a", {"name": "Hans Jäger", "email": "hans.jager81@yahoo.com", "birth_date": "1991-12-02"}),
        ("b", {"name": "Jean Bélanger", "email": "hans.jager81@yahoo.com", "accounts": {"x": "jeanbelanger116"}}),
    ],
    "one given name and two family names at a club": [
        *((letter, {"name": name, "email": "flat37@thornbury7.co.uk"}) for letter, name in zip("abcd", (
            "Begoña Domínguez", "Begoña Rodríguez", "Elizabeth King", "Ivo Hrastnik"), strict=True)),
        ("a", {"name": "Begoña Domínguez", "email": "flat37@thornbury7.co.uk", "phone": "+34 699 110 602"}),
        ("b", {"name": "Begoña Rodríguez", "email": "flat37@thornbury7.co.uk", "phone": "+34 656 980 355"}),
    ],
    "namesakes on streets called alike": [
        ("a", {"name": "Paul Werner", "street": "Goethestraße 12", "city": "Leipzig", "postcode": "04109", "birth_date": "1970-07-07"}),
        ("b", {"name": "Paul Werner", "street": "Goetheplatz 12", "city": "Leipzig", "postcode": "04177", "birth_date": "1992-01-30"}),
        ("b", {"name": "Paul Werner", "street": "Goetheplatz 12", "city": "Leipzig", "phone": "+49 341 777888"}),
        ("a", {"name": "Paul Werner", "street": "Goethestr. 12", "city": "Leipzig", "phone": "+49 341 222333"}),
    ],
    # numbered mails
    "numbered mails at one provider": [
        *((letter, {"name": "Chris Young", "email": f"chris.young{number}@yahoo.com"}) for letter, number in (
            ("a", 1), ("b", 2), ("c", 11), ("d", 12))),
        ("b", {"name": "Chris Young", "email": "chris.young2@yahoo.com", "phone": "+1 212 555 0177"}),
    ],
    "the same year in the mail at two providers": [
        ("a", {"name": "Laura Becker", "email": "laura.becker1987@gmail.com", "phone": "+49 171 1000001"}),
        ("b", {"name": "Laura Becker", "email": "laura.becker1987@web.de", "phone": "+49 171 2000002"}),
    ],
    "customers that a shop numbers": [
        *((letter, {"name": name, "email": f"kunde{number}@shop-mail.de"}) for letter, name, number in (
            ("a", "Eva Lang", 10234), ("b", "Uwe Lang", 10235), ("c", "Eva Kurz", 10236), ("d", "Ida Kurz", 10237))),
    ],
    # recycled handles and phones
    "a phone that went to somebody else": [
        ("a", {"name": "Dorota Zielińska", "phone": "+48 601 222 333", "birth_date": "1948-02-19", "city": "Gdańsk"}),
        ("b", {"name": "Kamil Wrona", "phone": "+48 601 222 333", "birth_date": "2001-08-25", "city": "Kraków"}),
        ("b", {"name": "Kamil Wrona", "phone": "601222333", "country": "PL", "email": "kwrona@wp.pl"}),
        ("a", {"name": "Dorota Zielinska", "birth_date": "1948-02-19", "city": "Gdansk", "email": "dorota.z@wp.pl"}),
    ],
    "a handle that went to somebody else": [
        ("a", {"name": "Marcus Bell", "accounts": {"x": "nightowl"}, "email": "marcus.bell@aol.com", "birth_date": "1975-05-05"}),
        ("b", {"name": "Yuki Tanaka", "accounts": {"x": "nightowl"}, "email": "yuki.tanaka@docomo.ne.jp", "birth_date": "1998-01-20"}),
        ("b", {"name": "Yuki Tanaka", "accounts": {"x": "@NightOwl"}}),
    ],
    "one name on one handle, but all else contradicts": [
        ("a", {"name": "John Carter", "accounts": {"x": "jcarter"}, "birth_date": "1961-04-04", "email": "johnc61@aol.com",
               "phone": "+1 617 555 0101"}),
        ("b", {"name": "John Carter", "accounts": {"x": "jcarter"}, "birth_date": "1999-10-19", "email": "carter.j@proton.me",
               "phone": "+1 206 555 0199"}),
    ],
    "a bare handle joins what nothing contradicts": [
        ("a", {"name": "Ines Duarte", "accounts": {"instagram": "ines.duarte.art"}}),
        ("a", {"accounts": {"instagram": "@Ines.Duarte.Art"}, "email": "hello@inesduarte.pt", "name": "Ines Duarte"}),
    ],
    "one handle on two channels is no evidence": [
        ("a", {"name": "Otto Krull", "accounts": {"x": "okrull"}, "birth_date": "1980-01-09"}),
        ("b", {"name": "Olga Krull", "accounts": {"github": "okrull"}, "birth_date": "1994-06-30"}),
    ],
    # impersonators
    "a stranger types another's mail": [
        ("a", {"name": "Helen Marsh", "email": "helen.marsh@gmail.com", "phone": "+44 7700 900111", "email_verified": True}),
        ("a", {"name": "Helen Marsh", "email": "helenmarsh@gmail.com", "birth_date": "1984-12-12"}),
        ("b", {"name": "Viktor Drago", "email": "helen.marsh@gmail.com", "email_verified": False, "accounts": {"x": "vdrago"}}),
        ("b", {"name": "Viktor Drago", "accounts": {"x": "vdrago"}, "phone": "+44 7700 900999"}),
    ],
    "a handle that looks alike": [
        ("a", {"name": "Oliver Stone", "accounts": {"x": "oliverstone"}, "email": "oliver@stonefilms.com"}),
        ("b", {"name": "Oliver Stone", "accounts": {"x": "0liverstone"}}),
        ("c", {"name": "Oliver Stone", "accounts": {"x": "oliverstone_"}}),
    ],
    # transliterated names
    "Cyrillic and Latin on one phone": [
        ("a", {"name": "Ольга Соловьёва", "phone": "+7 916 123-45-67"}),
        ("a", {"name": "Olga Solovyova", "phone": "8 (916) 123-45-67", "country": "RU"}),
        ("a", {"name": "Solovieva Olga", "phone": "+79161234567"}),
    ],
    "Ukrainian and German spelling on one mail": [
        ("a", {"name": "Андрій Кравчук", "email": "a.kravchuk@ukr.net"}),
        ("a", {"name": "Andrij Krawtschuk", "email": "a.kravchuk@ukr.net"}),
    ],
    "Greek and Latin on one mail": [
        ("a", {"name": "Νίκος Καζαντζής", "email": "nkazan@otenet.gr"}),
        ("a", {"name": "Nikos Kazantzis", "email": "nkazan@otenet.gr"}),
    ],
    "Hebrew and Latin on one phone": [
        ("a", {"name": "שרה לוי", "phone": "+972 54 123 4567"}),
        ("a", {"name": "Sarah Levi", "phone": "054-123-4567", "country": "IL"}),
    ],
    "Arabic and Latin on one mail": [
        ("a", {"name": "خالد منصور", "email": "k.mansour@batelco.bh"}),
        ("a", {"name": "Khaled Mansour", "email": "k.mansour@batelco.bh"}),
        ("a", {"name": "Khalid Mansoor", "email": "k.mansour@batelco.bh"}),
    ],
    "a couple in two scripts": [
        ("a", {"name": "Сергей Волков", "phone": "+7 903 555 11 22"}),
        ("b", {"name": "Svetlana Volkova", "phone": "+7 903 555 11 22"}),
        ("a", {"name": "Sergei Volkov", "phone": "+79035551122"}),
        ("b", {"name": "Светлана Волкова", "phone": "+79035551122"}),
    ],
    "Chinese with and without a blank": [
        ("a", {"name": "张伟", "phone": "+86 138 0013 8000", "birth_date": "1985-10-01"}),
        ("a", {"name": "Wei Zhang", "phone": "13800138000", "country": "CN", "birth_date": "1985-10-01"}),
        ("a", {"given_name": "Wei", "family_name": "Zhang", "phone": "+8613800138000"}),
    ],
    "Korean with the customary spelling": [
        ("a", {"name": "박지훈", "phone": "+82 10 2765 4318"}),
        ("a", {"name": "Park Ji-hoon", "phone": "010-2765-4318", "country": "KR"}),
    ],
    "umlauts in three spellings": [
        ("a", {"name": "Jörg Müller-Lüdenscheidt", "email": "jml@t-online.de"}),
        ("a", {"name": "Joerg Mueller-Luedenscheidt", "email": "jml@t-online.de"}),
        ("a", {"name": "Jorg Muller-Ludenscheidt", "email": "jml@t-online.de"}),
    ],
    # nicknames and swapped names
    "a nickname on one phone": [
        ("a", {"name": "Elizabeth Crane", "phone": "+1 303 555 0145"}),
        ("a", {"name": "Betsy Crane", "phone": "303-555-0145", "country": "US"}),
    ],
    "a nickname is no other member of the family": [
        ("a", {"name": "William Hobbs", "phone": "+1 303 555 0170", "birth_date": "1950-09-09"}),
        ("a", {"name": "Bill Hobbs", "phone": "+1 303 555 0170", "birth_date": "1950-09-09"}),
        ("b", {"name": "Betty Hobbs", "phone": "+1 303 555 0170", "birth_date": "1953-02-02"}),
    ],
    "family name first": [
        ("a", {"given_name": "Nagy", "family_name": "István", "email": "nagyistvan@freemail.hu"}),
        ("a", {"name": "István Nagy", "email": "nagyistvan@freemail.hu"}),
        ("a", {"name": "NAGY István", "email": "nagyistvan@freemail.hu", "phone": "+36 30 123 4567"}),
    ],
    "titles, middle names and a comma": [
        ("a", {"name": "Prof. Dr. Ulrike von Stein", "email": "ustein@uni-halle.de"}),
        ("a", {"name": "von Stein, Ulrike", "email": "ustein@uni-halle.de"}),
        ("a", {"name": "Ulrike M. von Stein", "email": "ustein@uni-halle.de"}),
    ],
    # phone prefixes, mail dots and tags
    "one phone in five spellings": [
        ("a", {"name": "Luigi Ferrari", "phone": spelt, "country": "IT"})
        for spelt in ("+39 347 123 4567", "0039 3471234567", "347 1234567", "347-123-4567", "tel:+393471234567")
    ],
    "the same digits in two countries": [
        ("a", {"name": "Emma Clarke", "phone": "+44 7911 123456"}),
        ("b", {"name": "Emma Clarke", "phone": "+61 7911 123456"}),
    ],
    "dots and tags of one mailbox": [
        ("a", {"name": "Nora Blum", "email": "nora.blum@gmail.com"}),
        ("a", {"name": "Nora Blum", "email": "norablum+shop@googlemail.com"}),
        ("a", {"email": "N.o.r.a.Blum@gmail.com"}),
    ],
    "dots elsewhere are other mailboxes": [
        ("a", {"name": "Nora Blum", "email": "nora.blum@firma.de"}),
        ("b", {"name": "Nils Blum", "email": "n.blum@firma.de"}),
    ],
    # placeholders and wrong types
    "placeholders join nobody": [
        ("a", {"name": "Jane Roe", "email": "none@none.com", "phone": "000-000-0000", "birth_date": "1900-01-01"}),
        ("b", {"name": "Jane Roe", "email": "none@none.com", "phone": "0000000000", "birth_date": "0000-00-00"}),
        ("c", {"name": "n/a", "email": "test@test.com", "phone": "123456789"}),
        ("d", {"name": "Unknown", "email": "test@test.com", "phone": "1234567890"}),
    ],
    "a newsletter address alone": [
        ("a", {"email": "petra.falk@posteo.de"}),
        ("a", {"name": "Petra Falk", "email": "petra.falk@posteo.de"}),
    ],
    "wrong types are missing": [
        ("a", {"name": "Ivo Perić", "email": "ivo.peric@t-com.hr", "phone": None, "accounts": "x"}),
        ("a", {"name": "Ivo Peric", "email": "ivo.peric@t-com.hr", "birth_date": {"year": 1980}, "city": ["Split"]}),
        ("b", {"name": {"first": "Ivo"}, "email": 7, "phone": True, "accounts": []}),
        ("c", {"name": ["Ivo", "Perić"], "email": False, "phone": [], "accounts": None}),
    ],
    "numbers where texts belong": [
        ("a", {"name": "Sophie Martin", "phone": 33612345678, "postcode": 75011, "birth_date": 19900512}),
        ("a", {"name": "Sophie Martin", "phone": "+33 6 12 34 56 78", "postcode": "75011", "birth_date": "1990-05-12"}),
    ],
    # chains and the whole
    "a chain over mail and phone": [
        ("a", {"name": "Ruben Costa", "accounts": {"x": "rcosta88"}}),
        ("a", {"name": "Ruben Costa", "accounts": {"x": "rcosta88"}, "email": "rcosta88@sapo.pt"}),
        ("a", {"name": "Ruben M. Costa", "email": "rcosta88@sapo.pt", "phone": "+351 912 345 678"}),
        ("a", {"name": "Ruben Costa", "phone": "912345678", "country": "PT"}),
    ],
    "an initial beside a phone is anybody of the house": [
        ("a", {"name": "Hedda Krogh", "email": "hedda.krogh@online.no"}),
        ("a", {"name": "H. Krogh", "email": "hedda.krogh@online.no", "phone": "+47 22 55 66 77"}),
        ("a?", {"name": "Hedda Krogh", "phone": "22556677", "country": "NO"}),
        ("b", {"name": "Harald Krogh", "phone": "22556677", "country": "NO", "email": "harald.krogh@online.no"}),
    ],
    "a poor record does not join twins": [
        ("a", {"name": "Nele Hartung", "birth_date": "2003-03-03", "phone": "+49 174 8889990"}),
        ("b", {"name": "Jule Hartung", "birth_date": "2003-03-03", "phone": "+49 174 8889990"}),
        ("a?b", {"name": "Hartung", "birth_date": "2003-03-03", "phone": "+49 174 8889990"}),
    ],
    "one who moved": [
        ("a", {"name": "Viktoria Lindqvist", "birth_date": "1977-07-21", "street": "Storgatan 1", "city": "Umeå"}),
        ("a", {"name": "Viktoria Lindqvist", "birth_date": "1977-07-21", "street": "Kungsgatan 40", "city": "Malmö"}),
    ],
    "flatmates": [
        ("a", {"name": "Jonas Weiss", "birth_date": "1996-01-02", **_HOME}),
        ("b", {"name": "Tarek Amin", "birth_date": "1995-08-19", **_HOME}),
        ("c", {"name": "Lisa Jonas", "birth_date": "1997-03-30", **_HOME}),
    ],
    "nothing but a name and a city": [
        ("a", {"name": "Quentin Featherstonehaugh", "city": "Nottingham"}),
        ("b", {"name": "Quentin Featherstonehaugh", "city": "Nottingham", "country": "GB"}),
    ],
}  # fmt: skip
