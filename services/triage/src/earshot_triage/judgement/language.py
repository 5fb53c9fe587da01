"""In which language a text is written, or that it cannot be told.

Owns the small profiles (scripts, telling letters, common words) of the languages it knows. "unknown" beats a guess: a
name, a link, one shared word or an even mixture is unknown. Must not read files; costs about a microsecond a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.verdict import UNKNOWN_LANGUAGE

_WORDS: Final = {
    "en": "as a no u r i me man new friends cool others sure racist im dont cant the and you for that with this"
    " have your are was not but what all just they from can will about when would there"
    " how get been has their we my me our it is of to i'm it's don't can't i've you're didn't doesn't isn't won't that's"
    " if out so up who why where which them then than because please thanks thank love great good very really never every"
    " always still after before again need want help why could should does did got being were his her she he some only also"
    " crash crashes crashed crashing fix fixed broken slow refund customer account order phone best bad work works working time day"
    " today flight hours waiting nice"
    " awesome amazing hello how's i'd i'll let make my one people right see same say way well awful terrible worst wait wrong",
    "de": "der die das und ist nicht ich sie es mit ein eine einen einem für auf den dem von zu wir ihr euch mich mir kein"
    " keine aber auch noch schon nur wenn wie was wer warum bitte danke sehr gut schlecht immer nie mehr seit haben habe hat"
    " sind war wird werden kann können muss bei nach aus über oder doch mal jetzt heute hier leider meine mein funktioniert"
    " geht wieder dass weil ihre ihren ihnen diese dieser im am zum zur wann wo wieso welche kommt kommen komme finde gibt"
    " bekomme bekommen unsere unser dann beim vom ab dort alles ganz viel stürzt abgestürzt rechnung lieferung bestellung konto",
    "fr": "le la les et est pas je vous nous il elle un une des du pour avec dans sur que qui ne mais plus très bien merci"
    " bonjour j'ai c'est n'est ce cette ces mon ma mes votre vos notre sont avez suis fait faire être avoir toujours jamais"
    " aussi comme pourquoi comment quand depuis encore rien tout tous impossible d'un d'une au aux l'application qu'il ça"
    " elles ils on sans",
    "es": "el la los las y es no yo que de en un una por para con mi su se lo me te pero muy más gracias hola está están"
    " estoy ser tengo tiene hay como cuando donde porque qué cómo si ya todo también nunca siempre desde hasta sin sobre"
    " puedo puede hacer bien mal mejor peor servicio cuenta ayuda favor mis sus esta este eso nada del al buena bueno",
    "it": "il lo la gli le e è non io che di in un una per con mi si ma molto più grazie ciao sono sei ho hai ha abbiamo come"
    " quando dove perché anche sempre mai da del della dei delle nel nella al alla questo questa ancora tutto tutti bene male"
    " servizio buongiorno vorrei posso può già senza dopo ottimo c'è",
    "pt": "o a os as e é não eu que de em um uma por para com meu minha se mas muito mais obrigado obrigada olá está estou"
    " ser tenho tem há como quando onde porque também nunca sempre desde até sem sobre posso pode fazer bem mal melhor pior"
    " você vocês isso nada do da dos das no na ao já só foi bom boa ainda",
    "nl": "de het een en is niet ik je jij u wij we ze zij dat die van voor met op aan in te om er maar ook nog al wel geen"
    " mijn jullie heb heeft hebben ben bent zijn was wordt worden kan kunnen moet bij naar uit over of waarom hoe wat wanneer"
    " alstublieft bedankt dank goed slecht altijd nooit meer sinds gaat doet werkt deze dit heel graag",
    "sv": "och är inte jag du det den en ett som för med på av till vi ni de mig dig men också bara när hur vad varför tack"
    " hej bra dåligt alltid aldrig mer sedan har hade kan måste från eller nu idag här min mitt mina fungerar detta mycket",
    "da": "og er ikke jeg du det den en et som for med på af til vi i de mig dig men også kun når hvordan hvad hvorfor tak"
    " hej godt dårligt altid aldrig mere siden har havde kan skal fra eller nu her min mit mine virker meget være blev",
    "no": "og er ikke jeg du det den en et som for med på av til vi dere de meg deg men også bare når hvordan hva hvorfor"
    " takk hei bra dårlig alltid aldri mer siden har hadde kan må fra eller nå her min mitt mine fungerer veldig være ble",
    "fi": "ja on ei en minä sinä se että joka mutta myös vain kun miten mitä miksi kiitos hei hyvä huono aina mikä"
    " olen olet ovat oli voi pitää nyt tänään täällä minun toimi toimii kanssa ole enää vielä sitten todella",
    "pl": "i jest nie ja ty to że z na do w się dla ale też tylko gdy jak co dlaczego proszę dziękuję dzień dobry bardzo"
    " zawsze nigdy mam masz ma są był była być może od po przez czy już jeszcze moje mój moja działa",
    "cs": "a je není já ty to že s na do v se pro ale také jen když jak co proč prosím děkuji dobrý den velmi vždy nikdy mám"
    " máte má jsou byl byla být může od po nebo už ještě můj moje nefunguje funguje jsem jste",
    "ro": "și este nu eu tu că cu la în pentru dar doar când cum ce de mulțumesc bună foarte mereu niciodată am ai are"
    " sunt era fi poate după sau mai meu mea merge acest nici vă",
    "hu": "és van nem én te hogy a az egy de csak mikor hogyan mit miért kérem köszönöm jó rossz mindig soha vagyok volt"
    " lehet után vagy már még működik nagyon ez is ezt",
    "tr": "ve bir bu değil ben sen için ile ama da de çok nasıl ne neden lütfen teşekkürler merhaba iyi kötü her zaman var"
    " yok mı mi mu olarak daha sonra kadar gibi şey çalışmıyor bana beni uygulama",
    "id": "dan yang di ini itu tidak saya anda untuk dengan dari ke ada bisa sudah belum juga hanya kenapa bagaimana apa"
    " tolong terima kasih bagus sekali selalu aplikasi akan karena sangat kami kalau gak nya banget",
    "ru": "и в не на я что это с как у вы мы он она но по за из то все же так для если только ещё уже нет да спасибо очень"
    " почему когда где можно пожалуйста хорошо плохо работает был есть меня мне",
    "uk": "і в не на я що це з як у ви ми він вона але за та все ж так для якщо тільки ще вже немає дякую дуже чому коли де"
    " можна будь ласка добре погано працює був є мене мені",
    "bg": "и в не на аз че това с как вие ние той тя но по за от то все да за ако само още вече няма благодаря много защо"
    " кога къде може моля добре лошо работи беше има съм са",
}  # fmt: skip
_LETTERS: Final = {
    "ß": "de", "ñ": "es", "¿": "es", "¡": "es", "ã": "pt", "õ": "pt", "ğ": "tr", "ı": "tr", "ş": "tr", "ł": "pl", "ż": "pl",
    "ś": "pl", "ę": "pl", "ř": "cs", "ě": "cs", "ů": "cs", "ő": "hu", "ű": "hu", "ș": "ro", "ț": "ro", "ă": "ro", "œ": "fr",
    "ї": "uk", "є": "uk", "ґ": "uk", "ы": "ru", "э": "ru", "ё": "ru", "ъ": "bg",
}  # fmt: skip
_SCRIPTS: Final = (
    ("ja", "[\u3040-\u30ff]"), ("ko", "[\uac00-\ud7af\u1100-\u11ff]"), ("zh", "[\u4e00-\u9fff\u3400-\u4dbf]"),
    ("th", "[\u0e00-\u0e7f]"), ("he", "[\u0590-\u05ff]"), ("el", "[\u0370-\u03ff]"), ("hi", "[\u0900-\u097f]"),
    ("bn", "[\u0980-\u09ff]"), ("ta", "[\u0b80-\u0bff]"), ("te", "[\u0c00-\u0c7f]"), ("ka", "[\u10a0-\u10ff]"),
    ("hy", "[\u0530-\u058f]"), ("am", "[\u1200-\u137f]"), ("km", "[\u1780-\u17ff]"), ("ar", "[\u0600-\u06ff]"),
)  # fmt: skip
_SCRIPT: Final = re.compile("|".join(f"(?P<{code}>{letters})" for code, letters in _SCRIPTS))
# Any letter that `_by_script` may count: one class is searched much faster than the alternatives by name.
_FOREIGN: Final = re.compile("[ăđơưĂĐƠƯ\u0370-\u03ff\u0530-\u1fff\u3040-\u30ff\u3400-\ud7af]")
_LATIN: Final = re.compile("[A-Za-zÀ-ɏЀ-ӿ]")
_PERSIAN: Final = re.compile("[پچژگی]")
_URDU: Final = re.compile("[ٹڈڑےں]")
_VIETNAMESE: Final = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
_TELLING: Final = re.compile("[" + "".join(_LETTERS) + "]")


LANGUAGES: Final = tuple(sorted(_WORDS, reverse=True))
"""The languages with a profile; where two are as likely, the first."""
ONE: Final = 840
"""One word's evidence, in whole numbers: up to eight languages share it evenly."""
_LETTER: Final = 252
"""The evidence of a word of one letter."""


def _profile() -> dict[str, list[int]]:
    owners: dict[str, list[str]] = {}
    for code, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            owners.setdefault(word, []).append(code)
    shares = {word: (_LETTER if len(word) == 1 else ONE) // len(codes) for word, codes in owners.items()}
    return {word: [shares[word] * (code in codes) for code in LANGUAGES] for word, codes in owners.items()}


_PROFILE: Final = _profile()


LETTERS: Final = -1
"""The column of `profiles_of` that tells words from numbers and marks."""


def profiles_of(words: Sequence[str]) -> NDArray[np.float32]:
    """Return what each word says for each of LANGUAGES, in units of 1 / ONE, and whether it is of letters at all (1 or 0)."""
    found = np.zeros((len(words), len(LANGUAGES) + 1), dtype=np.float32)
    found[:, LETTERS] = [word[0].isalpha() for word in words]
    for row, word in enumerate(words):
        if word in _PROFILE:
            found[row, :LETTERS] = _PROFILE[word]
    return found


_NAMES: Final = (*LANGUAGES, UNKNOWN_LANGUAGE)
LEAST_EVIDENCE: Final = 1.0
"""One word that no other language shares, or two that two share."""
LEAST_LEAD: Final = 1.5
LEAST_SHARE: Final = 0.1
"""Part of the words that must speak for the language: a Polish text with `i` and `to` in it is not English."""


def languages_of(cleaned: Sequence[str], plain: int, evidence: NDArray[np.float32]) -> list[str]:
    """Return the ISO 639-1 code of each cleaned text, or "unknown".

    The first `plain` texts are ASCII. `evidence` (N x LANGUAGES and one) is the sum of `profiles_of` over each text's
    distinct words.
    """
    scores, count = evidence[:, :LETTERS].copy(), evidence[:, LETTERS]
    scripts: dict[int, str] = {}
    for index in range(plain, len(cleaned)):
        text = cleaned[index]
        script = _by_script(text) if _FOREIGN.search(text) else None
        if script:
            scripts[index] = script
        for letter in _TELLING.findall(text.lower()):
            scores[index, LANGUAGES.index(_LETTERS[letter])] += ONE // 2
    rows = np.arange(len(scores))
    best = scores.argmax(axis=1)
    top = scores[rows, best]
    scores[rows, best] = 0
    least = np.maximum(LEAST_LEAD * np.maximum.reduce(scores, axis=1), LEAST_SHARE * ONE * count)
    sure = top >= np.maximum(least, LEAST_EVIDENCE * ONE)
    best[~sure] = len(LANGUAGES)
    found = [_NAMES[number] for number in best.tolist()]
    for index, code in scripts.items():
        found[index] = code
    return found


def language_of(cleaned: str, words: Iterable[str]) -> str:
    """Return the ISO 639-1 code of one cleaned text with its words in lower case, or "unknown"."""
    evidence = profiles_of(sorted(set(words))).sum(axis=0, keepdims=True)
    return languages_of([cleaned], int(cleaned.isascii()), evidence)[0]


def _by_script(cleaned: str) -> str | None:
    """Return the language of a script that one language owns, when that script makes up most of the letters."""
    counts: dict[str, int] = {}
    for match in _SCRIPT.finditer(cleaned):
        code = match.lastgroup or ""
        counts[code] = counts.get(code, 0) + 1
    if not counts:
        if len(_VIETNAMESE.findall(cleaned.lower())) >= 2:
            return "vi"
        return None
    total = sum(counts.values())
    if total < 2 or total <= len(_LATIN.findall(cleaned)) / 2:
        return None if total * 2 < len(_LATIN.findall(cleaned)) else UNKNOWN_LANGUAGE
    if "ja" in counts:
        return "ja"
    best = max(counts, key=lambda code: (counts[code], code))
    if best == "ar":
        return "ur" if _URDU.search(cleaned) else "fa" if _PERSIAN.search(cleaned) else "ar"
    return best
