"""`auth.test`, `team.info`, `bots.info`, `users.*`, `usergroups.*` and the assistant's threads.

Knows each method's promises and refusals. Serves api.
"""

from __future__ import annotations

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import APP_ID, BOT_ID, BOT_USER, DOMAIN, TEAM_ID, TEAM_NAME
from oncall_bot.practice.slack.people import UPDATED, bot_user, user_of
from oncall_bot.practice.slack.reach import paged, visible
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.workspace import Usergroup

PROMPTS_MAX, LOADING_MAX = 4, 10


def api_test(scene: Scene, given: Json) -> Json:
    if given.get("error"):
        raise SlackError(str(given["error"]), args=given)
    return {"args": given}


def auth_test(scene: Scene, given: Json) -> Json:
    return {
        "url": f"https://{DOMAIN}.slack.com/",
        "team": TEAM_NAME,
        "user": scene.app.name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(scene: Scene, given: Json) -> Json:
    ticket = scene.tickets.socket()
    address = scene.base_url().replace("http", "ws", 1)
    return {"url": f"{address}/socket/{ticket}?app_id={APP_ID}"}


def team_info(scene: Scene, given: Json) -> Json:
    team = {"id": TEAM_ID, "name": TEAM_NAME, "domain": DOMAIN, "email_domain": ""}
    return {"team": {**team, "icon": {"image_default": True}}}


def bots_info(scene: Scene, given: Json) -> Json:
    if given.get("bot", BOT_ID) != BOT_ID:
        raise SlackError("bot_not_found")
    bot = {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER, "name": scene.app.name}
    return {"bot": {**bot, "deleted": False, "updated": UPDATED, "icons": {}}}


# --- users --------------------------------------------------------------------------------------------------------


def _user(scene: Scene, user_id: object) -> Json:
    if user_id == BOT_USER:
        return bot_user(scene.app.name)
    person = scene.workspace.people.get(str(user_id))
    if person is None:
        raise SlackError("user_not_found")
    with_email = "users:read.email" in scene.app.scopes
    return user_of(person, scene.workspace.now(), with_email=with_email)


def users_info(scene: Scene, given: Json) -> Json:
    return {"user": _user(scene, given["user"])}


def users_list(scene: Scene, given: Json) -> Json:
    users = [_user(scene, one) for one in (*scene.workspace.people, BOT_USER)]
    return {**paged(users, given, "members", 1000), "cache_ts": scene.workspace.seconds()}


def users_by_email(scene: Scene, given: Json) -> Json:
    wanted = given["email"].strip().casefold()
    for person in scene.workspace.people.values():
        if wanted and person.email.casefold() == wanted:
            return {"user": _user(scene, person.id)}
    raise SlackError("users_not_found")


# --- user groups --------------------------------------------------------------------------------------------------


def _group(scene: Scene, given: Json) -> Usergroup:
    group = scene.workspace.usergroups.get(given["usergroup"])
    if group is None:
        raise SlackError("no_such_subteam")
    return group


def _shown(group: Usergroup, *, users: bool) -> Json:
    said: Json = {
        "id": group.id,
        "team_id": TEAM_ID,
        "is_usergroup": True,
        "is_external": False,
        "name": group.handle,
        "handle": group.handle,
        "description": "",
        "date_create": UPDATED,
        "date_update": group.updated,
        "date_delete": 0,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
    }
    return {**said, "users": group.users} if users else said


def usergroups_list(scene: Scene, given: Json) -> Json:
    users = bool(given.get("include_users"))
    return {"usergroups": [_shown(g, users=users) for g in scene.workspace.usergroups.values()]}


def usergroups_users(scene: Scene, given: Json) -> Json:
    return {"users": _group(scene, given).users}


def usergroups_update(scene: Scene, given: Json) -> Json:
    """The whole list is replaced; a group cannot be emptied."""
    group = _group(scene, given)
    if not given["users"]:
        raise SlackError("no_users_provided")
    if not all(user in scene.workspace.people for user in given["users"]):
        raise SlackError("invalid_users")
    group.users, group.updated = list(given["users"]), scene.workspace.seconds()
    return {"usergroup": _shown(group, users=True)}


# --- assistant ----------------------------------------------------------------------------------------------------


def _thread(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel_id"])
    key = (channel.id, str(given.get("thread_ts") or ""))
    if key not in scene.threads and channel.find(key[1]) is None:
        raise SlackError("invalid_thread_ts")
    return scene.threads.setdefault(key, {})


def set_status(scene: Scene, given: Json) -> Json:
    if len(given.get("loading_messages") or ()) > LOADING_MAX:
        said = ("/loading_messages", "no more than 10 items allowed")
        raise SlackError.of("invalid_arguments", [said])
    _thread(scene, given)["status"] = given["status"]
    return {}


def set_title(scene: Scene, given: Json) -> Json:
    _thread(scene, given)["title"] = given["title"]
    return {}


def set_prompts(scene: Scene, given: Json) -> Json:
    if not scene.app.is_agent:
        raise SlackError("not_agent_app")
    if len(given["prompts"]) > PROMPTS_MAX:
        raise SlackError.of("invalid_arguments", [("/prompts", "no more than 4 items allowed")])
    if given.get("thread_ts"):
        _thread(scene, given)["prompts"] = given["prompts"]
    else:
        channel = visible(scene, given["channel_id"])
        scene.threads.setdefault((channel.id, ""), {})["prompts"] = given["prompts"]
    return {}


METHODS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "apps.connections.open": connections_open,
    "team.info": team_info,
    "bots.info": bots_info,
    "users.info": users_info,
    "users.list": users_list,
    "users.lookupByEmail": users_by_email,
    "usergroups.list": usergroups_list,
    "usergroups.users.list": usergroups_users,
    "usergroups.users.update": usergroups_update,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_prompts,
}
