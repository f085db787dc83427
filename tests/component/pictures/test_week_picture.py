"""The week's picture in an answer: uploaded with its words, and an answer without it where that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oncall_bot.pictures.png import PngPictures
from oncall_bot.ports import DeliveryError
from oncall_bot.slack.week_picture import week_picture
from oncall_bot.store.db import Store
from tests.component.web.site import Site
from tests.databases import HandClock


class Files:
    """Slack's files, as far as they are uploaded here."""

    def __init__(self, fault: DeliveryError | None = None) -> None:
        self.fault = fault
        self.kept: list[tuple[bytes, str, str]] = []

    async def keep(self, png: bytes, name: str, alt: str) -> str:
        if self.fault is not None:
            raise self.fault
        self.kept.append((png, name, alt))
        return "F0WEEK"


@pytest.fixture
def pictures() -> Iterator[PngPictures]:
    found = PngPictures()
    yield found
    found.close()


@pytest.fixture
def rota(store: Store, clock: HandClock) -> Store:
    site = Site(store, clock)
    site.is_lived_in()
    return store


async def test_the_picture_is_uploaded_and_shown_with_its_words(
    rota: Store, pictures: PngPictures
) -> None:
    files = Files()
    block = await week_picture(rota, pictures.week, files.keep, "checkout-primary", person="ana")
    assert block is not None
    assert (block["type"], block["slack_file"]) == ("image", {"id": "F0WEEK"})
    assert block["alt_text"].startswith("checkout-primary, 19 to 25 October, Berlin time.")
    assert "Nobody is on call Saturday 24, 09:00 to 18:00." in block["alt_text"]
    [(png, name, alt)] = files.kept
    assert png.startswith(b"\x89PNG")
    assert (name, alt) == ("schedule.png", block["alt_text"])
    assert len(alt) <= 2000


async def test_without_an_upload_there_is_no_picture_and_no_fault(
    rota: Store, pictures: PngPictures
) -> None:
    files = Files(DeliveryError("Slack does not take files now"))
    assert await week_picture(rota, pictures.week, files.keep, "checkout-primary") is None


async def test_an_unknown_schedule_has_none(rota: Store, pictures: PngPictures) -> None:
    assert await week_picture(rota, pictures.week, Files().keep, "nothing") is None
