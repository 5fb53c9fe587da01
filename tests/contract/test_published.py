"""What is published about the topics is what the models say."""

from support.published import documents


def test_documents_are_as_the_models_say() -> None:
    stale = [path.name for path, text in documents().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert not stale, f"{', '.join(stale)}: write them anew with `cd tests && python -m support.published`"
