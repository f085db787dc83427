"""The team and its rota of the flows' tests, for calendars."""

from tests.component.flows.conftest import world  # noqa: F401 - a fixture
