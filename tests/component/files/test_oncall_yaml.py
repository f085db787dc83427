"""Reading oncall.yaml: the complete example is sound; each fault is told with line and field."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

import pytest

from oncall_bot.core.config import Urgency
from oncall_bot.core.documents import config_of
from oncall_bot.core.documents.format import FORMAT
from oncall_bot.core.documents.shapes import ListOf, MapOf, Record, Shape
from oncall_bot.files.oncall_yaml import ConfigFile, FileFault, as_it_was, read_config
from tests.shared import shared

EXAMPLE = Path(__file__).parents[3] / "docs/examples/oncall.yaml"


def told(text: str, folder: Path | None = None) -> list[str]:
    return [str(fault) for fault in read_config(text, folder).faults]


# What is sound.


def test_the_complete_example_has_no_fault() -> None:
    found = read_config(EXAMPLE, read_secrets=False)
    assert found.faults == ()
    assert found.ok
    config = config_of(found.document)
    assert config.policies["shop-primary"].steps[1].urgency is Urgency.HIGH
    assert [route.key for route in config.routes] == ["watchdog", "checkout", "rest"]
    line = found.line_of("schedules", "shop-primary")
    assert EXAMPLE.read_text().splitlines()[line - 1] == "  shop-primary:"


def test_the_reference_shows_every_key_there_is() -> None:
    """A key that no page shows is one nobody finds."""
    reference = (EXAMPLE.parents[1] / "reference/oncall-yaml.md").read_text()
    for key in sorted(set(_keys(FORMAT)) - {"overrides"}):
        assert re.search(rf"[`{{ ,]{key}\b", reference), f"{key} is not in the reference"


def _keys(shape: Shape) -> list[str]:
    match shape:
        case Record():
            inner = [key for field in shape.fields.values() for key in _keys(field)]
            return [*shape.fields, *inner]
        case ListOf() | MapOf():
            return _keys(shape.item)
        case _:
            return []


def test_the_file_of_the_contract_has_no_fault(tmp_path: Path) -> None:
    """The format's own page, word for word, with a token where it says there is one."""
    page = shared("SCHEMA.md").read_text()
    text = page.partition("```yaml\n")[2].partition("```")[0]
    token = tmp_path / "prod-eu"
    token.write_text("t0ken\n")
    found = read_config(text.replace("/run/secrets/prod-eu", str(token)))
    assert found.faults == ()
    digest = hashlib.sha256(b"t0ken").hexdigest()
    assert config_of(found.document).sources["prod-eu"].token_sha256 == digest


def test_every_example_in_the_reference_has_no_fault() -> None:
    """The page's pieces, put together, are one sound file."""
    page = (EXAMPLE.parents[1] / "reference/oncall-yaml.md").read_text()
    pieces = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(pieces) > 10
    assert [str(f) for f in read_config("\n".join(pieces), read_secrets=False).faults] == []


def test_no_type_is_guessed() -> None:
    """22:00 is a time and not 1320, `on` is a name, a date is text; a tier is a number."""
    found = read_config(
        """
version: 1
people: {on: {name: 007, role: admin}, 'no': {name: 1e3}}
services: {s: {team: t, label_values: [1, 0x10, 2026-01-05, null-island], tier: 1}}
teams: {t: {members: on}}
maintenance:
  - {name: night, match: 'a="1"', from: 22:00, to: 06:30, days: [6, 7], until: 2026-12-25}
routes: [{name: all}]
"""
    )
    assert found.faults == ()
    document = found.document
    assert document["people"]["on"]["name"] == "007"
    assert document["people"]["no"]["name"] == "1e3"
    assert document["services"]["s"]["label_values"] == ["1", "0x10", "2026-01-05", "null-island"]
    assert document["services"]["s"]["tier"] == 1
    assert document["maintenance"][0]["from"] == "22:00"
    assert document["maintenance"][0]["days"] == [6, 7]
    assert document["maintenance"][0]["until"] == "2026-12-25"


def test_one_value_may_stand_without_brackets_where_several_may() -> None:
    found = read_config(
        "version: 1\npeople: {ana: {}}\n"
        "policies:\n  p:\n    steps: [{after: 0m, page: person:ana}]\n"
        "routes:\n  - {name: a, match: 'x=\"1\"', group_by: region, policy: p}\n"
        "  - {name: b, policy: p}\n"
    )
    assert found.faults == ()
    assert found.document["policies"]["p"]["steps"][0]["page"] == ["person:ana"]
    assert found.document["routes"][0]["group_by"] == ["region"]


def test_comments_blanks_and_order_of_keys_are_no_new_content() -> None:
    first = read_config(BASE)
    lines = BASE.replace("60m", "1h").splitlines()
    second = read_config("# hello\n\n" + "\n".join([*lines[1:], lines[0]]) + "   # end\n")
    assert first.ok
    assert second.ok
    assert first.sha256 == second.sha256
    assert read_config(BASE.replace("60m", "61m")).sha256 != first.sha256


def test_a_section_with_all_its_entries_commented_out_is_no_section() -> None:
    found = read_config(BASE + "maintenance:\n  # - {name: x}\n")
    assert found.ok
    assert "maintenance" not in found.document


def test_aliases_repeat_what_was_written_once() -> None:
    found = read_config(
        "version: 1\npeople: {ana: {}}\nteams:\n  a: {members: &everybody [ana]}\n"
        "  b: {members: *everybody}\nroutes: [{name: all, policy: p}]\n"
        "policies: {p: {steps: [{after: 0m, page: [team:b]}]}}\n"
    )
    assert found.ok
    assert found.document["teams"]["b"]["members"] == ["ana"]


# What is not: text, line, field, a part of the sentence.

BASE = """\
version: 1
people:
  ana: {name: Ana Ruiz, email: ana@example.com}
  bo: {name: Bo Lindt, email: bo@example.com}
policies:
  main:
    ack_timeout: 60m
    steps:
      - {after: 0m, page: [person:ana]}
      - after: 5m
        page: [person:bo]
routes:
  - {name: rest, policy: main}
"""

REPLACED = [
    # what stands in BASE, what is put there, line, field, part of the message
    ("version: 1", "version: one", 1, "version", "not a whole number; write version: 1"),
    ("version: 1", "versoin: 1", 1, "versoin", "did you mean version?"),
    ("email: bo@", "mail: bo@", 4, "people.bo.mail", "did you mean email?"),
    ("bo@example.com", "example.com", 4, "people.bo.email", "not an e-mail address"),
    ("  bo:", "  ana:", 4, "people.ana", "was given already on line 3"),
    ("name: Bo Lindt,", "name: Bo, name: Lindt,", 4, "people.bo.name", "already on line 4"),
    ("policies:", "policys:", 5, "policys", "did you mean policies?"),
    ("60m", "60 minutes", 7, "policies.main.ack_timeout", '"60 minutes" is not a duration'),
    ("60m", "forever", 7, "policies.main.ack_timeout", "only in retention"),
    ("60m", "", 7, "policies.main.ack_timeout", "nothing stands here"),
    ("60m", "[60m]", 7, "policies.main.ack_timeout", "a list stands here"),
    ("after: 0m", "after: 9m", 10, "policies.main.steps[1].after", "comes before the step above"),
    ("after: 5m", "after: 5x", 10, "policies.main.steps[1].after", "write 30s, 5m or 1h"),
    ("after: 5m", "aftr: 5m", 10, "policies.main.steps[1].aftr", "did you mean after?"),
    ("[person:bo]", "[person:bob]", 11, "policies.main.steps[1].page[0]", "did you mean bo?"),
    ("[person:bo]", "[person: bo]", 11, "policies.main.steps[1].page[0]", '"person:bo"'),
    ("[person:bo]", "[]", 11, "policies.main.steps[1].page", "give at least one"),
    ("[person:bo]", "#someday", 11, "policies.main.steps[1].page", "where a list belongs"),
    ("policy: main}", "policy: mian}", 13, "routes[0].policy", "did you mean main?"),
    ("policy: main}", "policy: main, continue: yes}", 13, "routes[0].continue", "true or false"),
    ("policy: main}", "policy: main, wait: 5}", 13, "routes[0].wait", "not a duration"),
    ("policy: main}", "match: [a], policy: main}", 13, "routes[0].match[0]", "can't read `a`"),
    ("policy: main}", "match: 'a=1', policy: main}", 13, "routes[0].match", "must have no match"),
    ("policy: main}", "<<: {a: b}, policy: main}", 13, "routes[0]", "merge key << is not read"),
    ("name: rest", "name: a b", 13, "routes[0].name", "is no name"),
    ("{name: rest, policy: main}", "rest", 13, "routes[0]", "where keys belong: name, match"),
    ("  - {name: rest, policy: main}", "  rest: {policy: main}", 12, "routes", "a list belongs"),
    ("    steps:", "    stpes:", 8, "policies.main.stpes", "did you mean steps?"),
    # YAML itself
    ("{name: rest, policy: main}", "{name: rest, policy: main", 13, "", "close the bracket"),
    ("    ack_timeout", "\tack_timeout", 7, "", "indent with spaces, not tabs"),
    ("      - after: 5m", "     - after: 5m", 10, "", "indentation"),
    ("policy: main}", "policy: @main}", 13, "", "put the value in quotes"),
    ("name: Ana Ruiz", "name: !!python/name:os.system x", 3, "", "tag"),
    ("name: Ana Ruiz", "name: *ana", 3, "", "names nothing that was written before"),
    ("people:", "people: &p\n  x: *p", 3, "", "names nothing that was written before"),
    ("people:", "--- \npeople:", 2, "", "a second document begins here"),
    ("  ana:", "  ? [a, b]\n  : {}\n  ana:", 3, "people", "a key is one word"),
    ("name: Bo Lindt", "name: Bo\x07", 4, "", "a character stands here that YAML forbids"),
]

SCHEDULE = """\
schedules:
  s:
    layers:
      - start: 2026-01-05T09:00
        rotation: {unit: week}
        users: [ana]
"""
APPENDED = [
    # a section added after line 13 of BASE: text, line, field, part of the message
    ("people: {}", 14, "people", "was given already on line 2"),
    ("defaults: {channel: #alerts\n  }", 14, "defaults.channel", "in quotes because of the #"),
    ("defaults: {channel: alerts}", 14, "defaults.channel", '"#name", in quotes'),
    ("defaults: {zone: Berlin}", 14, "defaults.zone", "IANA name such as Europe/Berlin"),
    ("defaults:\n  last_resort: [ana, eve]", 15, "defaults.last_resort[1]", 'no person "eve"'),
    (
        "personal_rules:\n  high:\n    - {after: 0m, by: push}",
        16,
        "personal_rules.high[0].by",
        "no channel",
    ),
    ("channels:\n  push: {url: ntfy}", 15, "channels.push.url", "not an apprise address"),
    ("channels:\n  push: {per_person: 3}", 15, "channels.push.per_person", "write 3/15m"),
    (
        "teams:\n  shop:\n    members:\n      - ana\n      - cy",
        18,
        "teams.shop.members[1]",
        'no person "cy"',
    ),
    ("services:\n  pay: {policy: main}", 15, "services.pay.team", "is missing"),
    ("schedules:\n  s:\n    layers: []", 16, "schedules.s.layers", "give at least one"),
    (SCHEDULE.replace("T09:00", ""), 17, "schedules.s.layers[0].start", "wall time like"),
    (
        SCHEDULE.replace("week", "week, every: two"),
        18,
        "schedules.s.layers[0].rotation.every",
        "not a whole number",
    ),
    (
        SCHEDULE + "    overrides:\n      - {user: bo}",
        20,
        "schedules.s.overrides",
        "people own those",
    ),
    (
        SCHEDULE + "    holidays:\n      - {date: 2026-12-25, action: user}",
        21,
        "schedules.s.holidays[0]",
        "needs the key user",
    ),
    (
        "severities:\n  page: {incident: SEV1, urgency: high}",
        14,
        "severities.default",
        "no severity critical",
    ),
    (
        "severities:\n  page: {incident: SEV1, urgency: loud}\n  default: page",
        15,
        "severities.page.urgency",
        "none, low or high",
    ),
    (
        "maintenance:\n  - {name: m, match: 'a=1', from: 01:00, to: 01:00}",
        15,
        "maintenance[0].to",
        "has no length",
    ),
    (
        "maintenance:\n  - {name: m, match: 'a=1', from: 1:00, to: 02:00}",
        15,
        "maintenance[0].from",
        "not a time of day",
    ),
    ("sources:\n  eu:\n    token_file: nowhere", 16, "sources.eu.token_file", "is no file"),
    (
        "sources:\n  eu:\n    token_file: t\n    token_sha256: " + "a" * 64,
        17,
        "sources.eu.token_sha256",
        "keep one",
    ),
    ("runbooks: {attach_above: high}", 14, "runbooks.attach_above", "not a number; write 0.62"),
    ("runbooks:\n  attach_above: 1.5", 15, "runbooks.attach_above", "from 0 to 1"),
    ("retention:\n  alerts: never", 15, "retention.alerts", "90d, 1y or forever"),
    ("llm: {sends: [everything]}", 14, "llm.sends[0]", "severity:SEV1"),
]


def _check(text: str, line: int, field: str, part: str) -> None:
    found = read_config(text).faults
    assert [(fault.line, fault.field) for fault in found][:1] == [(line, field)], told(text)
    assert part in found[0].message
    assert read_config(text).document == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "part"), REPLACED, ids=[repr(r[1]) for r in REPLACED]
)
def test_a_fault_is_told_with_its_line_and_field(
    old: str, new: str, line: int, field: str, part: str
) -> None:
    assert old in BASE
    _check(BASE.replace(old, new, 1), line, field, part)


@pytest.mark.parametrize(
    ("text", "line", "field", "part"), APPENDED, ids=[f"{a[2]} {a[3]}" for a in APPENDED]
)
def test_a_fault_in_a_section_is_told_with_its_line_and_field(
    text: str, line: int, field: str, part: str
) -> None:
    _check(BASE + text + "\n", line, field, part)


def test_a_fault_prints_as_one_line_an_editor_can_follow() -> None:
    text = BASE.replace("after: 5m", "after: 5x")
    assert told(text) == [
        'oncall.yaml:10: policies.main.steps[1].after: "5x" is not a duration; write 30s, 5m or 1h'
    ]
    assert str(FileFault("a.yaml", 0, "", "cannot be read")) == "a.yaml: cannot be read"


def test_all_faults_are_told_by_line() -> None:
    text = BASE.replace("bo@example.com", "bo").replace("5m", "5x").replace("rest", "re st")
    found = read_config(text).faults
    assert [fault.line for fault in found] == [4, 10, 13]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "version: is missing"),
        ("# nothing\n", "routes: is missing"),
        ("[1, 2]", "the file must hold keys"),
        ("hello", "the file must hold keys"),
    ],
)
def test_a_file_without_content_says_what_belongs_there(text: str, part: str) -> None:
    assert any(part in line for line in told(text))


# Files, secrets and hostile texts.


def test_a_file_names_itself_in_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(BASE.replace("5m", "5x"))
    assert str(read_config(path).faults[0]).startswith(f"{path}:10: policies.main")


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    found = read_config(tmp_path / "none.yaml")
    assert str(found.faults[0]).endswith("none.yaml: cannot be read: No such file or directory")
    assert read_config(tmp_path).faults[0].message == "cannot be read: Is a directory"


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_bytes(BASE.encode().replace(b"Bo Lindt", b"B\xf6 Lindt"))
    assert (read_config(path).faults[0].line, read_config(path).faults[0].message) == (
        4,
        "is not UTF-8 here; save the file as UTF-8",
    )
    path.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert read_config(path).ok


def test_a_file_larger_than_a_megabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text(BASE + "#" * (1024 * 1024))
    assert "is larger than 1024 KiB" in read_config(path).faults[0].message
    assert "is larger than 1024 KiB" in told(path.read_text())[0]


def with_source(source: str) -> str:
    return BASE + "sources:\n  eu: {" + source + "}\n"


def test_of_a_token_only_its_digest_is_kept(tmp_path: Path) -> None:
    """Relative to the file; line ends around the token do not count."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens/eu").write_text("\n  abc-DEF_123  \n")
    path = tmp_path / "o.yaml"
    path.write_text(with_source("token_file: tokens/eu"))
    found = read_config(path)
    digest = hashlib.sha256(b"abc-DEF_123").hexdigest()
    assert found.document["sources"]["eu"] == {"token_file": "tokens/eu", "token_sha256": digest}
    assert "abc-DEF_123" not in repr(found)


def test_another_token_is_another_content(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("first-token")
    before = read_config(with_source("token_file: t"), tmp_path)
    (tmp_path / "t").write_text("second-token")
    assert read_config(with_source("token_file: t"), tmp_path).sha256 != before.sha256


def test_what_was_read_is_as_it_was_until_one_of_its_files_changes_or_goes(tmp_path: Path) -> None:
    path, token = tmp_path / "o.yaml", tmp_path / "t"
    token.write_text("first-token")
    path.write_text(with_source("token_file: t"))
    read = read_config(path).read
    assert set(read) == {str(path), str(token)}
    assert as_it_was(read)
    for changed, before in ((path, path.read_text()), (token, "first-token")):
        changed.write_text(before + " ")
        assert not as_it_was(read)
        changed.write_text(before)
        assert as_it_was(read)
    token.unlink()
    assert not as_it_was(read)


def test_a_file_with_faults_counts_as_never_read(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text("version: 7\n")
    assert not read_config(path).read


def test_without_secrets_the_files_are_not_touched(tmp_path: Path) -> None:
    found = read_config(with_source("token_file: /nowhere/at/all"), read_secrets=False)
    assert found.ok
    assert "token_sha256" not in found.document["sources"]["eu"]


@pytest.mark.parametrize(
    ("content", "part"), [(b"", "is empty"), (b"two words", "no token"), (b"x" * 5000, "no token")]
)
def test_a_file_without_a_token_is_a_fault_that_repeats_nothing(
    tmp_path: Path, content: bytes, part: str
) -> None:
    (tmp_path / "t").write_bytes(content)
    [fault] = read_config(with_source("token_file: t"), tmp_path).faults
    assert (fault.line, fault.field) == (15, "sources.eu.token_file")
    assert part in fault.message
    assert "two words" not in fault.message


def test_two_sources_must_not_share_a_token(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("same-token")
    (tmp_path / "b").write_text("same-token")
    text = BASE + "sources:\n  eu: {token_file: a}\n  us: {token_file: b}\n"
    [fault] = read_config(text, tmp_path).faults
    assert (fault.line, fault.field) == (16, "sources.us.token_file")
    assert "us has the token of eu" in fault.message


def laughs() -> str:
    """Each line repeats the one before ten times: 10^12 values in 500 bytes."""
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
    rest = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join([first, *rest])


@pytest.mark.parametrize(
    "text",
    [
        laughs(),
        "a: " + "[" * 500_000,
        "a: " + "{a: " * 200_000,
        "- " * 300_000,
        "? " * 300_000,
        "a: &x [&y [*x, *y]]",
        "&a " * 1000 + "b",
        "a: |\n" + " " * 900_000,
        "'" + "\n" * 900_000,
        "x: {" + "a: b, " * 150_000 + "}",
        "%YAML 9.9\n---\na: b",
        "a: \ud800",
        "\x00",
        "!" * 10_000,
    ],
    ids=range(14),
)
def test_a_hostile_text_is_refused_in_little_time(text: str) -> None:
    began = time.monotonic()
    found = read_config(text)
    assert found.faults
    assert len(found.faults) <= 250
    assert all(len(str(fault)) < 500 for fault in found.faults)
    assert time.monotonic() - began < 10


def test_a_large_honest_file_is_read_quickly() -> None:
    """400 people, 40 schedules and policies, 400 routes: about 45 kB."""
    people = "".join(f"  p{n}: {{name: P {n}, email: p{n}@example.com}}\n" for n in range(400))
    schedules = "".join(
        f"  s{n}:\n    layers:\n      - start: 2026-01-05T09:00\n        rotation: {{unit: week}}\n"
        f"        users: [{', '.join(f'p{n * 10 + i}' for i in range(10))}]\n"
        for n in range(40)
    )
    policies = "".join(
        f"  q{n}: {{steps: [{{after: 0m, page: [schedule:s{n}]}}]}}\n" for n in range(40)
    )
    routes = "".join(
        f"  - {{name: r{n}, match: ['team=\"t{n}\"'], policy: q{n % 40}}}\n" for n in range(400)
    )
    text = (
        f"version: 1\npeople:\n{people}schedules:\n{schedules}policies:\n{policies}"
        f"routes:\n{routes}  - {{name: rest, policy: q0}}\n"
    )
    began = time.monotonic()
    found: ConfigFile = read_config(text)
    assert found.ok
    assert time.monotonic() - began < 5
