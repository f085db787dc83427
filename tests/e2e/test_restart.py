"""Stopped and started again: what stands in the files is in force, whether they are read anew or not."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.world import CONFIG, World, alert, body

EU = "sources:\n  eu: {kind: alertmanager, token_file: eu-token}\n"


def lines(world: World) -> list[str]:
    return [line for line in world.serve.log(400).splitlines() if '"event": "config"' in line]


def test_a_start_reads_the_files_again_when_one_of_them_changed_and_only_then(
    build: Callable[..., World],
) -> None:
    world = build(config=CONFIG + EU, start=False)
    file, token = world.serve.folder / "oncall.yaml", world.serve.folder / "eu-token"
    token.write_text("first-token")
    world.start()
    assert world.post(body(alert("One")), token="first-token").status == 200

    world.restart()
    assert '"unchanged": true' in lines(world)[-1]
    assert world.post(body(alert("Two")), token="first-token").status == 200
    world.until(lambda: world.rings("alice-phone", "Two"), "alice is paged")

    token.write_text("second-token")
    world.restart()
    assert '"applied": true' in lines(world)[-1]
    assert world.post(body(alert("Three")), token="first-token").status == 401
    assert world.post(body(alert("Three")), token="second-token").status == 200

    file.write_text(file.read_text().replace("page: [schedule:shop-primary]", "page: [person:bob]"))
    world.restart()
    assert world.post(body(alert("Four")), token="second-token").status == 200
    world.until(lambda: world.rings("bob-phone", "Four"), "bob is paged")


def test_a_token_of_the_settings_is_in_force_though_the_file_did_not_change(
    build: Callable[..., World],
) -> None:
    world = build()
    world.restart(ONCALL_WEBHOOK_TOKEN="another-token-of-16-letters")
    assert '"unchanged": true' in lines(world)[-1]
    assert world.post(body(alert())).status == 401
    assert world.post(body(alert()), token="another-token-of-16-letters").status == 200
