"""`person export` and `person forget` as an admin types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.component.cli.conftest import CONFIG, Run

WITHOUT_BO = (
    CONFIG.replace("  bo: {name: Bo Lindt, email: bo@example.com}\n", "")
    .replace("members: [ana, bo]", "members: [ana]")
    .replace("users: [ana, bo]", "users: [ana]")
)


def test_a_person_is_exported_to_a_file(run: Run, url: str, config: Path) -> None:
    assert run("apply", str(config)).code == 0
    assert run("person", "export", "bo", "--out", "bo.json").code == 0
    found = json.loads(Path("bo.json").read_text())
    assert found["person"]["emails"] == ["bo@example.com"]
    assert found["schema"] == "person-export/1"


def test_forgetting_asks_first_says_what_goes_and_is_refused_while_the_file_names_them(
    run: Run, url: str, config: Path
) -> None:
    assert run("apply", str(config)).code == 0
    said = run("person", "forget", "bo", "--yes")
    assert said.code == 1
    assert "The file in force still names bo, in people.bo, teams.shop.members" in said.err
    config.write_text(WITHOUT_BO)
    assert run("apply", str(config)).code == 0
    said = run("person", "forget", "bo", stdin="n\n")
    assert said.code == 1
    assert "Goes: bo with" in said.err
    assert "Nothing was changed." in said.err
    done = run("person", "forget", "bo", "--yes", "--json").json
    assert done["pseudonym"].startswith("former-")
    assert run("person", "export", "bo").err == (
        "oncall-bot: Nobody here is called 'bo': name the key or the Slack id.\n"
    )
