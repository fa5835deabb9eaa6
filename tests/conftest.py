"""Fixtures that every test may use; each lives in the module of its topic."""

pytest_plugins = ["tests.fixtures.database", "tests.fixtures.approvals"]
