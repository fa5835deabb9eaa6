"""Fixtures that every test may use; each lives in the module of its topic."""

from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.approvals",
    "tests.fixtures.messaging",
    "tests.fixtures.brokers",
    "tests.fixtures.parts",
]

# How long an example takes says more of the machine than of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
