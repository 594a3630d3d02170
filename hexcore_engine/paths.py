"""Every folder and file name Hexcore uses, in one place.

`HEXCORE_HOME` moves them all below one folder; without it the platform's own places are used.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from hexcore_engine.errors import UsageError

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
MAX_SOCKET_PATH_BYTES = 100


@dataclass(frozen=True)
class Paths:
    """Where Hexcore keeps its things; nothing is created by looking at a path."""

    home: Path
    config_dir: Path
    log_dir: Path

    @property
    def settings_file(self) -> Path:
        """The user's settings, TOML."""
        return self.config_dir / "settings.toml"

    @property
    def themes_dir(self) -> Path:
        """The user's own themes."""
        return self.config_dir / "themes"

    @property
    def tour_file(self) -> Path:
        """There once a newcomer was shown around; empty."""
        return self.config_dir / "tour-seen"

    @property
    def knowledge_dir(self) -> Path:
        """Generations of the knowledge file, rules releases and the pointer that names the current ones."""
        return self.home / "knowledge"

    @property
    def downloads_dir(self) -> Path:
        """Data packages and official files as they were fetched."""
        return self.home / "downloads"

    @property
    def models_dir(self) -> Path:
        """Models unpacked or converted by set-up."""
        return self.home / "models"

    @property
    def load_times_file(self) -> Path:
        """How long each stage of a model's last load took, JSON."""
        return self.models_dir / "load-times.json"

    @property
    def adapters_dir(self) -> Path:
        """Adapters of the experts, a folder each."""
        return self.home / "adapters"

    @property
    def embedded_model_file(self) -> Path:
        """The small model that set-up fetches, GGUF."""
        return self.models_dir / "SmolLM2-135M-Instruct.Q4_1.gguf"

    @property
    def sentence_model_dir(self) -> Path:
        """The sentence model behind vectors, safetensors and tokenizer."""
        return self.models_dir / "all-MiniLM-L6-v2"

    @property
    def sessions_file(self) -> Path:
        """All conversations, SQLite in WAL mode, written by the engine alone."""
        return self.home / "sessions.sqlite"

    @property
    def run_dir(self) -> Path:
        """Socket and lock of the living engine; a private folder."""
        direct = self.home / "run"
        if len(os.fsencode(direct / "e.sock")) <= MAX_SOCKET_PATH_BYTES:
            return direct
        # Seldom needed, and it brings OpenSSL along.
        import hashlib

        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"hexcore-{os.getuid()}-{digest}"

    @property
    def socket_file(self) -> Path:
        """The Unix socket the engine listens on."""
        return self.run_dir / "e.sock"

    @property
    def engine_lock_file(self) -> Path:
        """Held by the living engine for its whole life; tells a stale socket from a live one."""
        return self.run_dir / "engine.lock"

    @property
    def start_lock_file(self) -> Path:
        """Held by a client while it starts an engine, so that two clients start one."""
        return self.run_dir / "start.lock"

    @property
    def engine_log_file(self) -> Path:
        """The engine's log; holds no question and no answer."""
        return self.log_dir / "engine.log"

    @property
    def commands_log_file(self) -> Path:
        """What the command line did not foresee; holds no question and no answer."""
        return self.log_dir / "commands.log"

    @property
    def tui_log_file(self) -> Path:
        """The terminal app's log; holds no question and no answer."""
        return self.log_dir / "tui.log"


def named_path(text: str) -> Path:
    """Return the path a person named, `~` and `~user` expanded.

    Raises:
        UsageError: when no path can be called that, or there is no such user.
    """
    try:
        if "\0" not in text:
            return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text.split('/')[0]} is nobody's home here.", "Write the whole path.") from error
    raise UsageError("No path can hold a NUL.", "Write the path anew.")


def default_paths() -> Paths:
    """Return the paths of this user, honouring `HEXCORE_HOME`.

    Raises:
        UsageError: when `HEXCORE_HOME` is no path.
    """
    override = os.environ.get("HEXCORE_HOME", "").strip()
    if override:
        home = named_path(override).absolute()
        return Paths(home=home, config_dir=home / "config", log_dir=home / "log")
    dirs = PlatformDirs("hexcore", appauthor=False)
    return Paths(home=dirs.user_data_path, config_dir=dirs.user_config_path, log_dir=dirs.user_log_path)
