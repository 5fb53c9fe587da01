"""docs/settings.md says what the settings classes say."""

from pathlib import Path

from earshot_shared.settings_page import settings_page

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run: python -m earshot_shared.settings_page > docs/settings.md"
