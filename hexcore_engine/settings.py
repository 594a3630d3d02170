"""Settings: typed sections, one TOML file, `HEXCORE_*` variables on top.

A variable is named `HEXCORE_<SECTION>_<KEY>`, e.g. `HEXCORE_MODEL_PATH`. `HEXCORE_HOME` (where things are
kept) and `HEXCORE_OFFLINE` (never reach for a network) stand beside the sections. Each field's description
is shown below it in the settings screen and in the documentation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from hexcore_engine.errors import SettingsError, StorageError

EMBEDDED_MODEL = "embedded"
NEW_ENGINE = "with a new engine"
# From when on a change of a section, or of one key of it, counts.
_EFFECTS = {
    "model": "from the next question on",
    "answer": NEW_ENGINE,
    "engine": NEW_ENGINE,
    "engine.command": "when the app starts next",
    "screen": "when the app starts next",
    "screen.theme": "at once",
    "screen.memory_interval_s": "at once",
    "data": "at once",
    "data.vectors": NEW_ENGINE,
}


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a section: immutable, unknown keys refused."""


class ModelSettings(Section, frozen=True):
    """Which model answers, and how it is run."""

    path: Annotated[
        str,
        Meta(
            description="`embedded`, a GGUF file, an http(s) address of an OpenAI-compatible server, a "
            "folder of safetensors, or `scripted` for the demo; paths are written whole or from `~`."
        ),
    ] = EMBEDDED_MODEL
    decoder: Annotated[
        Literal["auto", "llama_cpp", "openai", "torch", "scripted"],
        Meta(description="What runs the model; `auto` follows from its path."),
    ] = "auto"
    quantization: Annotated[
        Literal["auto", "4bit", "8bit", "none"],
        Meta(description="Weights of a torch model; a GGUF has its own."),
    ] = "auto"
    context_tokens: Annotated[
        int, Meta(ge=512, le=131072, description="Tokens of context reserved for a GGUF model.")
    ] = 4096
    threads: Annotated[
        int, Meta(ge=0, le=512, description="CPU threads for the model; 0 is the number of cores less one.")
    ] = 0
    api_key_variable: Annotated[
        str,
        Meta(description="Name of the environment variable that holds a remote server's key; never the key."),
    ] = "HEXCORE_API_KEY"
    remote_name: Annotated[
        str, Meta(description="Model name asked of a remote server; empty takes the first it lists.")
    ] = ""


class AnswerSettings(Section, frozen=True):
    """How answers are written."""

    max_tokens: Annotated[int, Meta(ge=1, le=8192, description="Longest answer, in tokens.")] = 320
    temperature: Annotated[
        float,
        Meta(
            ge=0.0,
            le=2.0,
            description="0 always takes the likeliest word; the same question, the same answer.",
        ),
    ] = 0.0
    seed: Annotated[int, Meta(description="Seed of the sampling when the temperature is above 0.")] = 1
    passages: Annotated[int, Meta(ge=1, le=40, description="Most rules and cards shown above an answer.")] = (
        12
    )
    experts: Annotated[
        Literal["auto", "one"],
        Meta(
            description="`auto` lets two experts write together where the mode is unsure and both have an "
            "adapter; `one` never does."
        ),
    ] = "auto"
    rules_in_prompt: Annotated[
        int, Meta(ge=0, le=40, description="Most rules given to the model; 0 decides by the model's size.")
    ] = 0


class EngineSettings(Section, frozen=True):
    """The process that runs the model."""

    idle_minutes: Annotated[
        float,
        Meta(
            gt=0, le=10080, description="Minutes without a client or an answer after which the engine leaves."
        ),
    ] = 15.0
    command: Annotated[
        str,
        Meta(
            description="Command that leads to the engine of another machine, e.g. "
            "`ssh box hexcore-engine --stdio`; empty is the engine of this one."
        ),
    ] = ""
    prompt_cache_mb: Annotated[
        int, Meta(ge=0, le=65536, description="Memory for prompts already computed, in MiB; 0 turns it off.")
    ] = 256
    adapters_mb: Annotated[
        int, Meta(ge=1, le=65536, description="Memory for loaded adapters of experts, in MiB.")
    ] = 512
    latency_budget_ms: Annotated[
        int, Meta(ge=0, description="Most time an answer may be predicted to take, in ms; 0 is no limit.")
    ] = 0
    memory_budget_mb: Annotated[
        int, Meta(ge=0, description="Most memory an answer may be predicted to take, in MiB; 0 is no limit.")
    ] = 0


class ScreenSettings(Section, frozen=True):
    """How the terminal app looks and behaves."""

    theme: Annotated[str, Meta(description="A theme of the themes folders.")] = "hexcore-dark"
    profile: Annotated[
        Literal["auto", "local", "ssh", "plain"],
        Meta(description="`ssh` batches updates and leaves out animation; `auto` looks at the connection."),
    ] = "auto"
    motion: Annotated[
        Literal["arrows", "vim"],
        Meta(description="`vim` adds j, k, g, G, Ctrl+D and Ctrl+U wherever letters are not text."),
    ] = "arrows"
    memory_interval_s: Annotated[
        float, Meta(ge=0.2, le=60, description="Seconds between two looks at memory; over SSH at least 2.")
    ] = 1.0


class DataSettings(Section, frozen=True):
    """Where knowledge comes from."""

    rules_page: Annotated[
        str, Meta(description="Page on which the newest official rules file is linked.")
    ] = "https://magic.wizards.com/en/rules"
    cards_source: Annotated[
        str, Meta(description="Address that lists Scryfall's bulk files, for `hexcore data update`.")
    ] = "https://api.scryfall.com/bulk-data"
    vectors: Annotated[
        Literal["auto", "off"],
        Meta(description="Rules found by meaning, too, where the extra `torch` is installed."),
    ] = "auto"


# Names of actions and the keys that do them. The terminal app knows which there are.
KeySettings = dict[str, str]
KEYS = "keys"


class Settings(Section, frozen=True):
    """All sections."""

    model: ModelSettings = ModelSettings()
    answer: AnswerSettings = AnswerSettings()
    engine: EngineSettings = EngineSettings()
    screen: ScreenSettings = ScreenSettings()
    data: DataSettings = DataSettings()
    keys: KeySettings = {}


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `HEXCORE_OFFLINE` forbids reaching for a network."""
    return environment.get("HEXCORE_OFFLINE", "").strip().lower() not in ("", "0", "no", "false")


def load_settings(file: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `file` (absent is fine), put the environment's variables on top, and check every key and value.

    Raises:
        SettingsError: naming the file or variable, the key, and the nearest good one.
        StorageError: when the file is there and can't be read.
    """
    tree = _read_file(file)
    _check_keys(tree, source=str(file))
    settings = _convert(tree, source=str(file))
    overrides = _read_environment(environment)
    if not overrides:
        return settings
    merged: dict[str, Any] = msgspec.to_builtins(settings)
    for (section, key), text in overrides.items():
        merged[section][key] = text
    return _convert(merged, source="the HEXCORE_* variables", strict=False)


def save_setting(file: Path, section: str, key: str, value: str | int | float) -> None:
    """Set one value in the user's file, keeping their comments and order; the whole file stays valid.

    Raises:
        SettingsError: when it is no good value for this key.
        StorageError: when the file can't be written.
    """
    _check_keys({section: {key: value}}, source="settings")
    _change_file(file, section, lambda table: table.__setitem__(key, value))


def forget_setting(file: Path, section: str, key: str) -> None:
    """Take one value out of the user's file, so that the default counts.

    Raises:
        StorageError: when the file can't be written.
    """
    _change_file(file, section, lambda table: table.pop(key, None))


def _change_file(file: Path, section: str, change: Callable[[Any], object]) -> None:
    # tomlkit keeps comments and order; loaded here because only a change needs it.
    import tomlkit

    from hexcore_engine.utils.locks import wait_for_lock

    lock = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Two that change it at once: the later one reads what the earlier one wrote.
        lock = wait_for_lock(file.with_name(f".{file.name}.lock"))
        # A link stays one, as those are that lead into a folder of dotfiles.
        file = file.resolve()
        document = tomlkit.parse(file.read_text("utf-8-sig")) if file.exists() else tomlkit.document()
        if section not in document:
            document[section] = tomlkit.table()
        change(document[section])
        _convert(document.unwrap(), source=str(file))
        _replace(file, tomlkit.dumps(document))
    # Of a link that leads to itself resolve() says so with a RuntimeError.
    except (UnicodeDecodeError, tomlkit.exceptions.ParseError, RuntimeError) as error:
        raise SettingsError(f"The settings file {file} can't be read: {error}.") from error
    except OSError as error:
        raise StorageError(f"The settings file {file} could not be written: {error.strerror}.") from error
    finally:
        if lock is not None:
            os.close(lock)


def _replace(file: Path, text: str) -> None:
    import shutil

    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".toml.new")
    aside.write_text(text, "utf-8")
    if file.exists():
        shutil.copymode(file, aside)
    aside.replace(file)


class SettingField(Section, frozen=True):
    """One key as people see it: `choices` where it is one of a few words, `values` says in words what may
    stand there, `effect` from when on a change counts."""

    section: str
    name: str
    default: str | int | float
    description: str
    choices: tuple[str, ...]
    values: str
    effect: str

    @property
    def variable(self) -> str:
        """The environment variable that counts more than the file."""
        return f"HEXCORE_{self.section.upper()}_{self.name.upper()}"


def setting_fields() -> tuple[SettingField, ...]:
    """Return every key of every section, in order, from its type and its description."""
    return tuple(
        _setting_field(section, field, get_type_hints(kind, include_extras=True)[field.name])
        for section, kind in sections().items()
        for field in msgspec.structs.fields(kind)
    )


def _setting_field(section: str, field: msgspec.structs.FieldInfo, hint: Any) -> SettingField:
    base, metas = (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())
    meta = next((meta for meta in metas if isinstance(meta, Meta)), Meta())
    choices = get_args(base) if get_origin(base) is Literal else ()
    values = ", ".join(choices) or ("text" if base is str else _limits(meta) or "a number")
    effect = _EFFECTS.get(f"{section}.{field.name}") or _EFFECTS[section]
    return SettingField(section, field.name, field.default, meta.description or "", choices, values, effect)


def _limits(meta: Meta) -> str:
    """Say between which numbers a value lies."""
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge} to {meta.le}"
    signs = (("at least", meta.ge), ("above", meta.gt), ("at most", meta.le), ("below", meta.lt))
    return ", ".join(f"{words} {limit}" for words, limit in signs if limit is not None)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {file} can't be read: {error}.") from error
    except OSError as error:
        raise StorageError(
            f"The settings file {file} can't be read: {error.strerror}.",
            "Make it and the folders it lies in readable, or set HEXCORE_HOME to a folder of yours.",
        ) from error
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"The settings file {file} can't be read: {error}.") from error


def sections() -> dict[str, type[Section]]:
    """Return the sections whose keys are known here, by name: all but [keys]."""
    fields = msgspec.structs.fields(Settings)
    kinds = {field.name: field.type for field in fields}
    return {
        name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Section)
    }


def _known_keys() -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(field.name for field in msgspec.structs.fields(kind)) for name, kind in sections().items()
    }


def _check_keys(tree: Mapping[str, Any], source: str) -> None:
    if not tree:
        return
    known = _known_keys()
    for section, values in tree.items():
        if section == KEYS:
            continue
        if section not in known:
            raise SettingsError(
                f"{source}: there is no section [{section}].", _nearest(section, (*known, KEYS))
            )
        for key in values if isinstance(values, Mapping) else ():
            if key not in known[section]:
                raise SettingsError(
                    f"{source}: [{section}] has no key {key!r}.", _nearest(key, known[section])
                )


def _nearest(word: str, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(known)}."


def _convert(tree: Mapping[str, Any], source: str, strict: bool = True) -> Settings:
    try:
        return msgspec.convert(tree, Settings, strict=strict)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise SettingsError(f"{source}: {error}.") from error


def _read_environment(environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for section, keys in _known_keys().items():
        for key in keys:
            text = environment.get(f"HEXCORE_{section.upper()}_{key.upper()}")
            if text is not None:
                found[section, key] = text
    return found
