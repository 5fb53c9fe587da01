"""The language of a text, or the admission that it cannot be told."""

import pytest

from earshot_triage.judgement.features import read
from earshot_triage.judgement.language import language_of


@pytest.mark.capability("L18")
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The app keeps crashing when I open it", "en"),
        ("App crashes", "en"),
        ("Die App stürzt immer ab", "de"),
        ("Die App stürzt ab", "de"),
        ("Wann kommt die Lieferung an?", "de"),
        ("Bonjour, je n'ai pas reçu ma commande", "fr"),
        ("¿Dónde está mi pedido?", "es"),
        ("Il servizio è pessimo", "it"),
        ("Não consigo entrar na conta", "pt"),
        ("De app werkt niet meer", "nl"),
        ("hej jag kan inte logga in", "sv"),
        ("jeg kan ikke logge inn, dere må hjelpe meg", "no"),
        ("Güncelleme çok kötü", "tr"),
        ("aplikasi ini bagus sekali", "id"),
        ("Привет, приложение не работает", "ru"),
        ("Дякую, дуже добре", "uk"),
        ("どうもありがとう", "ja"),
        ("这个应用很好", "zh"),
        ("앱이 작동하지 않아요", "ko"),
        ("مرحبا كيف حالك", "ar"),
        ("سلام این برنامه خوب است", "fa"),
        ("האפליקציה לא עובדת", "he"),
        ("Η εφαρμογή δεν λειτουργεί", "el"),
        ("tôi không thể đăng nhập", "vi"),
    ],
)
def test_language_is_told(text: str, language: str) -> None:
    found = read(text)
    assert language_of(found.cleaned, found.written) == language


@pytest.mark.capability("L18")
@pytest.mark.parametrize(
    "text", ["ok", "lol", "Sam", "https://t.co/abc", "", "😡😡", "#win", "12345", "a", "de", "XK-200", "app update", "service"]
)
def test_unknown_beats_a_guess(text: str) -> None:
    found = read(text)
    assert language_of(found.cleaned, found.written) == "unknown"
