"""Fixtures of the tests of what is measured."""

from tests.fixtures.installation import installation, local_installation

__all__ = ["installation", "local_installation"]
