"""One judge for all: loading is quick, but once is enough."""

import pytest

from earshot_triage.judgement import Judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The judge as it is shipped."""
    return Judge.load()
