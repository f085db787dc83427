"""A practice Prometheus: its HTTP API over the story's little world, its alerting rules, and a page that draws.

Knows the HTTP API (prometheus.io, "HTTP API") and how `for:` makes an alert pending, then firing.
Refuses to know receivers and people. Serves the bot's live checks and doctor, the practice Alertmanager (alerts), and
everybody who looks at a chart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from aiohttp import web

from oncall_bot.core.matchers import Matcher
from oncall_bot.practice.chart import PAGE_CSS, Line, draw, legend
from oncall_bot.practice.promql import BadQuery, Evaluator, Node, Selector, parse, seconds_of
from oncall_bot.practice.series import Scraped

VERSION = "3.1.0-practice"  # ranges are left-open, as since 3.0
POINTS_MAX = 11_000
CHART_POINTS = 240
WINDOWS = {"15m": 900, "1h": 3600, "6h": 21600}
Number = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule, as in a rules file. `{{ $value }}` and `{{ $labels.x }}` are filled into annotations."""

    alert: str
    expr: str
    for_: timedelta = timedelta(0)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    keep_firing_for: timedelta = timedelta(0)


@dataclass
class ActiveAlert:
    """One alert of one rule: `pending` until it has been so for `for_`, then `firing`."""

    rule: Rule
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    active_at: datetime
    value: float
    fired_at: datetime | None = None

    @property
    def state(self) -> str:
        return "firing" if self.fired_at else "pending"


class PracticePrometheus:
    """`scraped` and `rules` are the story's; `evaluate` computes the rules as of now."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self.url = ""
        self.load(Scraped(), ())

    def load(self, scraped: Scraped, rules: Sequence[Rule]) -> None:
        """Begin anew with another world."""
        self.scraped = scraped
        self.rules = tuple(rules)
        self._parsed = {rule.alert + rule.expr: parse(rule.expr) for rule in self.rules}
        self._evaluator = Evaluator(scraped)
        self._active: dict[tuple[str, frozenset[tuple[str, str]]], ActiveAlert] = {}
        self._evaluated_at = self._now()

    # --- rules --------------------------------------------------------------------------------------------------

    @property
    def active(self) -> list[ActiveAlert]:
        return list(self._active.values())

    def evaluate(self) -> list[ActiveAlert]:
        """Compute every rule; answers the alerts that fire now."""
        now = self._now()
        seen = set()
        for rule in self.rules:
            for labels, value in self._vector(self._parsed[rule.alert + rule.expr], now):
                seen.add(self._is_true(rule, labels, value, now))
        for key in [key for key in self._active if key not in seen]:
            del self._active[key]
        self._evaluated_at = now
        return [one for one in self._active.values() if one.fired_at]

    def _vector(self, node: Node, now: datetime) -> list[Number]:
        found = self._evaluator.value(node, now.timestamp())
        return [({}, found)] if isinstance(found, float) else found

    def _is_true(
        self, rule: Rule, labels: Mapping[str, str], value: float, now: datetime
    ) -> tuple[str, frozenset[tuple[str, str]]]:
        plain = {k: v for k, v in labels.items() if k != "__name__"}
        whole = {**plain, **rule.labels, "alertname": rule.alert}
        key = (rule.expr, frozenset(whole.items()))
        one = self._active.get(key)
        if one is None:
            one = self._active[key] = ActiveAlert(rule, whole, {}, now, value)
        one.value = value
        one.annotations = {k: _filled(v, plain, value) for k, v in rule.annotations.items()}
        if one.fired_at is None and now - one.active_at >= rule.for_:
            one.fired_at = now
        return key

    # --- the API ------------------------------------------------------------------------------------------------

    def add_routes(self, app: web.Application, prefix: str = "") -> None:
        """The API under `prefix`, and the page that draws."""
        api = f"{prefix}/api/v1"
        for method in ("GET", "POST"):
            app.router.add_route(method, f"{api}/query", self._query)
            app.router.add_route(method, f"{api}/query_range", self._query_range)
            app.router.add_route(method, f"{api}/series", self._series)
        app.router.add_get(f"{api}/labels", self._labels)
        app.router.add_get(f"{api}/label/{{name}}/values", self._label_values)
        app.router.add_get(f"{api}/rules", self._rules)
        app.router.add_get(f"{api}/alerts", self._alerts)
        app.router.add_get(f"{api}/targets", self._targets)
        app.router.add_get(f"{api}/status/buildinfo", self._buildinfo)
        app.router.add_get(f"{prefix}/graph", self.graph)
        app.router.add_get(f"{prefix}/-/healthy", self._healthy)
        app.router.add_get(f"{prefix}/-/ready", self._healthy)

    async def _query(self, request: web.Request) -> web.Response:
        given = await _given(request)
        at = _instant(given.get("time"), self._now())
        if at is None:
            return _bad('invalid parameter "time": cannot parse to a valid timestamp')
        try:
            found = self._evaluator.value(given.get("query", ""), at)
        except BadQuery as error:
            return _bad(f'invalid parameter "query": {error}')
        if isinstance(found, float):
            return _ok({"resultType": "scalar", "result": [at, _number(found)]})
        result = [{"metric": dict(labels), "value": [at, _number(v)]} for labels, v in found]
        return _ok({"resultType": "vector", "result": result})

    async def _query_range(self, request: web.Request) -> web.Response:
        given = await _given(request)
        start, end = _instant(given.get("start"), None), _instant(given.get("end"), None)
        step = _step(given.get("step", ""))
        if start is None or end is None or step is None or step <= 0 or end < start:
            return _bad('invalid parameter "start", "end" or "step"')
        if (end - start) / step > POINTS_MAX:
            return _bad(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the"
                " query resolution (?step=XX)"
            )
        try:
            lines = self._lines(given.get("query", ""), start, end, step)
        except BadQuery as error:
            return _bad(f'invalid parameter "query": {error}')
        result = [
            {"metric": dict(line.labels), "values": [[t, _number(v)] for t, v in line.points]}
            for line in lines
        ]
        return _ok({"resultType": "matrix", "result": result})

    def _lines(self, expr: str, start: float, end: float, step: float) -> list[Line]:
        node = parse(expr)
        points: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
        for n in range(int((end - start) / step) + 1):
            t = start + n * step
            found = self._evaluator.value(node, t)
            for labels, value in [({}, found)] if isinstance(found, float) else found:
                points.setdefault(frozenset(labels.items()), []).append((t, value))
        return [Line(dict(key), at) for key, at in points.items()]

    async def _series(self, request: web.Request) -> web.Response:
        given = await _given(request)
        try:
            node = parse(given.get("match[]", ""))
        except BadQuery as error:
            return _bad(f'invalid parameter "match[]": {error}')
        if not isinstance(node, Selector):
            return _bad('invalid parameter "match[]": not a selector')
        return _ok([dict(one.labels) for one in self._found(node.matchers)])

    def _found(self, matchers: Sequence[Matcher]) -> list[Any]:
        return [one for one in self.scraped.series if all(m.matches(one.labels) for m in matchers)]

    async def _labels(self, request: web.Request) -> web.Response:
        return _ok(sorted({name for one in self.scraped.series for name in one.labels}))

    async def _label_values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return _ok(sorted({one.labels[name] for one in self.scraped.series if name in one.labels}))

    async def _rules(self, request: web.Request) -> web.Response:
        rules = [self._plain_rule(rule) for rule in self.rules]
        group = {
            "name": "practice",
            "file": "practice.rules.yml",
            "interval": 15,
            "limit": 0,
            "rules": rules,
            "evaluationTime": 0.001,
            "lastEvaluation": _stamp(self._evaluated_at),
        }
        return _ok({"groups": [group]})

    def _plain_rule(self, rule: Rule) -> dict[str, Any]:
        mine = [one for one in self.active if one.rule is rule]
        state = "firing" if any(one.fired_at for one in mine) else "pending"
        return {
            "state": state if mine else "inactive",
            "name": rule.alert,
            "query": rule.expr,
            "duration": rule.for_.total_seconds(),
            "keepFiringFor": rule.keep_firing_for.total_seconds(),
            "labels": dict(rule.labels),
            "annotations": dict(rule.annotations),
            "alerts": [_plain_alert(one) for one in mine],
            "health": "ok",
            "evaluationTime": 0.0005,
            "lastEvaluation": _stamp(self._evaluated_at),
            "type": "alerting",
        }

    async def _alerts(self, request: web.Request) -> web.Response:
        return _ok({"alerts": [_plain_alert(one) for one in self.active]})

    async def _targets(self, request: web.Request) -> web.Response:
        places = sorted(
            {
                (one.labels.get("job", "practice"), one.labels["instance"])
                for one in self.scraped.series
                if "instance" in one.labels
            }
        )
        active = [
            {
                "discoveredLabels": {"__address__": instance, "job": job},
                "labels": {"instance": instance, "job": job},
                "scrapePool": job,
                "scrapeUrl": f"http://{instance}/metrics",
                "globalUrl": f"http://{instance}/metrics",
                "lastError": "",
                "lastScrape": _stamp(self._now()),
                "lastScrapeDuration": 0.002,
                "health": "up",
                "scrapeInterval": "5s",
                "scrapeTimeout": "5s",
            }
            for job, instance in places
        ]
        return _ok({"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}})

    async def _buildinfo(self, request: web.Request) -> web.Response:
        return _ok({"version": VERSION, "revision": "practice", "branch": "", "goVersion": ""})

    async def _healthy(self, request: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Healthy.\n")

    # --- the page -----------------------------------------------------------------------------------------------

    async def graph(self, request: web.Request) -> web.Response:
        """A query drawn over the last while; what the first rule measures when none is asked for."""
        expr = request.query.get("expr") or request.query.get("g0.expr") or self._of_first_rule()
        window = request.query.get("range", "1h" if "expr" in request.query else "15m")
        return web.Response(
            text=self.graph_page(expr, window if window in WINDOWS else "1h"),
            content_type="text/html",
        )

    def _of_first_rule(self) -> str:
        """What it compares with its limit, so that the line is seen below it too."""
        return next(
            (re.sub(r"\s(?:[<>]=?|==)\s*[\d.]+$", "", rule.expr) for rule in self.rules), ""
        )

    def graph_page(self, expr: str, window: str) -> str:
        end = self._now().timestamp()
        start = end - WINDOWS[window]
        body = ""
        if expr.strip():
            try:
                lines = self._lines(expr, start, end, WINDOWS[window] / CHART_POINTS)
                title = f"{expr} over the last {window}"
                body = draw(lines, start, end, title=title) + legend(lines)
            except BadQuery as error:
                body = f'<p class="fault" role="alert">{escape(str(error))}</p>'
        ranges = "".join(
            f"<option{' selected' if name == window else ''}>{name}</option>" for name in WINDOWS
        )
        examples = "".join(
            f'<li><a href="?expr={quote(rule.expr)}"><code>{escape(rule.expr)}</code></a></li>'
            for rule in self.rules
        )
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Practice Prometheus</title><link rel="stylesheet" href="/prometheus/graph.css"></head>
<body><main><h1>Practice Prometheus</h1>
<form method="get"><label for="expr" hidden>Expression</label>
<input id="expr" name="expr" value="{escape(expr)}" placeholder="An expression, such as up"
  autocomplete="off" spellcheck="false">
<select name="range" aria-label="Range">{ranges}</select><button>Draw</button></form>
{body}
<p class="hint">What the rules here look at (times are UTC):</p>
<ul>{examples or "<li>No rule yet: start a story.</li>"}</ul>
</main></body></html>
"""


async def graph_css(request: web.Request) -> web.Response:
    """The graph page's style, from a file of its own as the page's policy wants."""
    return web.Response(text=PAGE_CSS, content_type="text/css")


_BRACES = re.compile(r"\{\{\s*(\$value|\$labels\.([a-zA-Z_]\w*))\s*(?:\|\s*(\w+))?\s*\}\}")


def _filled(template: str, labels: Mapping[str, str], value: float) -> str:
    def one(found: re.Match[str]) -> str:
        if found[2]:
            return labels.get(found[2], "")
        if found[3] == "humanizePercentage":
            return f"{value * 100:.4g}%"
        return f"{value:.4g}"

    return _BRACES.sub(one, template)


def _plain_alert(one: ActiveAlert) -> dict[str, Any]:
    return {
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "state": one.state,
        "activeAt": _stamp(one.active_at),
        "value": f"{one.value:e}",
    }


async def _given(request: web.Request) -> dict[str, str]:
    form = await request.post() if request.method == "POST" else {}
    return {**dict(request.query), **{k: str(v) for k, v in form.items()}}


def _instant(text: str | None, default: datetime | None) -> float | None:
    """Unix seconds or RFC 3339."""
    if not text:
        return default.timestamp() if default else None
    try:
        found = float(text)
    except ValueError:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        found = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return found if math.isfinite(found) and abs(found) < 1e11 else None


def _step(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return seconds_of(text) or None


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ok(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def _bad(error: str) -> web.Response:
    return web.json_response(
        {"status": "error", "errorType": "bad_data", "error": error}, status=400
    )
