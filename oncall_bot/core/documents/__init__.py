"""The plain document of a revision: what lies in config_revision, and how it becomes a Config.

The story: `shapes` and `format` say which fields there are and what each may hold; `names` finds
near names; `faults` collects everything that is wrong, across fields too; `normal` writes each
value one way and numbers the content; `reading` turns a checked document into a Config.
Refuses to know YAML, files and line numbers. Serves the files room, the store and the plan.
"""

from oncall_bot.core.documents.built_in import built_in_document
from oncall_bot.core.documents.fault import Fault, Path, field_of
from oncall_bot.core.documents.faults import faults_of
from oncall_bot.core.documents.format import FORMAT_VERSION
from oncall_bot.core.documents.normal import normalised, sha256_of
from oncall_bot.core.documents.reading import config_of, definition_of
from oncall_bot.core.documents.values import (
    cap_of,
    duration_of,
    format_duration,
    target_of,
)

__all__ = [
    "FORMAT_VERSION",
    "Fault",
    "Path",
    "built_in_document",
    "cap_of",
    "config_of",
    "definition_of",
    "duration_of",
    "faults_of",
    "field_of",
    "format_duration",
    "normalised",
    "sha256_of",
    "target_of",
]
