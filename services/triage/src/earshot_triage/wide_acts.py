"""Acts that are about no single case: what the rules are, and what becomes of themes.

Owns their verbs, their reading and their keeping. Each is kept under its own id, so that the copy that comes round by the topic, or a
replay, changes nothing; which of several counts is decided by (at, action_id), never by the order of arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from earshot_shared.actions import Action
from earshot_triage.config import TriageConfig
from earshot_triage.events import SERVICE
from earshot_triage.repository import QUERIES

PUT_RULES: Final = "put-rules"
RULES_SUBJECT: Final = "rules"
VERBS: Final = frozenset({PUT_RULES})


class PutRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules that hold from now on; without a document those of the file hold again."""

    version: str | None = None
    document: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None

    @property
    def text(self) -> str | None:
        """The document, None without one."""
        return None if self.version is None else bytes(self.document).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class WideAct:
    """One such act; ``rules`` is what `put-rules` says."""

    action: Action
    rules: PutRules


_put_rules = msgspec.json.Decoder(PutRules)


def is_wide(action: Action) -> bool:
    """Say whether an action is one of these."""
    return action.service == SERVICE and action.verb in VERBS


def read(action: Action) -> WideAct:
    """Return an action with what it says.

    Raises: msgspec.DecodeError, ValueError when that is nothing we know.
    """
    said = _put_rules.decode(action.arguments)
    if said.text is not None:
        TriageConfig.model_validate_json(said.text)
    return WideAct(action=action, rules=said)


async def keep(conn: Any, acts: Sequence[WideAct]) -> None:
    """Keep acts; those that are known, or older than what holds, change nothing."""
    for act in acts:
        action, said = act.action, act.rules
        if said.text is not None:
            await conn.execute(QUERIES["keep_rules"], said.version, said.text)
        await conn.execute(QUERIES["put_rules"], action.action_id, action.at, str(action.actor), said.version, said.text, said.reason)
