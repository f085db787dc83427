"""demo: an incident lived through in a practice Slack, by a person in the browser or scripted in the terminal.

Knows flags, the temporary folder and how it all ends. Refuses to know stories (practice has them) and the bot's parts:
it makes the real App and hands it over. Nothing here leaves loopback.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncall_bot.cli.terminal import FAULT, JsonFlag, as_json, note, say
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.practice.director import Director
    from oncall_bot.practice.plot import Setting, Story
    from oncall_bot.practice.stage import Stage

PORT = 8090


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The page's port; 0 takes any.")
    ] = PORT,
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Play the stories here, without a browser.")
    ] = False,
    story: Annotated[
        list[str] | None,
        typer.Option("--story", metavar="NAME", help="Only this story; may be given again."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Rehearse with your own oncall.yaml."),
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Slack by signed requests instead of Socket Mode.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Keep databases and the log in this folder."),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    json: JsonFlag = False,
) -> None:
    """Live through an incident in a practice Slack.

    Everything runs on this machine and is gone afterwards: a practice Slack in the browser, phones that ring, a
    practice Prometheus, and the real bot beside them. Choose a story, or try whatever you like. Nothing leaves
    loopback, with --config neither: its roads lead to the practice phones.

    --scripted plays the stories in the terminal, prints what everybody saw and whether what was expected came true;
    exit 1 when it did not.

    Example: oncall-bot demo
    """
    import asyncio

    from oncall_bot import app as wiring

    setting, notes = _setting(config)
    stories = _stories(setting, story or [])
    with (
        _folder(keep) as folder,
        _log(folder),
        asyncio.Runner(loop_factory=wiring.new_loop) as runner,
    ):
        stage = lambda: _stage(setting, folder, http_mode=http, keep_runs=keep is not None)  # noqa: E731 - made on the loop
        if scripted:
            held = runner.run(_perform(stage, stories, notes, as_program=json))
            if not held:
                raise typer.Exit(FAULT)
            return
        runner.run(_serve(stage, stories, notes, port=port, first=story, open_page=not no_open))


# --- what is played -------------------------------------------------------------------------------------------------


def _setting(config: Path | None) -> tuple[Setting, list[str]]:
    if config is None:
        from oncall_bot.practice.stories.cast import SETTING

        return SETTING, []
    from oncall_bot.cli.rehearsal import rehearsed

    found = rehearsed(config)
    return found.setting, found.notes


def _stories(setting: Setting, wanted: Sequence[str]) -> list[Story]:
    from oncall_bot.cli.terminal import unknown
    from oncall_bot.practice.stories import OWN_STORIES, STORIES

    there = {story.name: story for story in (OWN_STORIES if setting.own else STORIES)}
    for name in wanted:
        if name not in there:
            raise unknown("story", name, there)
    return [there[name] for name in dict.fromkeys(wanted)] or list(there.values())


def _stage(setting: Setting, folder: Path, *, http_mode: bool, keep_runs: bool) -> Stage:
    from oncall_bot.practice.stage import Stage
    from oncall_bot.practice.transcript import Overheard
    from oncall_bot.slack.manifest import manifest

    return Stage(
        setting,
        _make_bot,
        lambda request_url: manifest(request_url=request_url),
        folder,
        begins_at=datetime.now(UTC),
        feed=Overheard(),
        http_mode=http_mode,
        keep_runs=keep_runs,
    )


def _make_bot(env: Any, clock: Callable[[], datetime]) -> Any:
    """The real bot, which knows practice by its settings only."""
    from oncall_bot.app import App
    from oncall_bot.settings import load_settings

    return App(load_settings(env), clock=clock, open_here=True)


# --- a folder that is gone afterwards -------------------------------------------------------------------------------


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A temporary folder, or the one to keep."""
    try:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix="demo-", dir=keep.resolve()))
        else:
            held = tempfile.TemporaryDirectory(prefix="oncall-demo-", ignore_cleanup_errors=True)
            made = Path(held.name)
    except OSError as error:
        where = keep or Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - only named, not used
        mend = "choose another folder" if keep else "set TMPDIR to a folder you may write to"
        raise OncallError(f"{where} cannot be written ({error.strerror}); {mend}.") from None
    try:
        yield made
    finally:
        if keep is None:
            held.cleanup()
        else:
            note(f"Databases and the bot's log are in {made}.")


@contextmanager
def _log(folder: Path) -> Iterator[None]:
    """The bot's log goes to a file there, not over the page's address."""
    from oncall_bot.telemetry import logs

    with (folder / "bot.log").open("w", encoding="utf-8") as stream:
        logs.configure("info", "json", stream=stream)
        try:
            yield
        finally:
            logs.configure("error", "console")


# --- in the browser -------------------------------------------------------------------------------------------------


async def _serve(
    make_stage: Callable[[], Stage],
    stories: Sequence[Story],
    notes: Sequence[str],
    *,
    port: int,
    first: Sequence[str] | None,
    open_page: bool,
) -> None:
    """Until SIGINT or SIGTERM; whatever happens, everything is stopped."""
    import asyncio
    import signal

    from oncall_bot.practice.director import Director

    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    stage = make_stage()
    stage.notes.extend(notes)
    director = Director(stage, stories)
    living = asyncio.create_task(_live(stage, director, notes, port, first, open_page=open_page))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({living, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    living.cancel()
    await asyncio.wait({living})
    if not living.cancelled() and (error := living.exception()) is not None:
        raise error
    say()


async def _live(
    stage: Stage,
    director: Director,
    notes: Sequence[str],
    port: int,
    first: Sequence[str] | None,
    *,
    open_page: bool,
) -> None:
    import asyncio
    import sys

    from oncall_bot.practice.server import PageServer

    server = PageServer(stage, director)
    try:
        try:
            await server.start(port)
        except OSError as error:
            raise OncallError(
                f"--port: cannot listen on 127.0.0.1:{port} ({os.strerror(error.errno or 0)});"
                " choose another one, or --port 0 for any."
            ) from None
        if first:
            await director.start(first[0])
        else:
            await director.free()
        say(f"{server.url}")
        say("Open it, choose a story, and do what the line at the top says. Ctrl-C ends it all.")
        for one in notes:
            note(one)
        sys.stdout.flush()
        if open_page and sys.stdout.isatty():
            _open(server.url)
        await asyncio.Event().wait()
    finally:
        await director.close()
        await server.stop()
        await stage.stop()


def _open(url: str) -> None:
    """In the browser, where there is one to see."""
    import sys
    import webbrowser

    if (
        sys.platform in ("darwin", "win32")
        or os.environ.get("DISPLAY")
        or os.environ.get("WAYLAND_DISPLAY")
    ):
        webbrowser.open(url)


# --- in the terminal ------------------------------------------------------------------------------------------------


async def _perform(
    make_stage: Callable[[], Stage],
    stories: Sequence[Story],
    notes: Sequence[str],
    *,
    as_program: bool,
) -> bool:
    """Play them one after the other; whether everything expected came true."""
    from oncall_bot.practice.playbill import Playbill

    for one in notes:
        note(one)
    playbill = Playbill(make_stage(), stories, tell=(lambda line: None) if as_program else say)
    played = await playbill.perform()
    if as_program:
        as_json({"ok": all(one.held for one in played), "stories": [one.plain() for one in played]})
    return all(one.held for one in played)
