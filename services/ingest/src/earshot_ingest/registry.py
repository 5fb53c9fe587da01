"""Which sources there are and what each may assert, now: the file's and those kept by HTTP, the file's first.

Owns the one `SourceBook` of the process and its refreshing; other processes see a change within `REFRESH_S`.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from earshot_ingest import repository
from earshot_ingest.config import SourceConfig, SourcesConfig, book_of
from earshot_ingest.domain.sources import ANY, SourceBook
from earshot_shared.config import ConfigFile
from earshot_shared.errors import RetryableError
from earshot_shared.postgres import Pool, translated

_log = logging.getLogger(__name__)
REFRESH_S: Final = 3.0


class SourceRegistry:
    """The sources of one process."""

    def __init__(self, file: ConfigFile[SourcesConfig], pool: Pool, kept: Mapping[str, SourceConfig]) -> None:
        self._file = file
        self._pool = pool
        self._kept = kept
        self._book = book_of({**kept, **self.configured})
        file.follow(lambda _: self._rebuild())

    @property
    def configured(self) -> Mapping[str, SourceConfig]:
        """The sources of the file."""
        return self._file.current.model.sources

    @property
    def names(self) -> list[str]:
        """The names of the file's sources, without the default."""
        return sorted(name for name in self.configured if name != ANY)

    @property
    def version(self) -> str:
        """The version of the file."""
        return self._file.current.version

    def book(self) -> SourceBook:
        """Return what each source may assert."""
        return self._book

    def find(self, name: str) -> SourceConfig | None:
        """Return how a source is configured, by the file or by HTTP."""
        return self.configured.get(name) or self._kept.get(name)

    async def refresh(self) -> None:
        """Read the sources kept by HTTP again."""
        kept = await read_kept(self._pool)
        if kept != self._kept:
            self._kept = kept
            self._rebuild()

    def _rebuild(self) -> None:
        self._book = book_of({**self._kept, **self.configured})

    async def watch(self) -> None:
        """Keep up with the file and with other processes until cancelled."""
        while True:
            try:
                await self.refresh()
            except RetryableError as error:
                _log.warning("sources not refreshed", extra={"action": "sources_not_refreshed", "code": error.code})
            self._file.look()
            await asyncio.sleep(REFRESH_S)


async def read_kept(pool: Pool) -> dict[str, SourceConfig]:
    """Return the sources kept by HTTP.

    Raises: RetryableError, FatalError as `translate_asyncpg` has it.
    """
    with translated():
        rows = await repository.all_sources(pool)
    return {name: SourceConfig.model_validate_json(settings) for name, settings in rows.items()}
