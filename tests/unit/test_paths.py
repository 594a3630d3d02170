from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexcore_engine.paths import MAX_SOCKET_PATH_BYTES, Paths, default_paths


def below(home: Path) -> list[Path]:
    """Every place but the engine's folder, which may have to lie elsewhere."""
    paths = Paths(home=home, config_dir=home / "config", log_dir=home / "log")
    names = [name for name, value in vars(Paths).items() if isinstance(value, property)]
    engine = ("run_dir", "socket_file", "engine_lock_file", "start_lock_file")
    return [getattr(paths, name) for name in names if name not in engine]


def test_a_home_of_ones_own_holds_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "own"))
    paths = default_paths()
    assert (paths.home, paths.config_dir, paths.log_dir) == (
        tmp_path / "own",
        tmp_path / "own" / "config",
        tmp_path / "own" / "log",
    )
    assert all(place.is_relative_to(paths.home) for place in below(paths.home))


def test_looking_at_paths_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "own"))
    assert default_paths().socket_file.name == "e.sock"
    assert list(tmp_path.iterdir()) == []


def test_a_relative_home_is_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEXCORE_HOME", "own")
    assert default_paths().home == tmp_path / "own"


def test_a_tilde_means_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HEXCORE_HOME", "~/own")
    assert default_paths().home == tmp_path / "own"


def test_without_a_home_of_ones_own_the_platforms_places_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HEXCORE_HOME", " ")
    paths = default_paths()
    assert all(place.is_relative_to(tmp_path) for place in (paths.home, paths.config_dir, paths.log_dir))
    assert paths.home.name == "hexcore"


def test_the_engines_folder_lies_below_a_short_home_and_elsewhere_for_a_long_one() -> None:
    short = Paths(Path("/srv/h"), Path("/srv/c"), Path("/srv/l"))
    assert short.run_dir == Path("/srv/h/run")
    long = Paths(Path("/srv") / ("h" * 120), Path("/srv/c"), Path("/srv/l"))
    assert not long.run_dir.is_relative_to(long.home)
    assert long.run_dir.name.startswith(f"hexcore-{os.getuid()}-")


def test_two_long_homes_have_two_engines() -> None:
    first, second = (Paths(Path("/srv") / (letter * 120), Path("/srv/c"), Path("/srv/l")) for letter in "ab")
    assert first.socket_file != second.socket_file


def test_a_home_is_too_long_by_its_bytes_not_its_letters() -> None:
    letters = "ö" * (MAX_SOCKET_PATH_BYTES // 2)
    home = Path("/srv") / letters
    assert len(str(home / "run" / "e.sock")) <= MAX_SOCKET_PATH_BYTES
    assert not Paths(home, home, home).run_dir.is_relative_to(home)
