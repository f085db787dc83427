"""Where a database lies: the file of a SQLite address, the locks beside it, the kind of its file system.

Knows paths, modes and locks of files. Refuses to know what is inside. Serves migrations, hold and backup.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from oncall_bot.core.errors import OncallError

PRIVATE = 0o600
MOUNTS = Path("/proc/mounts")
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "lustre"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.cephfs", "fuse.s3fs", "fuse.rclone"}
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite address, absolute; None for PostgreSQL. An address without a file is refused."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return None
    if not address.database or address.database == ":memory:" or address.query:
        raise OncallError(f"{url} names no file. Write sqlite:////data/oncall.db or the like.")
    return Path(address.database).absolute()


def shown(url: str) -> str:
    """The address without its password."""
    return make_url(url).render_as_string(hide_password=True)


def network_file_system(path: Path, mounts: str) -> str | None:
    """The type of the network file system that holds `path`, by the text of /proc/mounts; None when it is local."""
    place, found = path.resolve(), (-1, "")
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[1]))
        # The last of two mounts on one point is the one that is seen.
        if place.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), fields[2])
    return found[1] if found[1] in NETWORK else None


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """Raises OncallError when SQLite's locks cannot be trusted where the file lies: two writers would destroy it."""
    try:
        text = mounts.read_text(errors="replace")
    except OSError:
        return  # not Linux: nothing to ask
    kind = network_file_system(path, text)
    if kind is not None:
        raise OncallError(
            f"{path} lies on a network file system ({kind}), where SQLite's locks do not hold. "
            "Put the database on a local disk, or use PostgreSQL."
        )


def make_private(path: Path) -> None:
    """An empty file that only its owner may read, unless it is there already; -wal and -shm take its mode."""
    if not path.parent.is_dir():
        raise OncallError(f"The folder {path.parent} for the database does not exist.")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))
    except FileExistsError:
        return
    except OSError as error:
        raise OncallError(f"{path} cannot be written: {error.strerror}.") from error


@contextlib.contextmanager
def file_lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock file to the end of the block and write our process id into it; the kernel frees it when we die.

    Yields False, without the lock, when `wait` is not wanted and somebody else holds it. The file stays.
    """
    make_private(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield True
    finally:
        os.close(descriptor)


def process_in(path: Path) -> str:
    """The process id that the holder wrote into the lock file, as text."""
    return path.read_text(errors="replace").strip() or "unknown"
