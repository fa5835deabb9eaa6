"""Fixtures of the attacks that go through the HTTP edge."""

from tests.fixtures.installation import installation, local_installation

__all__ = ["installation", "local_installation"]
