"""Every error Hexcore raises on purpose.

    HexcoreError                      HX-GENERAL     exit 4
    ├── UsageError                    HX-USAGE       exit 2   the words of a command or a request are off
    │   └── SettingsError             HX-SETTINGS    exit 2   a settings file or variable can't be used
    ├── NotSetUpError                 HX-NOT-SET-UP  exit 3   something set-up provides is missing
    │   ├── ModelMissingError         HX-MODEL       exit 3   no model file, folder or server under that name
    │   └── KnowledgeMissingError     HX-KNOWLEDGE   exit 3   no knowledge file has been built
    ├── DataError                     HX-DATA        exit 4   fetching, reading or importing a source failed
    │   ├── DownloadError             HX-DOWNLOAD    exit 4   a source could not be reached or sent rubbish
    │   ├── ImportFileError           HX-IMPORT      exit 4   a file is not what its importer reads
    │   └── StorageError              HX-STORAGE     exit 4   the disk is full, read-only or forbids it
    ├── KnowledgeRetrievalError       HX-RETRIEVAL   exit 4   a look-up failed
    │   ├── KnowledgeCorruptError     HX-CORRUPT     exit 4   a knowledge file is damaged
    │   └── KnowledgeOutdatedError    HX-OUTDATED    exit 3   a knowledge file is another version's
    ├── RoutingError                  HX-ROUTING     exit 4   the weights that choose a mode can't be used
    ├── SessionError                  HX-SESSION     exit 4   a conversation can't be read or written
    ├── EngineError                   HX-ENGINE      exit 4   the engine process failed
    │   ├── EngineUnreachableError    HX-UNREACHABLE exit 4   it could not be started or spoken to
    │   ├── EngineLostError           HX-LOST        exit 4   it ended in the middle of something
    │   └── ProtocolError             HX-PROTOCOL    exit 4   bytes on the socket are not our protocol
    ├── DecoderError                  HX-DECODER     exit 4   the model runner failed
    ├── ContextOverflowError          HX-CONTEXT     exit 4   the question alone exceeds the model's context
    ├── ExpertAdapterError            HX-ADAPTER     exit 4   an adapter can't be used
    ├── DeviceMappingError            HX-DEVICE      exit 4   weights do not fit or did not land as planned
    ├── LatencyBudgetError            HX-LATENCY     exit 4   no answer can be written in the time allowed
    └── MemoryError                   HX-MEMORY      exit 4   a budget or the machine's memory is exceeded

Each carries a stable `code`, a `message` (what happened and why) and a `remedy` (what to do now).
"""

from __future__ import annotations

from typing import ClassVar

# MemoryError is left out: `import *` must never hide the builtin one.
__all__ = [
    "ContextOverflowError",
    "DataError",
    "DecoderError",
    "DeviceMappingError",
    "DownloadError",
    "EngineError",
    "EngineLostError",
    "EngineUnreachableError",
    "ExpertAdapterError",
    "HexcoreError",
    "ImportFileError",
    "KnowledgeCorruptError",
    "KnowledgeMissingError",
    "KnowledgeOutdatedError",
    "KnowledgeRetrievalError",
    "LatencyBudgetError",
    "ModelMissingError",
    "NotSetUpError",
    "ProtocolError",
    "RoutingError",
    "SessionError",
    "SettingsError",
    "StorageError",
    "UsageError",
    "error_from_record",
]


class HexcoreError(Exception):
    """Base of the tree: what happened, why, and what to do about it."""

    code: ClassVar[str] = "HX-GENERAL"
    exit_code: ClassVar[int] = 4
    default_remedy: ClassVar[str] = "Run `hexcore doctor` to see what is wrong."

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy or self.default_remedy


class UsageError(HexcoreError):
    """The words of a command or a request can't be understood."""

    code = "HX-USAGE"
    exit_code = 2
    default_remedy = "See `hexcore --help`."


class SettingsError(UsageError):
    """A settings file or an environment variable holds something unusable."""

    code = "HX-SETTINGS"
    default_remedy = "Correct the setting, or remove the line to get the default back."


class NotSetUpError(HexcoreError):
    """Something that set-up provides is missing."""

    code = "HX-NOT-SET-UP"
    exit_code = 3
    default_remedy = "Run `hexcore setup`."


class ModelMissingError(NotSetUpError):
    """The configured model is not at hand."""

    code = "HX-MODEL"


class KnowledgeMissingError(NotSetUpError):
    """No knowledge file has been built yet."""

    code = "HX-KNOWLEDGE"


class DataError(HexcoreError):
    """Fetching, reading or importing a source of knowledge failed."""

    code = "HX-DATA"


class DownloadError(DataError):
    """A source could not be reached, or what it sent failed its checks."""

    code = "HX-DOWNLOAD"
    default_remedy = "Check the connection and run `hexcore setup` again; finished downloads are kept."


class ImportFileError(DataError):
    """A file is not what its importer reads; the old data is untouched."""

    code = "HX-IMPORT"


class StorageError(DataError):
    """The disk is full, read-only or forbids the write."""

    code = "HX-STORAGE"
    default_remedy = "Free some space or set HEXCORE_HOME to a folder you can write to."


class KnowledgeRetrievalError(HexcoreError):
    """A look-up in the knowledge file failed."""

    code = "HX-RETRIEVAL"


class KnowledgeCorruptError(KnowledgeRetrievalError):
    """A knowledge file is damaged; it is kept aside and rebuilt by set-up."""

    code = "HX-CORRUPT"
    default_remedy = "Run `hexcore setup`; it keeps the damaged file aside and builds a new one."


class KnowledgeOutdatedError(KnowledgeRetrievalError):
    """A knowledge file has the form of another version; set-up builds it anew, so this is not set up."""

    code = "HX-OUTDATED"
    exit_code = 3
    default_remedy = "Run `hexcore setup`; it builds the file anew, and rules from their kept source."


class RoutingError(HexcoreError):
    """The weights that choose a question's mode are missing or damaged; a mode can still be named."""

    code = "HX-ROUTING"
    default_remedy = "Install Hexcore again, or make them with `hexcore train router`."


class SessionError(HexcoreError):
    """A conversation can't be found, read or written."""

    code = "HX-SESSION"
    default_remedy = "See `hexcore sessions` for the conversations on disk."


class EngineError(HexcoreError):
    """The engine process failed."""

    code = "HX-ENGINE"


class EngineUnreachableError(EngineError):
    """The engine could not be started, or does not answer."""

    code = "HX-UNREACHABLE"


class EngineLostError(EngineError):
    """The engine ended while a request was running."""

    code = "HX-LOST"
    default_remedy = "Ask again: the engine is started anew. What was written is kept in the session."


class ProtocolError(EngineError):
    """Bytes on the connection are not our protocol."""

    code = "HX-PROTOCOL"
    default_remedy = "Update both sides to the same Hexcore version."


class DecoderError(HexcoreError):
    """The program that runs the model failed."""

    code = "HX-DECODER"


class ContextOverflowError(HexcoreError):
    """The question alone is longer than the model's context."""

    code = "HX-CONTEXT"
    default_remedy = "Shorten the question, or use a model with a longer context."


class ExpertAdapterError(HexcoreError):
    """An expert's adapter is missing, damaged or made for another model."""

    code = "HX-ADAPTER"
    default_remedy = "`hexcore models adapters` says of each adapter what is wrong with it."


class DeviceMappingError(HexcoreError):
    """Weights do not fit the devices, or did not land there as planned."""

    code = "HX-DEVICE"


class LatencyBudgetError(HexcoreError):
    """Even the shortest answer is predicted to take longer than its budget."""

    code = "HX-LATENCY"
    default_remedy = "Allow more time, or choose a smaller model with `hexcore models use`."


class MemoryError(HexcoreError):  # noqa: A001 - the name is part of the public contract
    """A memory budget, or the machine's memory, is exceeded."""

    code = "HX-MEMORY"


def error_from_record(code: str, message: str, remedy: str) -> HexcoreError:
    """Return the error a record stands for; an unknown code gives the base class with its own code kept."""
    for kind in _all_kinds(HexcoreError):
        if kind.code == code:
            return kind(message, remedy)
    return HexcoreError(f"{message} [{code}]", remedy)


def _all_kinds(kind: type[HexcoreError]) -> list[type[HexcoreError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all_kinds(child))]
