"""The routes of the signed-in pages, and the door in front of each.

Knows paths. Refuses what they show (schedules, incidents) and who may see it (sessions). Serves web.app.
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from oncall_bot.store.db import Store
from oncall_bot.web.html import Pages
from oncall_bot.web.incidents import IncidentPages
from oncall_bot.web.schedules import SchedulePages
from oncall_bot.web.sessions import SessionDoor

_LOOK: Final = ["GET", "HEAD"]


def add_site(app: FastAPI, store: Store, pages: Pages, door: SessionDoor) -> None:
    """Schedules, incidents, signing in and out."""
    _add_door(app, door)
    _add_schedules(app, SchedulePages(store, pages, door.base), door)
    _add_incidents(app, IncidentPages(store, pages, door.base), door)


def _add_door(app: FastAPI, door: SessionDoor) -> None:
    @app.api_route("/sign-in/{key}", methods=_LOOK)
    async def show(key: str, request: Request) -> Response:
        return await door.show(key, request)

    @app.post("/sign-in/{key}")
    async def sign_in(key: str, request: Request) -> Response:
        return await door.press(key, request)

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        return await door.leave(request)


def _add_schedules(app: FastAPI, schedules: SchedulePages, door: SessionDoor) -> None:
    @app.api_route("/schedules", methods=_LOOK)
    async def all_schedules(request: Request) -> Response:
        looker = await door.looker(request)
        if looker is None:
            return door.turned_away(request.url.path)
        return await schedules.all(request, looker)

    @app.api_route("/schedules/{key}", methods=_LOOK)
    async def one_schedule(key: str, request: Request) -> Response:
        looker = await door.looker(request)
        if looker is None:
            return door.turned_away(request.url.path)
        return await schedules.one(key, request, looker)


def _add_incidents(app: FastAPI, incidents: IncidentPages, door: SessionDoor) -> None:
    @app.api_route("/incidents", methods=_LOOK)
    async def latest(request: Request) -> Response:
        looker = await door.looker(request)
        if looker is None:
            return door.turned_away(request.url.path)
        return await incidents.latest(looker)

    @app.api_route("/incidents/{number}", methods=_LOOK)
    async def one_incident(number: str, request: Request) -> Response:
        looker = await door.looker(request)
        if looker is None:
            return door.turned_away(request.url.path)
        return await incidents.one(number, request, looker)
