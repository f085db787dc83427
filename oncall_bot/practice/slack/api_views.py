"""`views.*`: modals by a trigger that lives 3 seconds, their updates, and App Home.

Knows triggers, stacks and hashes. Serves api.
"""

from __future__ import annotations

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.tickets import Trigger
from oncall_bot.practice.slack.views import View, checked


def _trigger(scene: Scene, given: Json) -> Trigger:
    key = given.get("trigger_id") or given.get("interactivity_pointer")
    if not key:
        missing = "[ERROR] missing required field: trigger_id"
        raise SlackError("invalid_arguments", (missing,))
    return scene.tickets.look(key)


def open_(scene: Scene, given: Json) -> Json:
    view = checked(given["view"], "modal")
    trigger = _trigger(scene, given)
    opened = scene.views.open(trigger.user, view)
    trigger.used = True
    scene.show_modal(trigger.user)
    return {"view": opened.shown}


def push(scene: Scene, given: Json) -> Json:
    view = checked(given["view"], "modal")
    trigger = _trigger(scene, given)
    above = scene.views.find(trigger.view_id)
    if above is None or not above.open or above.shown["type"] != "modal":
        raise SlackError("not_found")
    pushed = scene.views.push(trigger.user, view, above)
    trigger.used = True
    scene.show_modal(trigger.user)
    return {"view": pushed.shown}


def update(scene: Scene, given: Json) -> Json:
    found = _found(scene, given)
    view = checked(given["view"], found.shown["type"] if found else "modal")
    if found is None:
        raise SlackError("not_found")
    _same_hash(found, given)
    scene.views.replace(found, view)
    if found.shown["type"] == "home":
        scene.show_home(found.owner)
    else:
        scene.show_modal(found.owner)
    return {"view": found.shown}


def _found(scene: Scene, given: Json) -> View | None:
    if not given.get("view_id") and not given.get("external_id"):
        missing = "[ERROR] missing required field: view_id"
        raise SlackError("invalid_arguments", (missing,))
    if given.get("view_id"):
        return scene.views.find(given["view_id"])
    return scene.views.by_external_id(given["external_id"])


def _same_hash(view: View, given: Json) -> None:
    if given.get("hash") and given["hash"] != view.shown["hash"]:
        raise SlackError("hash_conflict")


def publish(scene: Scene, given: Json) -> Json:
    view = checked(given["view"], "home")
    user = given["user_id"]
    if user not in scene.workspace.people:
        raise SlackError("user_not_found")
    if not scene.app.home_tab:
        raise SlackError("not_enabled")
    old = scene.views.homes.get(user)
    if old is not None:
        _same_hash(old, given)
    published = scene.views.publish(user, view)
    scene.show_home(user)
    return {"view": published.shown}


METHODS = {
    "views.open": open_,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
}
