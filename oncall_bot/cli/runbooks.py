"""runbooks: import a folder, check it, match alerts against it, measure the matcher.

Knows which folder is meant. Refuses to read Markdown (files) and to choose a runbook (core).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.checks_runbooks import findings_of
from oncall_bot.cli.databases import database, settings_now
from oncall_bot.cli.folders import import_folder, runbooks_folder
from oncall_bot.cli.terminal import FAULT, JsonFlag, as_json, family, fault, say, table
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.files.runbook_check import Finding
    from oncall_bot.files.runbook_eval import Report, Scores
    from oncall_bot.files.runbook_replay import Round
    from oncall_bot.files.runbooks import Problem

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="The folder; else ONCALL_RUNBOOKS_DIR or what oncall.yaml names."
    ),
]
Alerts = Annotated[
    Path,
    typer.Option(
        "--alerts", metavar="FILE", help="Alerts, one JSON object a line: id, labels, annotations."
    ),
]
Library = Annotated[Path, typer.Option("--runbooks", metavar="DIR", help="The folder of runbooks.")]
LinkBase = Annotated[
    str,
    typer.Option("--link-base", metavar="URL", help="Links that begin so are slugs of runbooks."),
]
Above = Annotated[
    float | None,
    typer.Option(
        "--attach-above",
        metavar="X",
        min=0,
        max=1,
        help="Attach a ranked runbook from this score on.",
    ),
]

runbooks = family("Runbooks: import a folder, check it, match alerts, measure.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(runbooks, name="runbooks")


@runbooks.command("import")
def import_(folder: Folder = None, json: JsonFlag = False) -> None:
    """Bring the database to what a folder holds.

    A running bot does the same every 30 s. What changed gets a new version; what is gone is archived; a file that
    cannot be read keeps its last version, is told, and makes the exit code 1. Runbooks written in Slack are not
    touched.

    Example: oncall-bot runbooks import runbooks/
    """
    settings = settings_now()
    with database(settings) as store:
        named = store.look(lambda reader: reader.snapshot.config.runbooks.dir)
        counts, problems = import_folder(store, _folder(folder, named))
    if json:
        as_json({**counts, "problems": problems})
    else:
        _faults(problems)
        say(", ".join(f"{count} {name}" for name, count in counts.items()))
    if problems:
        raise typer.Exit(FAULT)


@runbooks.command("check")
def check(
    folder: Folder = None,
    library: Annotated[
        Path | None, typer.Option("--runbooks", metavar="DIR", help="The folder, named this way.")
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(
            "--prometheus",
            metavar="URL",
            help="Ask it whether live checks parse and their metrics are there.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Read a folder and tell what is wrong, with file and line.

    Told are files that cannot be read, runbooks nobody keeps, unknown teams and services (where oncall.yaml is there),
    matchers that fit all or no alert, two runbooks for one alert, links that lead nowhere, live checks that cannot be
    run; with --prometheus also queries it refuses and metrics it does not have. A review long ago is a note only.

    For a named folder no database is needed. Exit 1 when there is a fault.

    Example: oncall-bot runbooks check runbooks/ --prometheus http://prometheus:9090
    """
    from oncall_bot.files.runbooks import read_runbooks

    given = folder or library
    place = _folder(given, None if given else _named_in_force())
    books, problems = read_runbooks(place)
    findings = findings_of(place, books, problems, prometheus)
    faults = sum(not one.note for one in findings)
    if json:
        as_json({"runbooks": len(books), "problems": findings})
    else:
        _faults(findings)
        notes = f", {len(findings) - faults} notes" if len(findings) > faults else ""
        say(f"{len(books)} runbooks, {faults} problems{notes}")
    if faults:
        raise typer.Exit(FAULT)


@runbooks.command("match")
def match(
    alerts: Alerts,
    library: Library,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the answers go, a line an alert.")
    ],
    link_base: LinkBase = "",
    attach_above: Above = None,
    json: JsonFlag = False,
) -> None:
    """Rank a folder's runbooks for each alert of a file.

    A line of the answer: {"id", "ranked": [["runbooks/<source>/<slug>.md", score], ...], "attached": path or null}.
    Up to ten are ranked; attached is the product's own decision. No database and no settings are needed.

    Example: oncall-bot runbooks match --alerts alerts.jsonl --runbooks runbooks/ --out matched.jsonl
    """
    from oncall_bot.core.search import ATTACH_ABOVE
    from oncall_bot.files.runbook_match import match_runbooks

    report = match_runbooks(
        alerts,
        library,
        out,
        link_base=link_base,
        attach_above=ATTACH_ABOVE if attach_above is None else attach_above,
    )
    if json:
        as_json(report)
        return
    _faults(report.problems)
    how = ", ".join(f"{count} {name}" for name, count in report.attached.items())
    say(
        f"{report.alerts} alerts, {report.runbooks} runbooks; attached by: {how or 'nothing'}. Wrote {out}."
    )


@runbooks.command("eval")
def measure(
    alerts: Alerts,
    library: Library,
    link_base: LinkBase = "",
    attach_above: Above = None,
    by: Annotated[
        str, typer.Option("--by", metavar="FIELD", help="The field that says what kind a line is.")
    ] = "variant",
    rounds: Annotated[
        int,
        typer.Option(
            "--rounds",
            metavar="N",
            min=0,
            max=20,
            help="Replay the alerts so often, answered as responders do.",
        ),
    ] = 0,
    curve: Annotated[
        Path | None,
        typer.Option(
            "--curve", metavar="FILE.png", help="Draw what every line would give into this file."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Measure the matcher on alerts whose right runbook is known.

    The truth stands in each line: "qrels" (runbook -> 2 right, 1 helps) or "runbook" (the right one, or null). Use it
    on your own alerts before you raise or lower runbooks.attach_above: what every line would give is printed too.

    --rounds replays the alerts: a responder presses Wrong on a wrong runbook and Use it on a right one that is
    offered, and each round finds what the ones before taught.

    Example: oncall-bot runbooks eval --alerts alerts.jsonl --runbooks runbooks/ --rounds 3
    """
    from oncall_bot.core.search import ATTACH_ABOVE
    from oncall_bot.files.runbook_eval import evaluate, judged_alerts, library_of
    from oncall_bot.files.runbook_replay import replay

    above = ATTACH_ABOVE if attach_above is None else attach_above
    judged, books = judged_alerts(alerts, by), library_of(library, link_base)
    report = evaluate(judged, books, above)
    grown = replay(judged, books, rounds, above)
    if curve is not None:
        curve.write_bytes(_drawn(report))
    if json:
        as_json({**dataclasses.asdict(report), "rounds": grown})
        return
    _tell(report)
    if grown:
        _tell_rounds(grown)


def _tell(report: Report) -> None:
    say(
        f"{report.alerts} alerts, {report.runbooks} runbooks, attached from {report.attach_above:g} on"
    )
    heads = ("KIND", "ALERTS", "FIRST", "IN 3", "MRR", "ATTACHED RIGHT", "WRONG")
    table(heads, [(kind, *_figures(one)) for kind, one in report.kinds.items()])
    if report.without_runbook:
        say(
            f"Of {report.without_runbook} alerts without a runbook {report.false_matches:.1%} were given one."
        )
    say("")
    shown = [point for point in report.curve if round(point.attach_above * 100) % 6 == 0]
    lines = [
        (
            f"{point.attach_above:.2f}",
            *(
                f"{share:.3f}"
                for share in (point.attached_right, point.attached_wrong, point.false_matches)
            ),
        )
        for point in shown
    ]
    table(("ATTACHED FROM", "RIGHT", "WRONG", "TO ALERTS WITHOUT ONE"), lines)


def _drawn(report: Report) -> bytes:
    """The curve as PNG."""
    from oncall_bot.pictures.curve import Curve, Curves, svg_of
    from oncall_bot.pictures.drawing import png_of

    points = report.curve
    lines = [
        Curve("a right one", [(one.attach_above, one.attached_right) for one in points]),
        Curve("a wrong one", [(one.attach_above, one.attached_wrong) for one in points]),
        Curve("where none fits", [(one.attach_above, one.false_matches) for one in points]),
    ]
    below = f"{report.alerts:,} alerts, {report.runbooks:,} runbooks, {report.without_runbook:,} alerts have none"
    title = "Attached from this score on"
    return png_of(svg_of(Curves(title, below, lines, report.attach_above)))


def _figures(one: Scores) -> tuple[str, ...]:
    shares = (one.first, one.among_three, one.reciprocal_rank)
    attached = (one.attached_right, one.attached_wrong)
    return (str(one.alerts), *(f"{share:.3f}" for share in (*shares, *attached)))


def _tell_rounds(grown: list[Round]) -> None:
    say("")
    heads = ("ROUND", "ATTACHED RIGHT", "WRONG", "TO ALERTS WITHOUT ONE", "ANSWERS")
    rows = [
        (
            str(one.n),
            f"{one.attached_right:.3f}",
            f"{one.attached_wrong:.3f}",
            f"{one.false_matches:.3f}",
            str(one.answers),
        )
        for one in grown
    ]
    table(heads, rows)


def _folder(given: Path | None, named: str | None) -> Path:
    folder = given or runbooks_folder(settings_now(), named)
    if folder is None:
        raise OncallError(
            "There is no runbook folder: name it, set ONCALL_RUNBOOKS_DIR, or give runbooks.dir in oncall.yaml."
        )
    return folder


def _named_in_force() -> str | None:
    """What oncall.yaml names; the settings' folder needs no database."""
    if os.environ.get("ONCALL_RUNBOOKS_DIR"):
        return None
    with database() as store:
        return store.look(lambda reader: reader.snapshot.config.runbooks.dir)


def _faults(problems: Sequence[Problem | Finding]) -> None:
    for problem in problems:
        fault(str(problem))
