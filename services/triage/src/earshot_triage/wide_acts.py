"""Acts that are about no single case: what the rules are, and what becomes of themes.

Owns their verbs, their reading and their keeping. Each is kept under its own id, so that the copy that comes round by the topic, or a
replay, changes nothing; which of several counts is decided by (at, action_id), never by the order of arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from earshot_shared.actions import Action
from earshot_triage.config import TriageConfig
from earshot_triage.events import SERVICE, key_of
from earshot_triage.repository import QUERIES
from earshot_triage.settling import settle

PUT_RULES: Final = "put-rules"
RULES_SUBJECT: Final = "rules"
THEME_STATUS: Final = "theme-status"
MERGE_THEME: Final = "merge-theme"
SPLIT_THEME: Final = "split-theme"
ThemeStatus = Literal["open", "planned", "shipped", "declined"]


class PutRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules that hold from now on; without a document those of the file hold again."""

    version: str | None = None
    document: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None

    @property
    def text(self) -> str | None:
        """The document, None without one."""
        return None if self.version is None else bytes(self.document).decode()


class SetThemeStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of a theme; ``text`` is for colleagues."""

    status: ThemeStatus
    text: str | None = None


class MergeTheme(msgspec.Struct, frozen=True, omit_defaults=True):
    """The theme of another item (its feedback_id) is the same."""

    other: str
    reason: str | None = None


class SplitTheme(msgspec.Struct, frozen=True, omit_defaults=True):
    """These items (feedback_ids) are a theme of their own."""

    items: tuple[str, ...]
    reason: str | None = None


Said = PutRules | SetThemeStatus | MergeTheme | SplitTheme
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    PUT_RULES: msgspec.json.Decoder(PutRules),
    THEME_STATUS: msgspec.json.Decoder(SetThemeStatus),
    MERGE_THEME: msgspec.json.Decoder(MergeTheme),
    SPLIT_THEME: msgspec.json.Decoder(SplitTheme),
}
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class WideAct:
    """One such act with what it says. ``keys`` are those of the items it names: of a theme's act the theme's own first."""

    action: Action
    said: Said
    keys: tuple[str, ...] = ()


def is_wide(action: Action) -> bool:
    """Say whether an action is one of these."""
    return action.service == SERVICE and action.verb in _DECODERS


def read(action: Action) -> WideAct:
    """Return an action with what it says.

    Raises: msgspec.DecodeError, ValueError when that is nothing we know.
    """
    said: Said = _DECODERS[action.verb].decode(action.arguments)
    match said:
        case PutRules():
            if said.text is not None:
                TriageConfig.model_validate_json(said.text)
            return WideAct(action=action, said=said)
        case MergeTheme():
            named: tuple[str, ...] = (said.other,)
        case SplitTheme():
            named = said.items
        case SetThemeStatus():
            named = ()
    return WideAct(action=action, said=said, keys=(key_of(action.subject), *map(key_of, named)))


async def keep(conn: Any, acts: Sequence[WideAct]) -> None:
    """Keep acts; those that are known, or older than what holds, change nothing."""
    for act in acts:
        action, said = act.action, act.said
        if isinstance(said, PutRules):
            if said.text is not None:
                await conn.execute(QUERIES["keep_rules"], said.version, said.text)
            await conn.execute(QUERIES["put_rules"], action.action_id, action.at, str(action.actor), said.version, said.text, said.reason)
            continue
        await conn.fetchrow(QUERIES["lock_gathering"])  # so that themes stand still meanwhile
        other = act.keys[1] if isinstance(said, MergeTheme) else None
        body = _encoder.encode(action)
        await conn.execute(QUERIES["insert_theme_act"], action.action_id, action.verb, act.keys[0], other, action.at, body)
        if isinstance(said, SplitTheme):
            await conn.execute(QUERIES["put_parts"], list(act.keys[1:]), action.action_id, action.at)
        if not isinstance(said, SetThemeStatus):
            await settle(conn, act.keys[1:])
