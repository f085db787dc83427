"""One request to an OpenAI-compatible server and the pieces of its answer, whole or streamed.

Knows the client library, its errors and the loose shapes that servers answer in. Refuses to retry, to wait
longer than it is told, and to believe that an answer is one.
Serves the model client, on a thread of its own.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oncall_bot.llm.dialect import Dialect, Question
from oncall_bot.llm.exchange import Ending, ModelError, TooLongError, Usage

if TYPE_CHECKING:
    import openai

CONNECT_WITHIN = 5.0
MOST_REFUSALS = 6
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|size|window)|exceed_context|maximum context|too many tokens"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|reduce the length",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CallPart:
    """A piece of a tool call; pieces with the same index belong together."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What came in one go."""

    text: str = ""
    calls: tuple[CallPart, ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None


def load() -> None:
    """Load the library, which takes a second or two: once, and not on a caller's time."""
    import openai  # noqa: F401 - for its effect


class Wire:
    """Requests to one server with one key for one model."""

    def __init__(self, base_url: str, api_key: str, model: str, dialect: Dialect) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._dialect = dialect

    def pieces(
        self, question: Question, within: float, hold: Callable[[Callable[[], None]], None]
    ) -> Iterator[Piece]:
        """The answer as it comes. `hold` is handed what hangs up. ModelError when there is no answer.

        An option that the server refuses is left out and the question put again.
        """
        import openai

        for _ in range(MOST_REFUSALS):
            options = self._dialect.options(self._model, question)
            with self._client(within) as client:
                hold(client.close)
                try:
                    yield from self._asked(client, options)
                    return
                except openai.APIStatusError as error:
                    if error.status_code not in (400, 404, 422) or not self._dialect.refused(
                        _said(error), options
                    ):
                        raise _refusal(error) from error
                except openai.APITimeoutError as error:
                    raise ModelError("The model did not answer in time.", Ending.LATE) from error
                except openai.APIConnectionError as error:
                    raise _unreachable(error) from error
                except openai.OpenAIError as error:
                    raise ModelError(
                        "The model's server broke off its answer with an error.", Ending.BROKEN
                    ) from error
                except (ValueError, TypeError, AttributeError) as error:
                    raise _garbage("did not answer in JSON") from error
        raise ModelError(
            "The model's server refuses every way of asking.", Ending.REFUSED, permanent=True
        )

    def _client(self, within: float) -> openai.OpenAI:
        import openai

        timeout = openai.Timeout(within, connect=min(CONNECT_WITHIN, within))
        # A redirect would carry the prompt to a server that nobody named. Certificates take 60 ms to
        # load; without TLS an empty list of them does, which trusts nobody.
        trusted = True if self._base_url.startswith("https:") else _trusting_nobody()
        return openai.OpenAI(
            base_url=self._base_url,
            api_key=self._api_key or "none",
            timeout=timeout,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                verify=trusted, timeout=timeout, follow_redirects=False
            ),
        )

    def _asked(self, client: openai.OpenAI, options: dict[str, Any]) -> Iterator[Piece]:
        if not options.get("stream"):
            yield _whole(_plain(client.chat.completions.create(**options)))
            return
        came = False
        for chunk in client.chat.completions.create(**options):
            came = True
            yield _streamed(_plain(chunk))
        if not came:  # it answered, but not with a stream: ask for the whole
            self._dialect.no_stream()
            options.pop("stream_options", None)
            yield _whole(_plain(client.chat.completions.create(**options | {"stream": False})))


def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _plain(answer: object) -> dict[str, Any]:
    """The decoded JSON behind the library's object, which checks no types."""
    to_dict = getattr(answer, "to_dict", None)
    plain = to_dict(warnings=False) if to_dict is not None else None
    if not isinstance(plain, dict):
        raise _garbage("did not answer like one")
    return plain


def _whole(completion: dict[str, Any]) -> Piece:
    choice = _first(completion)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _garbage("did not answer like one")
    calls = _calls(message.get("tool_calls"))
    text = message.get("content")
    if not isinstance(text, str) and not calls:
        raise _garbage("did not answer like one")
    finish = choice.get("finish_reason")
    return Piece(
        text if isinstance(text, str) else "",
        calls,
        finish if isinstance(finish, str) else "stop",
        _usage(completion),
    )


def _streamed(chunk: dict[str, Any]) -> Piece:
    choice = _first(chunk)
    delta = choice.get("delta")
    delta = delta if isinstance(delta, dict) else {}
    text, finish = delta.get("content"), choice.get("finish_reason")
    return Piece(
        text if isinstance(text, str) else "",
        _calls(delta.get("tool_calls")),
        finish if isinstance(finish, str) else "",
        _usage(chunk),
    )


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _calls(rows: object) -> tuple[CallPart, ...]:
    if not isinstance(rows, list):
        return ()
    return tuple(_call(row, n) for n, row in enumerate(rows) if isinstance(row, dict))


def _call(row: dict[str, Any], n: int) -> CallPart:
    function = row.get("function")
    function = function if isinstance(function, dict) else {}
    index = row.get("index")
    return CallPart(
        index if isinstance(index, int) else n,
        _text(row.get("id")),
        _text(function.get("name")),
        _text(function.get("arguments")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _usage(answer: dict[str, Any]) -> Usage | None:
    used = answer.get("usage")
    if not isinstance(used, dict):
        return None
    counted = (used.get("prompt_tokens"), used.get("completion_tokens"))
    if not all(isinstance(n, int) and 0 <= n < 10**9 for n in counted):
        return None
    return Usage(int(counted[0] or 0), int(counted[1] or 0))


def _said(error: openai.APIStatusError) -> str:
    return str(error)[:2_000]


def _garbage(what: str) -> ModelError:
    return ModelError(f"The model's server {what}.", Ending.GARBAGE)


def _unreachable(error: Exception) -> ModelError:
    return ModelError(
        f"The model could not be reached ({type(error).__name__}).", Ending.UNREACHABLE
    )


def _refusal(error: openai.APIStatusError) -> ModelError:
    """The server's status as our error: 429 and 5xx pass, the rest is for good."""
    status = error.status_code
    if status in (400, 413, 422) and _TOO_LONG.search(_said(error)):
        return TooLongError("The prompt is longer than the model can read.")
    retry = _seconds(error.response.headers.get("retry-after")) if status in (429, 503) else None
    passes = status in (408, 409, 429) or status >= 500
    ending = Ending.BUSY if status == 429 else Ending.BROKEN if status >= 500 else Ending.REFUSED
    return ModelError(
        f"The model's server answered {status}.", ending, permanent=not passes, retry_after=retry
    )


def _seconds(value: str | None) -> float | None:
    """Whole or broken seconds; a date is not worth a clock here."""
    try:
        return min(max(0.0, float(value)), 3_600.0) if value else None
    except ValueError:
        return None
