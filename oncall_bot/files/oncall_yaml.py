"""oncall.yaml read into the plain document of a revision, every fault with file, line and field.

Knows YAML text, lines, and the token files beside it; of a token only its SHA-256 goes on. Refuses
to know which values are right: core.documents says so, and this module adds the line. Serves
`apply`, `serve` at its start, and every command that takes a configuration.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oncall_bot.core.documents import Fault, faults_of, field_of, normalised, sha256_of
from oncall_bot.core.documents import Path as FieldPath
from oncall_bot.core.documents.fault import shown
from oncall_bot.core.documents.format import FORMAT
from oncall_bot.core.documents.shapes import ListOf, MapOf, Record, Scalar, Shape
from oncall_bot.files import yaml_nodes as nodes

FILE_MAX = 1024 * 1024
TOKEN_MAX = 4096

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?")
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault of a file. `line` counts from 1, 0 is the file as a whole; `field` may be empty."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as read. With faults there is no document: `document` is empty and `sha256` too.

    `read` are the files that were opened, with the SHA-256 of what was in each; see `as_it_was`.
    """

    document: dict[str, Any]
    sha256: str
    faults: tuple[FileFault, ...]
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    read: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.faults

    def line_of(self, *path: str | int) -> int:
        """The line on which the field stands, or the nearest field above it that does."""
        return _nearest_line(self.lines, path)


def read_config(
    path_or_text: Path | str, base_dir: Path | None = None, read_secrets: bool = True
) -> ConfigFile:
    """The configuration in a file (a Path) or in a text (a str), or everything wrong with it.

    Token files are read relative to `base_dir`, by default the folder of the file; without
    `read_secrets` they are not touched and the document lacks `token_sha256`.
    """
    files = _Files()
    if isinstance(path_or_text, Path):
        file, folder = str(path_or_text), base_dir or path_or_text.parent
        text, problem = _text_of(path_or_text, files)
    else:
        file, folder = "oncall.yaml", base_dir or Path()
        text, problem = path_or_text, None
        if len(text.encode("utf-8", "replace")) > FILE_MAX:
            problem = (0, _TOO_LARGE)
    if problem:
        return ConfigFile({}, "", (FileFault(file, problem[0], "", problem[1]),))
    try:
        root = nodes.compose(text)
    except nodes.YamlFault as fault:
        return ConfigFile({}, "", (FileFault(file, fault.line, "", fault.message),))
    return _read(root, file, folder if read_secrets else None, files)


def as_it_was(read: Mapping[str, str]) -> bool:
    """Whether each of these files (`ConfigFile.read`) holds what it held then: reading it again would tell nothing."""
    now = _Files()
    with contextlib.suppress(OSError):
        for path in read:
            now.bytes_of(Path(path), FILE_MAX)
    return now.read == read


class _Files:
    """Opens files and keeps the digest of what was in each."""

    def __init__(self) -> None:
        self.read: dict[str, str] = {}

    def bytes_of(self, path: Path, most: int) -> bytes:
        """The content, one byte more than `most` at the most; raises OSError."""
        with path.open("rb") as opened:
            data = opened.read(most + 1)
        self.read[str(path)] = hashlib.sha256(data).hexdigest()
        return data


_TOO_LARGE = f"is larger than {FILE_MAX // 1024} KiB; a configuration is written by people"


def _text_of(path: Path, files: _Files) -> tuple[str, tuple[int, str] | None]:
    """The text of the file, or the line and the reason why there is none."""
    try:
        data = files.bytes_of(path, FILE_MAX)
    except OSError as fault:
        return "", (0, f"cannot be read: {fault.strerror or fault}")
    if len(data) > FILE_MAX:
        return "", (0, _TOO_LARGE)
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return "", (line, "is not UTF-8 here; save the file as UTF-8")


def _read(root: nodes.Node | None, file: str, secrets_in: Path | None, files: _Files) -> ConfigFile:
    reading = _Reading()
    document: dict[str, Any] = {}
    if isinstance(root, nodes.Mapping):
        document = reading.mapping(root, FORMAT, ())
    elif root is not None and not (isinstance(root, nodes.Word) and root.is_null):
        message = f"the file must hold keys: {', '.join(FORMAT.fields)}"
        return ConfigFile({}, "", (FileFault(file, root.line, "", message),))
    faults = _both_tokens(document)
    if secrets_in is not None:
        faults += _read_tokens(document, secrets_in, files)
    faults += faults_of(document)
    placed = reading.faults + [(_nearest_line(reading.lines, f.path), f) for f in faults]
    if placed:
        return ConfigFile({}, "", _file_faults(placed, file), reading.lines)
    document = normalised(document)
    return ConfigFile(document, sha256_of(document), (), reading.lines, files.read)


def _file_faults(placed: list[tuple[int, Fault]], file: str) -> tuple[FileFault, ...]:
    """The faults by line, each once: a field reached by two aliases is told at each."""
    told = {FileFault(file, line, field_of(f.path), f.message): None for line, f in placed}
    return tuple(sorted(told, key=lambda fault: fault.line))


def _nearest_line(lines: Mapping[FieldPath, int], path: FieldPath) -> int:
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Reading:
    """One walk of the nodes along the format; it keeps the line of every field and bad keys."""

    def __init__(self) -> None:
        self.lines: dict[FieldPath, int] = {}
        self.faults: list[tuple[int, Fault]] = []  # with the line: no field has it

    def mapping(self, node: nodes.Mapping, shape: Shape | None, path: FieldPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        seen: dict[FieldPath, int] = {}
        for key_node, value_node in node.entries:
            key = self._key(key_node, path)
            if key is None:
                continue
            inner = (*path, key)
            if inner in seen:
                message = f"{shown(key)} was given already on line {seen[inner]}; keep one"
                self.faults.append((key_node.line, Fault(inner, message)))
                continue
            seen[inner] = self.lines[inner] = key_node.line
            if not path and isinstance(value_node, nodes.Word) and value_node.is_null:
                continue  # a section whose entries are all commented out is no section
            found[key] = self.value(value_node, _shape_of(shape, key), inner)
        return found

    def _key(self, node: nodes.Node, path: FieldPath) -> str | None:
        if isinstance(node, nodes.Word) and not (node.plain and node.text == "<<"):
            return node.text
        message = "a key is one word; write name: value"
        if isinstance(node, nodes.Word):
            message = "the merge key << is not read; write the fields out"
        self.faults.append((node.line, Fault(path, message)))
        return None

    def value(self, node: nodes.Node, shape: Shape | None, path: FieldPath) -> Any:
        self.lines.setdefault(path, node.line)
        if isinstance(shape, ListOf) and shape.lone and not isinstance(node, nodes.Sequence):
            is_null = isinstance(node, nodes.Word) and node.is_null
            return None if is_null else [self.value(node, shape.item, (*path, 0))]
        if isinstance(node, nodes.Word):
            return _scalar(node, shape)
        if isinstance(node, nodes.Mapping):
            return self.mapping(node, shape, path)
        item = shape.item if isinstance(shape, ListOf) else None
        return [self.value(inner, item, (*path, n)) for n, inner in enumerate(node.items)]


def _shape_of(shape: Shape | None, key: str) -> Shape | None:
    if isinstance(shape, Record):
        return shape.fields.get(key)
    if isinstance(shape, MapOf):
        return shape.fixed.get(key, shape.item)
    return None


def _scalar(node: nodes.Word, shape: Shape | None) -> str | int | float | bool | None:
    """The scalar as its field wants it; what cannot be read so stays text, for core to judge."""
    if node.is_null:
        return None
    wants = shape.wants if isinstance(shape, Scalar) else str
    if wants is bool and node.text in ("true", "false"):
        return node.text == "true"
    if wants is int and _WHOLE.fullmatch(node.text):
        return int(node.text)
    if wants is float and _NUMBER.fullmatch(node.text):
        return float(node.text)
    return node.text


# Tokens of sources: read once, kept as a digest.


def _sources(document: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    sources = document.get("sources")
    entries = sources.items() if isinstance(sources, dict) else ()
    return [(key, entry) for key, entry in entries if isinstance(entry, dict)]


def _both_tokens(document: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(
            ("sources", key, "token_sha256"),
            "token_file and token_sha256 are both given; keep one",
        )
        for key, source in _sources(document)
        if "token_file" in source and "token_sha256" in source
    ]


def _read_tokens(document: Mapping[str, Any], folder: Path, files: _Files) -> list[Fault]:
    """Puts the digest of each source's token beside the name of its file."""
    faults = []
    for key, source in _sources(document):
        name = source.get("token_file")
        if not isinstance(name, str) or "token_sha256" in source:
            continue
        token, problem = _token_in(folder / name, files)
        if problem:
            faults.append(Fault(("sources", key, "token_file"), f"{shown(name)} {problem}"))
        else:
            source["token_sha256"] = hashlib.sha256(token.encode()).hexdigest()
    return faults


def _token_in(path: Path, files: _Files) -> tuple[str, str | None]:
    if not path.is_file():
        return "", "is no file; write the source's token into it (oncall-bot tokens create)"
    try:
        data = files.bytes_of(path, TOKEN_MAX)
    except OSError as fault:
        return "", f"cannot be read ({fault.strerror}); let the bot's user read it"
    token = data.decode("utf-8", "replace").strip()
    if not token:
        return "", "is empty; write the source's token into that file"
    if len(data) > TOKEN_MAX or not _TOKEN.fullmatch(token):
        return "", "holds no token; it must be one word of letters, digits and signs"
    return token, None
