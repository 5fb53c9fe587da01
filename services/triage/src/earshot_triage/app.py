"""The HTTP side of triage: its routes behind the door."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from earshot_shared.administration.routes import administration
from earshot_shared.http.app import create_app
from earshot_shared.http.door import Door
from earshot_shared.service import Parts
from earshot_triage.acting import Desk
from earshot_triage.correcting import CorrectionsDesk
from earshot_triage.routes_acting import acting_routes, alert_routes
from earshot_triage.routes_correcting import correcting_routes
from earshot_triage.routes_figures import figures_routes
from earshot_triage.routes_reading import reading_routes
from earshot_triage.routes_rules import rules_routes
from earshot_triage.routes_themes import themes_routes
from earshot_triage.rulebook import RuleBook
from earshot_triage.ruling import RulesDesk
from earshot_triage.stage import TriageStage
from earshot_triage.theming import ThemesDesk


def make_app(parts: Parts, stage: TriageStage, book: RuleBook, clock: Callable[[], datetime]) -> Door:
    """Return the ASGI application of triage."""
    rules_desk = RulesDesk(parts.runtime.writer, book, clock=clock, new_id=uuid4)
    corrections_desk = CorrectionsDesk(parts.runtime.writer, stage, clock=clock, new_id=uuid4)
    themes_desk = ThemesDesk(parts.runtime.writer, clock=clock, new_id=uuid4)
    desk = Desk(parts.runtime.writer, stage, clock=clock, new_id=uuid4)
    return create_app(
        parts.settings,
        title="Earshot triage",
        summary="Judges each item, routes it to those who can act, and keeps the cases and their clocks.",
        routers=[
            *reading_routes(parts, book, clock),
            acting_routes(desk),
            alert_routes(desk),
            correcting_routes(parts, corrections_desk),
            rules_routes(parts, book, rules_desk),
            *themes_routes(parts, themes_desk),
            figures_routes(parts, clock),
            *administration(parts),
        ],
        authenticate=parts.keyring,
        health=parts.health,
        metrics=parts.metrics,
    )
