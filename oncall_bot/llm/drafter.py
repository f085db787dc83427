"""Asks an OpenAI-compatible model for sentences about an incident.

Knows the client, its errors and deadlines. Refuses to verify (core does) and to send anything
that prompts did not redact. A slow or broken provider costs the prose, never the draft.
Serves the engine and the CLI; keeps the promise `ports.Drafter`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oncall_bot.core.records import Record
from oncall_bot.core.verification import Claim
from oncall_bot.llm.prompts import UNREADABLE, Ledger, ledger_of, messages, schema, sections_of
from oncall_bot.llm.replies import MOST_REPLY, UnreadableError, claims_in
from oncall_bot.ports import DeliveryError

if TYPE_CHECKING:
    import openai

MOST_TOKENS = 1_500
RETRY_AFTER = 1.0
LONGEST_WAIT = 10.0


def new_marker() -> str:
    """A fence marker nobody can guess."""
    return secrets.token_hex(8)


class OpenAIDrafter:
    """A model behind `base_url`; `timeout` bounds each question, in seconds, to the last byte."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        timeout: float = 30.0,
        *,
        marker: Callable[[], str] = new_marker,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._marker = marker
        self._sleep = sleep
        self._dialect = {"max_tokens": True, "response_format": True}

    def draft(self, record: Record, kind: str) -> list[Claim]:
        """Claims for every section of that kind. Blocking.

        DeliveryError only when not one section was answered: a section that failed costs itself,
        and after a time-out or a refusal no further section is asked for.
        """
        ledger = ledger_of(record, self._marker())
        claims: list[Claim] = []
        answered, failure = False, None
        for section in sections_of(kind):
            try:
                claims += self._section(ledger, section)
                answered = True
            except UnreadableError as error:
                failure = DeliveryError(f"The model's reply could not be read: {error}.")
            except DeliveryError as error:
                failure = error
                break
        if failure is not None and not answered:
            raise failure
        return claims

    def _section(self, ledger: Ledger, section: str) -> list[Claim]:
        """One section, with one round of repair when the reply cannot be read."""
        conversation = messages(ledger, section)
        reply = self._ask(conversation, ledger.ids)
        try:
            return claims_in(reply, section)
        except UnreadableError as error:
            conversation += [
                {"role": "assistant", "content": reply[:4_000] or "(nothing)"},
                {"role": "user", "content": UNREADABLE.format(reason=error)},
            ]
            return claims_in(self._ask(conversation, ledger.ids), section)

    def _ask(self, conversation: list[dict[str, str]], ids: tuple[str, ...]) -> str:
        """The text of the model's reply, tried again once when the provider was busy or broken."""
        deadline = time.monotonic() + self._timeout
        try:
            return self._call(conversation, ids, deadline)
        except DeliveryError as error:
            wait = RETRY_AFTER if error.retry_after is None else error.retry_after
            left = deadline - time.monotonic()
            if error.permanent or wait > min(LONGEST_WAIT, left / 2):
                raise
            self._sleep(wait)
            return self._call(conversation, ids, deadline)

    def _call(
        self, conversation: list[dict[str, str]], ids: tuple[str, ...], deadline: float
    ) -> str:
        """One request on its own thread: the client's time-outs are per read, ours for the whole."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(self._timeout)
        answer = _Answer()
        client = self._client(left)
        worker = threading.Thread(
            target=answer.fill,
            args=(lambda: self._request(client, conversation, ids),),
            daemon=True,
        )
        worker.start()
        worker.join(left)
        if worker.is_alive():
            client.close()
            raise _late(self._timeout)
        return answer.text()

    def _client(self, timeout: float) -> openai.OpenAI:
        import openai

        return openai.OpenAI(
            base_url=self._base_url, api_key=self._api_key or "none", timeout=timeout, max_retries=0
        )

    def _request(
        self, client: openai.OpenAI, conversation: list[dict[str, str]], ids: tuple[str, ...]
    ) -> str:
        """One exchange; a server that refuses an option is asked without it from then on."""
        import openai

        options: dict[str, Any] = {"model": self.model, "messages": conversation}
        if self._dialect["response_format"]:
            options["response_format"] = schema(ids)
        options["max_tokens" if self._dialect["max_tokens"] else "max_completion_tokens"] = (
            MOST_TOKENS
        )
        try:
            with client:
                return _content(client.chat.completions.create(**options))
        except openai.BadRequestError as error:
            refused = next(
                (name for name in self._dialect if self._dialect[name] and name in str(error)), None
            )
            if refused is None:
                raise _refusal(error) from error
            self._dialect[refused] = False
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except openai.OpenAIError as error:
            raise DeliveryError(
                f"The model could not be reached ({type(error).__name__})."
            ) from error
        except ValueError as error:
            raise DeliveryError("The model's server did not answer in JSON.") from error
        return self._request(
            self._client(client.timeout if isinstance(client.timeout, float) else self._timeout),
            conversation,
            ids,
        )


class _Answer:
    """What the worker brought back: a text, or the error to raise where it was asked for."""

    def __init__(self) -> None:
        self._text = ""
        self._error: DeliveryError | None = DeliveryError(
            "The model's client stopped without an answer."
        )

    def fill(self, ask: Callable[[], str]) -> None:
        """Run the request and keep its outcome."""
        try:
            self._text = ask()
            self._error = None
        except DeliveryError as error:
            self._error = error
        except (
            RuntimeError
        ):  # the client was closed under the request: the caller has given up already
            return

    def text(self) -> str:
        """The reply, or the error."""
        if self._error is not None:
            raise self._error
        return self._text


def _content(completion: object) -> str:
    """The reply's text; whatever has not the shape of a completion is an error of the server."""
    choices = getattr(completion, "choices", None)
    message = (
        getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
    )
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        raise DeliveryError("The model's server did not answer like one.")
    return content[:MOST_REPLY]


def _refusal(error: openai.APIStatusError) -> DeliveryError:
    """The provider's status as our error: 429 and 5xx pass, the rest is for good."""
    status = error.status_code
    limited = status == 429
    retry = (
        _seconds(error.response.headers.get("retry-after")) if limited or status == 503 else None
    )
    return DeliveryError(
        f"The model's server answered {status}.",
        permanent=not limited and status < 500 and status not in (408, 409),
        retry_after=retry,
        rate_limited=limited,
    )


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


def _late(timeout: float) -> DeliveryError:
    return DeliveryError(f"The model did not answer within {timeout:g} s.", retry_after=timeout)
