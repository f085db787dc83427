"""Runbook files: a folder of Markdown with YAML front matter, read into core Runbooks.

Knows: the file format, its limits, and the line on which something is wrong. Refuses to know: SQL,
and which runbook belongs to which alert. One broken file is a Problem and never hurts the others.
Serves `runbooks import`, `match` and `check`, `apply`, and the start of `serve`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from oncall_bot.core.errors import BadInput
from oncall_bot.core.live_checks import PROMQL_LIMIT, LiveCheck, parse_expectation
from oncall_bot.core.matchers import Matcher, MatcherError, parse_matchers
from oncall_bot.core.runbooks import Runbook, Section

FILE_LIMIT = 1024 * 1024
"""Bytes in one runbook."""
FRONT_MATTER_LIMIT = 16 * 1024
FOLDER_LIMIT = 20_000
"""Files read from one folder."""

_SUFFIXES = (".md", ".markdown")
_NOT_RUNBOOKS = ("readme", "license", "changelog", "contributing")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FIELDS = (
    *("title", "slug", "match", "aliases", "services", "owner", "severity", "tags"),
    *("links", "reviewed_at"),
)
_INFO = re.compile(r'\s*([A-Za-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a runbook file, where (line 1 is the first), and what would do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class _Broken(Exception):  # noqa: N818  a jump to the Problem of this file, never seen outside
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_library(folder: Path) -> tuple[list[Runbook], list[Problem]]:
    """As `read_runbooks`, of the folder `runbooks` in this one where there is one."""
    inside = folder / "runbooks"
    return read_runbooks(inside if inside.is_dir() else folder)


def read_runbooks(folder: Path) -> tuple[list[Runbook], list[Problem]]:
    """The runbooks below `folder`, by path, and what was wrong with the others.

    A live check that cannot be read is a Problem too, but its runbook is kept without it. Raises
    BadInput when the folder itself cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(
            f"I can't find the runbook folder {folder}; give a folder of Markdown files."
        )
    root = folder.resolve()
    runbooks: list[Runbook] = []
    problems: list[Problem] = []
    homes: dict[tuple[str, str], str] = {}
    for name, path in _files(folder, problems):
        try:
            text = _text(path, root)
            runbook, faults = parse_runbook(text, name)
            home = homes.setdefault((runbook.source, runbook.slug), name)
            if home != name:
                raise _Broken(
                    1, f"the slug {runbook.slug} is taken by {home}; give it another slug"
                )
        except _Broken as broken:
            problems.append(Problem(name, broken.line, broken.message))
        except OSError as fault:
            problems.append(Problem(name, 1, f"cannot be read: {fault.strerror}"))
        else:
            runbooks.append(runbook)
            problems.extend(faults)
    return runbooks, problems


def starter_library() -> Path | None:
    """The runbooks that come with the bot: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    places = (package / "_runbooks", package.parent / "runbooks")
    return next((place for place in places if place.is_dir()), None)


def parse_runbook(text: str, name: str) -> tuple[Runbook, list[Problem]]:
    """One runbook from the text of the file `name` (its path inside the folder, with slashes).

    Plain Markdown is welcome: its title is the first heading, its slug the name of the file. The
    source is `file`, or `file:sub/folder`, so that the same slug may stand in two folders.
    """
    fields, body_at = _front_matter(text)
    lines = text.split("\n")
    body = "\n".join([""] * body_at + lines[body_at:])  # so that every line keeps its number
    tokens = MarkdownIt("commonmark").parse(body)
    sections = _sections(tokens, body.split("\n"))
    checks, faults = _live_checks(tokens, name)
    folder, _, file = name.rpartition("/")
    stem = file.rpartition(".")[0] or file
    return (
        Runbook(
            source=f"file:{folder}" if folder else "file",
            slug=_slug(fields, stem),
            title=_title(fields, sections, stem),
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            matchers=_matchers(fields),
            aliases=_words(fields, "aliases"),
            services=_words(fields, "services"),
            owner=_word(fields, "owner"),
            severity=_word(fields, "severity"),
            tags=_words(fields, "tags"),
            links=_links(fields),
            reviewed_at=_day(fields, "reviewed_at"),
            sections=tuple(sections),
            checks=tuple(checks),
            path=name,
        ),
        [*_misspelt(fields, name), *faults],
    )


# -- the folder -------------------------------------------------------------------------------


def _files(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    """Markdown files by path; hidden ones, `_index.md` and a README are no runbooks."""
    found: list[tuple[str, Path]] = []
    for where, folders, files in os.walk(folder, followlinks=False):
        here = Path(where)
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for one in folders:
            if (here / one).is_symlink():
                shown = (here / one).relative_to(folder).as_posix()
                problems.append(Problem(shown, 1, "is a link to a folder; links are not followed"))
        found += [
            ((here / f).relative_to(folder).as_posix(), here / f) for f in files if _wanted(f)
        ]
    found.sort()
    if len(found) > FOLDER_LIMIT:
        dropped = found[FOLDER_LIMIT][0]
        problems.append(Problem(dropped, 1, f"only the first {FOLDER_LIMIT} files are read"))
    return iter(found[:FOLDER_LIMIT])


def _wanted(file: str) -> bool:
    stem, dot, ending = file.rpartition(".")
    hidden = file.startswith((".", "_"))
    return (
        f"{dot}{ending}".lower() in _SUFFIXES and not hidden and stem.lower() not in _NOT_RUNBOOKS
    )


def _text(path: Path, root: Path) -> str:
    real = path.resolve()
    if not real.is_relative_to(root):
        raise _Broken(1, "is a link that leads out of the runbook folder; put the file itself here")
    if not real.is_file():
        raise _Broken(1, "is not a regular file")
    with real.open("rb") as file:
        raw = file.read(FILE_LIMIT + 1)
    if len(raw) > FILE_LIMIT:
        raise _Broken(1, f"is larger than {FILE_LIMIT // 1024} kB; split it into several runbooks")
    try:
        return (
            raw.decode("utf-8-sig")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
            .replace("\0", "\ufffd")
        )
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise _Broken(line, "is not UTF-8 text; save it as UTF-8") from fault


# -- front matter -----------------------------------------------------------------------------

_Value = str | list[tuple[str, int]]
_Fields = dict[str, tuple[_Value, int]]


def _front_matter(text: str) -> tuple[_Fields, int]:
    """The fields with their lines, and how many lines stand before the Markdown begins."""
    lines = text.split("\n")
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        raise _Broken(1, "the front matter is not closed; put a line of --- after its last field")
    source = "\n".join(lines[1:end])
    if len(source) > FRONT_MATTER_LIMIT:
        raise _Broken(1, f"the front matter is longer than {FRONT_MATTER_LIMIT // 1024} kB")
    return _yaml_fields(source), end + 1


def _yaml_fields(source: str) -> _Fields:
    try:
        node = yaml.compose(source, Loader=yaml.BaseLoader)  # no types: `on` and dates stay text
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 2 if fault.problem_mark else 1
        raise _Broken(line, f"the front matter is not YAML: {fault.problem}") from fault
    except (yaml.YAMLError, RecursionError) as fault:
        raise _Broken(1, "the front matter is not YAML") from fault
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise _Broken(2, "the front matter is not a list of fields such as `title: Host is down`")
    fields: _Fields = {}
    for key, value in node.value:
        line = key.start_mark.line + 2
        if not isinstance(key, yaml.ScalarNode):
            raise _Broken(line, "a field name is plain text")
        if key.value in fields:
            raise _Broken(line, f"the field {key.value} stands twice")
        if key.value in _FIELDS:
            fields[key.value] = _value(key.value, value), line
        else:
            fields[key.value] = "", line
    return fields


def _value(name: str, node: yaml.Node) -> _Value:
    line = node.start_mark.line + 2
    if isinstance(node, yaml.ScalarNode):
        return str(node.value).strip()
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(one, yaml.ScalarNode) for one in node.value
    ):
        return [(str(one.value).strip(), one.start_mark.line + 2) for one in node.value]
    raise _Broken(line, f"the field {name} is a text or a list of texts")


def _word(fields: _Fields, name: str) -> str:
    value, line = fields.get(name, ("", 1))
    if not isinstance(value, str):
        raise _Broken(line, f"the field {name} is one text, not a list")
    return value


def _entries(fields: _Fields, name: str) -> list[tuple[str, int]]:
    """The texts of a list with their lines; a single text is a list of one."""
    value, line = fields.get(name, ("", 1))
    entries = [(value, line)] if isinstance(value, str) else value
    return [(text, at) for text, at in entries if text]


def _words(fields: _Fields, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text, _ in _entries(fields, name)))


def _matchers(fields: _Fields) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    for text, line in _entries(fields, "match"):
        try:
            found += parse_matchers(text)
        except MatcherError as fault:
            raise _Broken(line, str(fault)) from fault
    return tuple(found)


def _links(fields: _Fields) -> tuple[str, ...]:
    for text, line in _entries(fields, "links"):
        if not text.startswith(("https://", "http://")):
            raise _Broken(line, f"I can't read `{text[:80]}` as a link; it begins with https://")
    return _words(fields, "links")


def _day(fields: _Fields, name: str) -> date | None:
    text = _word(fields, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        line = fields[name][1]
        raise _Broken(line, f"I can't read `{text[:40]}` as a day; write 2026-01-31") from fault


def _slug(fields: _Fields, stem: str) -> str:
    slug = _word(fields, "slug")
    if slug and not _SLUG.fullmatch(slug):
        line = fields["slug"][1]
        raise _Broken(line, f"`{slug[:40]}` is no slug; use letters, digits, dots and dashes")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:100]
    if not (slug or plain):
        raise _Broken(1, "the file name gives no slug; add `slug:` to the front matter")
    return slug or plain


def _title(fields: _Fields, sections: list[Section], stem: str) -> str:
    first = next((one.heading for one in sections if one.heading), "")
    return " ".join((_word(fields, "title") or first or stem).split())[:200]


def _misspelt(fields: _Fields, name: str) -> Iterator[Problem]:
    """Fields of other tools are no fault; one that looks like a slip of ours is told."""
    for field, (_, line) in fields.items():
        if field not in _FIELDS and (near := difflib.get_close_matches(field, _FIELDS, 1, 0.75)):
            yield Problem(name, line, f"the field {field} is unknown; did you mean {near[0]}?")


# -- Markdown ---------------------------------------------------------------------------------


def _sections(tokens: list[Token], lines: list[str]) -> list[Section]:
    """The text between headings; what stands before the first one has no heading."""
    heads: list[tuple[int, int, int, str]] = [(0, 0, 0, "")]  # from, to, level, heading
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            heads.append((token.map[0], token.map[1], int(token.tag[1:]), _heading(inline)))
    ends = [head[0] for head in heads[1:]] + [len(lines)]
    sections = [
        Section(heading, "\n".join(lines[start:end]).strip("\n"), level, first + 1)
        for (first, start, level, heading), end in zip(heads, ends, strict=True)
    ]
    return [one for one in sections if one.heading or one.text.strip()]


def _heading(inline: Token) -> str:
    return "".join(one.content for one in inline.children or ()).strip()


def _live_checks(tokens: list[Token], name: str) -> tuple[list[LiveCheck], list[Problem]]:
    checks: list[LiveCheck] = []
    problems: list[Problem] = []
    section = ""
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            section = _heading(tokens[number + 1])
        language, _, info = token.info.strip().partition(" ")
        if token.type != "fence" or language != "promql" or not info:
            continue  # a query without a name is an example to read, not a live check
        try:
            check = replace(_live_check(token), section=section)
            if any(check.name == one.name for one in checks):
                raise BadInput(f'two live checks have the name "{check.name}"')
            checks.append(check)
        except BadInput as fault:
            problems.append(Problem(name, (token.map or [0])[0] + 1, str(fault)))
    return checks, problems


def _live_check(token: Token) -> LiveCheck:
    info = token.info.strip().removeprefix("promql")
    found = {one[1]: one[2].replace('\\"', '"') for one in _INFO.finditer(info)}
    rest = _INFO.sub("", info).strip()
    unknown = sorted(set(found) - {"name", "unit", "expect"})
    if rest or unknown:
        odd = rest or unknown[0]
        raise BadInput(
            f'I can\'t read `{odd[:60]}` after promql; write name="..." unit="..." expect="..."'
        )
    if not found.get("name"):
        raise BadInput('a live check needs a name; write ```promql name="queue depth"')
    promql = token.content.strip()
    if not promql or len(promql) > PROMQL_LIMIT:
        raise BadInput(f"the query of a live check has 1 to {PROMQL_LIMIT} characters")
    return LiveCheck(
        found["name"], found.get("unit", ""), parse_expectation(found.get("expect", "")), promql, ""
    )
