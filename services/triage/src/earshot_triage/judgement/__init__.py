"""The judgement engine: what an item is, how it is meant, how grave it is.

Owns everything that is decided from a text alone. Must not know Kafka, Postgres, HTTP, the clock or chance.
"""

from earshot_triage.judgement.judge import Judge
from earshot_triage.judgement.verdict import Judgement, Label

__all__ = ["Judge", "Judgement", "Label"]
