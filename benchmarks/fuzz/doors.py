"""The doors, and what is thrown at each. A door is one small class: add another and name it in DOORS.

Knows what a good request at each door looks like, which answers are designed, and what must not have happened after a
batch. Refuses to know how many are thrown and in which order. Serves the fuzz command and its test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlencode

from benchmarks.fuzz.mutations import Mutator
from benchmarks.fuzz.stage import (
    ADDRESS,
    ANA,
    ANA_NUMBER,
    BO,
    GUEST,
    ROAD_TOKEN,
    SECRET,
    SIGNING_SECRET,
    TOKEN,
    Answer,
    Request,
    Stage,
    bearer,
)
from oncall_bot.core.ack_links import make_token
from oncall_bot.core.feeds import LINK_MARK, link_digest
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import KEY_BYTES, digest
from oncall_bot.flows.calendar_links import create_link
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.sign_in import offer_sign_in, use_link
from oncall_bot.store.outbox import Fate

ANA_HERSELF = Actor("person", "ana", "Ana Ruiz")
BROWSER = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}


class Door:
    """What every door has. `refusals` are the statuses of what may not be let in, `takes` of what may."""

    name: ClassVar[str]
    refusals: ClassVar[frozenset[int]]
    takes: ClassVar[frozenset[int]]

    async def open(self, stage: Stage) -> None:
        """Before a batch: what a good request needs."""

    def knock(self, mutator: Mutator) -> Request:
        """The next request."""
        raise NotImplementedError

    def fault(self, request: Request, answer: Answer) -> str | None:
        """Why this answer is none that was designed."""
        allowed = self.takes | self.refusals if request.genuine else self.refusals
        if answer.status in allowed:
            return None
        which = "a genuine" if request.genuine else "a forged"
        return f"{which} request is answered {answer.status}: {answer.body[:300]!r}"

    async def hurt(self, stage: Stage) -> str | None:
        """After a batch: what has happened that must not."""
        return None


# --- the webhook --------------------------------------------------------------------------------------------------

_LABELS = {
    "alertname": "HighErrorRate",
    "service": "checkout",
    "severity": "critical",
    "instance": "web-1:8080",
}
_ALERT = {
    "status": "firing",
    "labels": _LABELS,
    "annotations": {"summary": "5xx above 5 %", "runbook_url": "https://runbooks.example.com/x"},
    "startsAt": "2026-11-23T03:00:00.000Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prom.example/graph?g0.expr=up",
    "fingerprint": "c0ffee",
}
_BODY = {
    "version": "4",
    "groupKey": '{}:{alertname="HighErrorRate"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "bot",
    "groupLabels": {"alertname": "HighErrorRate"},
    "commonLabels": _LABELS,
    "commonAnnotations": {"summary": "5xx above 5 %"},
    "externalURL": "http://am.example",
    "alerts": [_ALERT, {**_ALERT, "status": "resolved", "endsAt": "2026-11-23T03:05:00Z"}],
}


class Webhook(Door):
    """A token opens it; then any bytes may come."""

    name = "webhook"
    refusals = frozenset({401})
    takes = frozenset({200, 400})
    path = "/webhook/alertmanager"

    def knock(self, mutator: Mutator) -> Request:
        body = mutator.json(_BODY)
        if mutator.random.random() < 0.9:
            return Request(self.path, body, headers=bearer())
        wrong = bearer(_header(mutator.word(TOKEN)))
        right = wrong["authorization"].partition(" ")[2].strip() == TOKEN
        return Request(self.path, body, headers=wrong, genuine=right)


def _header(value: str) -> str:
    """As a server passes it on: Latin-1 without line ends."""
    kept = value.encode("latin-1", "replace").decode("latin-1")
    return "".join(char for char in kept if char.isprintable())


# --- Slack --------------------------------------------------------------------------------------------------------

_PEOPLE = (ANA, BO, "U0STRANGE", GUEST)


def _event(kind: str, **more: Any) -> dict[str, Any]:
    inner = {"type": kind, "channel": "C0FUZZ001", "ts": "1795316820.000100", **more}
    return {
        "type": "event_callback",
        "team_id": "T0FUZZ001",
        "event_id": "Ev0FUZZ",
        "event": {"user": ANA, **inner},
    }


def _pressed(action: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T0FUZZ001"},
        "user": {"id": ANA, "username": "ana", "team_id": "T0FUZZ001"},
        "channel": {"id": "C0FUZZ001"},
        "container": {"type": "message", "message_ts": "1795316820.000100"},
        "trigger_id": "1.2.fuzz",
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
        **more,
    }


def _form(callback: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "view_submission",
        "team": {"id": "T0FUZZ001"},
        "user": {"id": ANA, "name": "ana", "team_id": "T0FUZZ001"},
        "trigger_id": "1.2.fuzz",
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": callback,
            "private_metadata": '{"incident": 1}',
            "state": {"values": values},
        },
    }


def _typed(field: str, value: str) -> dict[str, Any]:
    return {field: {field: {"type": "plain_text_input", "value": value}}}


EVENTS = (
    _event("message", text="is checkout down?", channel_type="im", channel="D0FUZZ001"),
    _event("message", text="it is the pool", thread_ts="1795316820.000100"),
    _event("app_mention", text="<@U0BOTBOT1> who is on call?"),
    _event("app_mention", text="<@U0BOTBOT1> silence HighErrorRate for 2h"),
    _event("app_home_opened", tab="home"),
    _event(
        "reaction_added",
        reaction="pushpin",
        item={"type": "message", "channel": "C0FUZZ001", "ts": "1.1"},
    ),
    {"type": "url_verification", "challenge": "abc"},
)
PRESSES = (
    _pressed("incident.ack", "1"),
    _pressed("incident.resolve", "1"),
    _pressed("incident.more", "1:why"),
    _pressed("page.ack", "1"),
    _pressed("draft.accept", "1"),
    _pressed("rota.week", "shop:2026-11-23"),
    {
        **_form("incident.declare", _typed("title", "Checkout fails")),
        "type": "view_submission",
    },
    _form("incident.note", _typed("text", "rolled back")),
    _form("silence.create", _typed("for", "2h")),
    {
        "type": "block_suggestion",
        "team": {"id": "T0FUZZ001"},
        "user": {"id": ANA},
        "action_id": "service.search",
        "block_id": "b",
        "value": "che",
    },
    {
        "type": "shortcut",
        "team": {"id": "T0FUZZ001"},
        "user": {"id": ANA},
        "callback_id": "declare_incident",
        "trigger_id": "1.2.fuzz",
    },
)
COMMANDS = (
    *("", "help", "who", "who shop at tomorrow 03:00", "incidents", "ack 1", "resolve 1 done"),
    *("declare Checkout fails", "note 1 rolled back", "silence 1 2h", "why 1", "status 1"),
    *("explain service=checkout,severity=critical", "contact add push topic", "contact"),
    *("schedule shop", "cover tomorrow", "shifts ana", "history HighErrorRate", "page bo 1"),
    *("calendar", "fairness shop", "web", "remind 24h", "update 1 customers", "metric up 6h"),
    *("override shop bo from tomorrow 09:00 to 17:00", "runbook pool", "firing", "is it down?"),
)


class Slack(Door):
    """Signed JSON and signed forms. What is not signed by Slack now is answered 401, whatever it says."""

    name = "slack"
    refusals = frozenset({401})
    takes = frozenset({200, 403, 404, 400})
    path = "/slack/events"

    def __init__(self) -> None:
        self._count = 0
        self.api = ""

    async def open(self, stage: Stage) -> None:
        self.api = stage.slack_api

    def knock(self, mutator: Mutator) -> Request:
        self._count += 1
        body, kind = self._body(mutator)
        headers = {"content-type": kind, **self._signed(body)}
        if mutator.random.random() < 0.9:
            return Request(self.path, body, headers=headers)
        return self._forged(mutator, body, headers)

    def _body(self, mutator: Mutator) -> tuple[bytes, str]:
        draw = mutator.random.random()
        if draw < 0.4:
            event = mutator.random.choice(EVENTS)
            fresh = {**event, "event_id": f"Ev{self._count}"}
            return self._json(mutator, fresh), "application/json"
        if draw < 0.7:
            press = {**mutator.random.choice(PRESSES), "trigger_id": f"{self._count}.2"}
            payload = self._json(mutator, press)
            return b"payload=" + quote(payload).encode(), "application/x-www-form-urlencoded"
        return self._command(mutator), "application/x-www-form-urlencoded"

    def _json(self, mutator: Mutator, good: Mapping[str, Any]) -> bytes:
        """The people, teams and addresses stay as Slack signs them in most: else little gets past the first look."""
        if mutator.random.random() < 0.2:
            return mutator.json(good)
        changed = mutator.object(good)
        for name in ("type", "team", "team_id", "user", "response_url"):
            if name in good and mutator.random.random() < 0.9:
                changed[name] = good[name]
        changed.pop("response_url", None)
        return json.dumps(changed).encode()

    def _command(self, mutator: Mutator) -> bytes:
        words = mutator.random.choice(COMMANDS)
        if mutator.random.random() < 0.8:
            words = mutator.bytes(words.encode()).decode("utf-8", "replace")
        form = {
            "command": "/oncall",
            "text": words,
            "user_id": mutator.random.choice(_PEOPLE),
            "user_name": "x",
            "team_id": "T0FUZZ001",
            "channel_id": "C0FUZZ001",
            "trigger_id": f"{self._count}.3",
            "response_url": self.api.replace("/api/", "/hook"),
        }
        if mutator.random.random() < 0.1:
            form.pop(mutator.random.choice(list(form)))
        return urlencode(form, errors="replace").encode()

    def _signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        stamp = str(int(at if at is not None else time.time()))
        text = b":".join((b"v0", stamp.encode(), body))
        sign = hmac.new(SIGNING_SECRET.encode(), text, hashlib.sha256).hexdigest()
        return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={sign}"}

    def _forged(self, mutator: Mutator, body: bytes, headers: dict[str, str]) -> Request:
        sign = headers["x-slack-signature"]
        match mutator.random.randrange(5):
            case 0:
                headers = {**headers, **self._signed(body, time.time() - 600)}
            case 1:
                headers = {**headers, **self._signed(body, time.time() + 600)}
            case 2:
                changed = _header(mutator.word(sign))
                headers = {**headers, "x-slack-signature": changed if changed != sign else ""}
            case 3:
                del headers["x-slack-signature"]
            case _:
                body += b" "
        return Request(self.path, body, headers=headers, genuine=False)


# --- links --------------------------------------------------------------------------------------------------------


class Ack(Door):
    """Altered links acknowledge nothing; GET and HEAD of genuine ones neither."""

    name = "ack"
    refusals = frozenset({404, 405, 410})
    takes = frozenset({200, 409})

    def __init__(self) -> None:
        self.token = ""
        self.page = 0

    async def open(self, stage: Stage) -> None:
        if said := await stage.still_pages():
            raise RuntimeError(said)
        for row in await stage.store.write(claim, "fuzz", 100, timedelta(minutes=2)):
            sent = Fate("sent", provider_id=f"SM{row.id:032x}")
            await stage.store.write(delivered, row.id, "fuzz", sent)
        (row,) = stage.rows("SELECT max(id) AS id FROM page")
        self.page = row.id
        self.token = make_token(SECRET, row.id, "file:push", stage.clock.now + timedelta(days=1))

    def knock(self, mutator: Mutator) -> Request:
        query = mutator.random.choice(("", "again=1", "again=%00", "x=" + "y" * 500))
        if mutator.random.random() < 0.1:
            method = mutator.random.choice(("GET", "HEAD"))
            return Request(f"/ack/{self.token}", method=method, query=query)
        path = f"/ack/{quote(mutator.word(self.token), safe='', errors='replace')}"
        if "/" in path.removeprefix("/ack/") or path == f"/ack/{self.token}":
            path = "/ack/-"
        method = mutator.random.choice(("GET", "POST", "POST", "HEAD", "PUT", "DELETE"))
        body = mutator.bytes(b"again=1&token=" + self.token.encode())
        return Request(path, body, method, {"accept": "text/html"}, query, genuine=False)

    async def hurt(self, stage: Stage) -> str | None:
        pressed = stage.rows(
            "SELECT i.acked_by FROM page p JOIN incident i ON i.id = p.incident_id WHERE p.id = :id"
            " AND i.acked_at IS NOT NULL",
            id=self.page,
        )
        if pressed:
            return "an altered link, or a look at a genuine one, acknowledged"
        answer = await stage.ask(Request(f"/ack/{self.token}"))
        return None if answer.status == 200 else f"the genuine link is answered {answer.status}"


class SignIn(Door):
    """Altered keys sign nobody in, and altered cookies show nothing."""

    name = "signin"
    refusals = frozenset({200, 400, 403, 404, 405, 410, 413})
    takes = frozenset({303})

    def __init__(self) -> None:
        self.key = self.cookie = ""

    async def open(self, stage: Stage) -> None:
        spent, self.key, self.cookie = (secrets.token_urlsafe(KEY_BYTES) for _ in range(3))
        await stage.store.write(offer_sign_in, ANA_HERSELF, digest(spent))
        await stage.store.write(use_link, digest(spent), digest(self.cookie))
        await stage.store.write(offer_sign_in, ANA_HERSELF, digest(self.key))

    def knock(self, mutator: Mutator) -> Request:
        if mutator.random.random() < 0.85:  # pages are dear to draw
            return self._at_the_link(mutator)
        return self._at_a_page(mutator)

    def _at_the_link(self, mutator: Mutator) -> Request:
        key = quote(mutator.word(self.key), safe="", errors="replace")
        path = f"/sign-in/{key if key != self.key else '-'}"
        to = quote(mutator.text(), errors="replace")
        body = mutator.bytes(f"to=/schedules&proof={self.cookie}".encode())
        method = mutator.random.choice(("GET", "POST", "POST"))
        origin = BROWSER if mutator.random.random() < 0.7 else {"origin": "https://evil.example"}
        return Request(path, body, method, origin, f"to={to}", genuine=False)

    def _at_a_page(self, mutator: Mutator) -> Request:
        """As somebody signed in, with an address that was never linked; or with a cookie that is not theirs."""
        inside = mutator.random.random() < 0.5
        cookie = self.cookie if inside else _header(mutator.word(self.cookie)).strip()
        inside = cookie == self.cookie
        headers = {**BROWSER, "cookie": f"__Host-oncall={cookie}", "accept": "text/html"}
        place = mutator.random.choice(
            ("/schedules", "/schedules/shop", "/incidents", "/incidents/1", "/sign-out")
        )
        if place == "/sign-out":
            body = mutator.bytes(b"proof=0123456789abcdef&everywhere=1")
            return Request(place, body, "POST", headers, genuine=False)
        if mutator.random.random() < 0.4:
            place = f"{place}/{quote(mutator.text(), safe='', errors='replace')}"
        query = urlencode({"from": mutator.text(), "zone": mutator.text()}, errors="replace")
        return Request(place, b"", "GET", headers, query, genuine=False)

    def fault(self, request: Request, answer: Answer) -> str | None:
        cookie = answer.headers.get("set-cookie", "")
        if "Max-Age" in cookie and "Max-Age=0" not in cookie:
            return f"a forged request is given a session: {cookie[:40]}"
        return super().fault(request, answer)

    async def hurt(self, stage: Stage) -> str | None:
        answer = await stage.ask(Request(f"/sign-in/{self.key}", headers=BROWSER))
        if answer.status != 303:
            return f"the genuine link is answered {answer.status}"
        again = await stage.ask(Request(f"/sign-in/{self.key}", headers=BROWSER))
        return None if again.status == 410 else f"the spent link is answered {again.status}"


class Ical(Door):
    """A calendar opens by its token alone."""

    name = "ical"
    refusals = frozenset({404, 405})
    takes = frozenset({200, 304})

    def __init__(self) -> None:
        self.token = ""

    async def open(self, stage: Stage) -> None:
        if self.token and stage.rows("SELECT id FROM api_token LIMIT 1"):
            return
        self.token = LINK_MARK + secrets.token_urlsafe(32)
        done = await stage.store.write(
            create_link,
            *("ana", "schedule", "shop", ANA_HERSELF),
            sha256=link_digest(self.token),
            prefix=self.token[:10],
        )
        if not done.done:
            raise RuntimeError(done.reason)

    def knock(self, mutator: Mutator) -> Request:
        tag = _header(mutator.text())
        if mutator.random.random() < 0.02:
            path = f"/ical/{self.token}.ics"
            return Request(path, b"", "GET", {"if-none-match": tag, "if-modified-since": tag})
        token = quote(mutator.word(self.token), safe="", errors="replace")
        path = f"/ical/{token if token != self.token else '-'}.ics"
        method = mutator.random.choice(("GET", "GET", "HEAD", "POST"))
        return Request(path, b"", method, {"if-none-match": tag}, genuine=False)

    async def hurt(self, stage: Stage) -> str | None:
        answer = await stage.ask(Request(f"/ical/{self.token}.ics", method="GET"))
        return None if answer.status == 200 else f"the genuine token is answered {answer.status}"


# --- telephones ---------------------------------------------------------------------------------------------------


class Phone(Door):
    """What a telephone provider posts. Without its signature for that road nothing is done; with it, what it says."""

    name = "phone"
    refusals = frozenset({400, 403, 404, 405})
    takes = frozenset({200, 204, 400})

    def __init__(self) -> None:
        self._count = 0
        self.token, self.page, self.row = "", 0, 0

    async def open(self, stage: Stage) -> None:
        """A page that Ana was sent and has not answered; its receipts and its keys are what is thrown about."""
        if said := await stage.pages_ana():
            raise RuntimeError(said)
        (row,) = stage.rows(
            "SELECT max(page_id) AS page, max(id) AS id FROM outbox WHERE kind = 'loud'"
        )
        self.page, self.row = row.page, row.id
        ends = stage.clock.now + timedelta(days=1)
        self.token = make_token(SECRET, self.page, "file:voice", ends)

    def knock(self, mutator: Mutator) -> Request:
        self._count += 1
        path, form = self._post(mutator)
        if mutator.random.random() < 0.3:
            form = {**form, **mutator.object({"Body": "x", "Digits": "1"})}
        pairs = {str(k)[:200]: str(v)[:2000] for k, v in form.items()}
        body = urlencode(pairs, errors="replace").encode()
        if mutator.random.random() < 0.2:
            body = mutator.bytes(body)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        read = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        sign = _twilio(ROAD_TOKEN, f"{ADDRESS}{path}", read)
        genuine = mutator.random.random() < 0.5
        if not genuine:
            sign = mutator.random.choice(
                (
                    _header(mutator.word(sign)),
                    "",
                    _twilio("another token", f"{ADDRESS}{path}", read),
                    _twilio(ROAD_TOKEN, f"https://evil.example{path}", read),
                    _twilio(ROAD_TOKEN, f"{ADDRESS}{path}", {**read, "Digits": "4"}),
                )
            )
            genuine = sign == _twilio(ROAD_TOKEN, f"{ADDRESS}{path}", read)
        return Request(path, body, headers={**headers, "x-twilio-signature": sign}, genuine=genuine)

    def _post(self, mutator: Mutator) -> tuple[str, dict[str, str]]:
        sid = f"SM{self._count:032x}"
        match mutator.random.randrange(3):
            case 0:
                words = mutator.random.choice(("a0000", "r 1111", "STOP", "e", "what?"))
                text = mutator.bytes(words.encode()).decode("utf-8", "replace")
                who = mutator.random.choice((ANA_NUMBER, "+4915550999999", mutator.text()))
                return "/phone/sms/text", {"MessageSid": sid, "From": who, "Body": text}
            case 1:
                token = quote(mutator.word(self.token), safe="", errors="replace")
                key = mutator.random.choice(("4", "6", "8", "#", mutator.text()[:3]))
                form = {"CallSid": sid.replace("SM", "CA"), "Digits": key}
                return f"/phone/voice/key/{token if token != self.token else '-'}", form
            case _:
                number = mutator.random.choice(
                    (str(self.row), str(10**30), quote(mutator.text(), safe="", errors="replace"))
                )
                state = mutator.random.choice(("delivered", "failed", "no-answer", mutator.text()))
                form = {"MessageSid": sid, "MessageStatus": state, "ErrorCode": mutator.text()}
                return f"/phone/sms/receipt/{number or '-'}", form

    async def hurt(self, stage: Stage) -> str | None:
        answered = stage.rows(
            "SELECT 1 FROM page WHERE id = :id AND answered_at IS NOT NULL", id=self.page
        )
        if answered:
            return "a guessed code, an altered key or a forged post answered the page"
        return None


def _twilio(token: str, url: str, form: Mapping[str, str]) -> str:
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


DOORS: Mapping[str, type[Door]] = {
    door.name: door for door in (Webhook, Slack, Ack, SignIn, Ical, Phone)
}
