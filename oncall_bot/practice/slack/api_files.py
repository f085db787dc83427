"""`files.*`: announce, upload to the address given, complete and share.

Knows each step's refusals. Serves api; the bytes themselves arrive at the door.
"""

from __future__ import annotations

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import BOT_USER
from oncall_bot.practice.slack.files import FILE_MAX, File, shown
from oncall_bot.practice.slack.reach import inside
from oncall_bot.practice.slack.scene import Scene


def upload_url(scene: Scene, given: Json) -> Json:
    size = given["length"]
    if not 0 < size <= FILE_MAX:
        raise SlackError("length_required" if size <= 0 else "file_upload_size_restricted")
    file = scene.files.announce(
        scene.workspace.new_id("F"),
        given["filename"],
        size,
        BOT_USER,
        scene.workspace.seconds(),
        given.get("alt_text") or "",
    )
    address = f"{scene.base_url()}/upload/{file.id}/{file.secret}"
    return {"upload_url": address, "file_id": file.id}


def complete(scene: Scene, given: Json) -> Json:
    """Shared where it was asked to, as one message with all the files."""
    wanted = given["files"]
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise SlackError.of("invalid_arguments", [("/files", "must be a list of objects")])
    files = [_uploaded(scene, one) for one in wanted]
    channels = given.get("channels") or [c for c in [given.get("channel_id")] if c]
    where = [inside(scene, channel_id) for channel_id in channels]
    for file, one in zip(files, wanted, strict=True):
        file.title = str(one.get("title") or file.name)
        file.shared = True
    said = [shown(file, scene.base_url()) for file in files]
    for channel in where:
        message = scene.workspace.add_message(
            channel,
            BOT_USER,
            given.get("initial_comment") or "",
            files=said,
            upload=True,
            thread_ts=given.get("thread_ts"),
        )
        scene.posted(channel, message)
    return {"files": said}


def _uploaded(scene: Scene, one: Json) -> File:
    file = scene.files.find(one.get("id"))
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    return file


def info(scene: Scene, given: Json) -> Json:
    file = scene.files.find(given["file"])
    if file is None or not file.shared:
        raise SlackError("file_not_found")
    return {"file": shown(file, scene.base_url()), "comments": []}


METHODS = {
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete,
    "files.info": info,
}
