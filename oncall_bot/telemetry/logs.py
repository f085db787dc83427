"""How the process speaks of its work: one line an event, to stderr, as JSON or for a terminal.

Knows how a line is made safe: secrets replaced, values bounded, control characters gone. Refuses to
know what is worth saying. Serves every room; the standard library's loggers (uvicorn, slack_sdk,
apscheduler, httpx2) take the same road.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from oncall_bot.core.errors import BadInput
from oncall_bot.core.redaction import redact

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FORMATS: Final = ("json", "console")
MAX_VALUE: Final = 2_000  # characters of one value
MAX_TRACE: Final = 8_000  # of a traceback, its end kept: the last lines say what failed
MAX_ITEMS: Final = 50
MAX_DEPTH: Final = 4
HIDDEN: Final = "[hidden]"

_SECRET_NAME = re.compile(
    r"token|secret|passw(?:or)?d|passphrase|authorization|cookie|api_?key|private_?key|credential|dsn$",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"/(ack|ical|sign-in|phone/[\w.-]+/key)/[^\s\"'?#]+"
)  # such a path is a key in itself
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL_IN_TRACE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_TRACES = frozenset({"exception", "stack"})
_OURS = frozenset({"level", "timestamp", "logger"})  # written by us, safe as they are
_QUIETER: Final = {
    "uvicorn.access": logging.WARNING,  # one line a scrape and a probe tells nobody anything
    "httpx2": logging.WARNING,  # logs full addresses at INFO
    "httpcore2": logging.WARNING,
    "apscheduler": logging.WARNING,
    "slack_sdk": logging.INFO,  # at DEBUG it prints whole payloads
    "slack_bolt": logging.INFO,
    "asyncio": logging.WARNING,
}


def configure(level: str = "INFO", format: str = "json", *, stream: TextIO | None = None) -> None:  # noqa: A002
    """Send every log line of the process to `stream` (stderr), made safe, from `level` on.

    Called once, by app or cli. Calling it again replaces the former arrangement.
    """
    if level.upper() not in LEVELS:
        raise BadInput(f"log level {level!r} is not one of {', '.join(LEVELS)}")
    if format not in FORMATS:
        raise BadInput(f"log format {format!r} is not one of {', '.join(FORMATS)}")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                make_safe,
                *_renderers(format, handler.stream),
            ],
        )
    )
    _take_over(handler, level.upper())


def get_logger(room: str) -> structlog.stdlib.BoundLogger:
    """The logger of one room;

    `log.info("page sent", page_id=7)`: a fixed event, the rest as fields.
    """
    return structlog.stdlib.get_logger(room)


def about(**fields: object) -> AbstractContextManager[None]:
    """Within this block every line carries these fields (`incident_id=42`), across awaits and
    threads of the task.
    """
    return cast("AbstractContextManager[None]", structlog.contextvars.bound_contextvars(**fields))


def make_safe(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Every value of the line without secrets and control characters, no longer than allowed."""
    return {_name(key): _safe(key, value, 0) for key, value in list(event.items())[:MAX_ITEMS]}


def _safe(key: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value  # a count of tokens is not a token
    if key in _OURS:
        return str(value)
    if _SECRET_NAME.search(key):
        return HIDDEN
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"
    if isinstance(value, Mapping):
        return _safe_mapping(value, depth)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        if depth >= MAX_DEPTH:
            return "(…)"
        return [_safe("", item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    return _safe_text(key, value if isinstance(value, str) else str(value))


def _safe_mapping(value: Mapping[Any, Any], depth: int) -> object:
    if depth >= MAX_DEPTH:
        return "(…)"
    pairs = list(value.items())[:MAX_ITEMS]
    return {_name(str(key)): _safe(str(key), item, depth + 1) for key, item in pairs}


def _safe_text(key: str, text: str) -> str:
    if key in _TRACES:
        shown = text if len(text) <= MAX_TRACE else "…" + text[-MAX_TRACE:]
        return _CONTROL_IN_TRACE.sub(" ", _hide(shown))
    shown = text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
    return _CONTROL.sub(" ", _hide(shown))


def _hide(text: str) -> str:
    return _LINK.sub(r"/\1/" + HIDDEN, redact(text))


def _name(key: str) -> str:
    return _CONTROL.sub(" ", key[:100])


def _renderers(format: str, stream: TextIO) -> list[Processor]:  # noqa: A002
    if format == "json":
        return [structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _take_over(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _Handler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
        theirs.setLevel(logging.NOTSET)
    for name, quiet in _QUIETER.items():
        logging.getLogger(name).setLevel(max(quiet, logging.getLevelName(level)))


class _Handler(logging.StreamHandler[TextIO]):
    """A line that cannot be written is lost with a word about it, never with its content and never
    by raising.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        try:
            self.stream.write(f"a log line of {record.name} could not be written\n")
        except (OSError, ValueError):
            pass  # stderr is closed: there is nobody left to tell
