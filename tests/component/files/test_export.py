"""Writing a configuration: it reads back the same, and people can read it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oncall_bot.core.documents import faults_of, normalised
from oncall_bot.files.export import export_yaml
from oncall_bot.files.oncall_yaml import read_config

EXAMPLE = Path(__file__).parents[3] / "docs/examples/oncall.yaml"


def test_the_example_reads_back_the_same() -> None:
    given_file = read_config(EXAMPLE, read_secrets=False)
    again = read_config(export_yaml(given_file.document), read_secrets=False)
    assert again.faults == ()
    assert again.document == given_file.document
    assert again.sha256 == given_file.sha256


def test_what_is_written_is_canonical() -> None:
    """Exporting what was exported changes nothing."""
    text = export_yaml(read_config(EXAMPLE, read_secrets=False).document)
    assert export_yaml(read_config(text, read_secrets=False).document) == text


def test_it_is_written_for_people() -> None:
    text = export_yaml(read_config(EXAMPLE, read_secrets=False).document)
    assert "  ana: {name: Ana Ruiz, email: ana@example.com, zone: Europe/Madrid}\n" in text
    assert "\n\npolicies:\n" in text
    assert '      start: "2026-01-05T09:00"\n' in text
    assert max(map(len, text.splitlines())) <= 115


def test_a_reader_with_types_sees_the_same_text() -> None:
    """Where YAML would guess, we quote: other tools read 22:00 and on as what they are."""
    document = {
        "version": 1,
        "people": {"on": {"name": "no"}, "null": {"name": "1e3"}, "1": {"name": "~"}},
        "routes": [{"name": "2026-01-05", "policy": "yes"}],
    }
    assert yaml.safe_load(export_yaml(document)) == document


def test_the_digest_of_a_token_is_not_written_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-token\n")
    text = (
        "version: 1\npeople: {ana: {role: admin}}\nroutes: [{name: all}]\n"
        "sources: {eu: {token_file: token}, us: {token_sha256: " + "b" * 64 + "}}\n"
    )
    first = read_config(text, tmp_path)
    digest = hashlib.sha256(b"s3cret-token").hexdigest()
    assert first.document["sources"]["eu"]["token_sha256"] == digest
    written = export_yaml(first.document)
    assert digest not in written
    assert "b" * 64 in written
    assert read_config(written, tmp_path).document == first.document


WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=40
).filter(lambda text: text.isprintable() and text.strip())
TRICKY = st.sampled_from(
    ["null", "~", "on", "yes", "1", "1.5", "0x1F", "22:00", "#x", "- a", "a: b", "a #b", "{x}"]
    + ["[x]", "'", '"', "&a", "*a", "!t", "%d", "@x", "`x`", "|", ">", "?", "? x", "--- x", "x,y"]
    + ["\\", "\\n", "é", "漢字", "👩\u200d🚒"[:1], "<<", "=", ".inf", "true", " lead", "trail "]
)
TEXT = TRICKY | WORDS
KEYS = st.from_regex(r"\A[a-zA-Zäß0-9_][a-zA-Z0-9_.-]{0,20}\Z") | st.sampled_from(
    ["null", "on", "1", "no", "true", "1.5", "2026-01-05", "0x1"]
)
SECONDS = st.integers(0, 600_000).map(lambda n: f"{n}s")


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Sound documents with names and texts that YAML likes to take for something else."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    one = st.sampled_from(keys)
    people = {key: draw(st.fixed_dictionaries({}, optional={"name": TEXT})) for key in keys}
    steps = sorted(draw(st.lists(SECONDS, min_size=1, max_size=3)), key=lambda s: int(s[:-1]))
    return {
        "version": 1,
        "people": people,
        "teams": {
            draw(KEYS): {
                "members": draw(st.lists(one, max_size=4)),
                "usergroup": draw(TEXT),
                "fallback": [f"person:{draw(one)}"],
            }
        },
        "policies": {
            "p": {
                "repeat": {"times": draw(st.integers(0, 1000)), "every": "90s"},
                "steps": [{"after": after, "page": [f"person:{draw(one)}"]} for after in steps],
            }
        },
        "routes": [
            {
                "name": "first",
                "match": [f"note={yaml_quoted(draw(TEXT))}"],
                "policy": "p",
                "continue": draw(st.booleans()),
            },
            {"name": "last", "policy": "p"},
        ],
        "runbooks": {"dir": draw(TEXT), "attach_above": draw(st.floats(0, 1))},
    }


def yaml_quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(documents())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_reads_back_the_same(document: dict[str, Any]) -> None:
    assert faults_of(document) == []
    document = normalised(document)
    again = read_config(export_yaml(document))
    assert again.faults == ()
    assert again.document == document


@pytest.mark.parametrize("section", ["people", "teams", "maintenance"])
def test_an_empty_section_stays_a_section(section: str) -> None:
    empty: Any = [] if section == "maintenance" else {}
    document = {"version": 1, "routes": [{"name": "all", "policy": "p"}]} | {section: empty}
    document["policies"] = {"p": {"steps": [{"after": "0s", "page": ["channel:#a"]}]}}
    assert read_config(export_yaml(document)).document == document
