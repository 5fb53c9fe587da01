"""Why an item is refused: one stable word, one sentence, and the field. Never what the client sent: that is personal data."""


class Refusal(Exception):  # a refusal is an answer to the client, not an error of ours
    """An item that cannot be taken. ``code`` is stable, ``detail`` says what to do, ``field`` is its path or empty."""

    def __init__(self, code: str, detail: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.field = field
