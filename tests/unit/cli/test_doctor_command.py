"""`hexcore doctor` looks at everything, whatever is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.cli.main import main
from tests.conftest import paths_of

ROOT = Path(__file__).resolve().parents[3]
Output = pytest.CaptureFixture[str]


def findings(printed: str) -> dict[str, Any]:
    """What the doctor printed, by name."""
    return {finding["name"]: finding for finding in json.loads(printed)["findings"]}


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("[modle]\n", "no section [modle]", "'model'"),
        ("[model\n", "can't be read", "Correct the setting"),
        ("[answer]\nmax_tokens = 0\n", "max_tokens", "Correct the setting"),
    ],
)
def test_settings_that_cant_be_used_are_a_finding_among_all_others(
    home: Path, capsys: Output, text: str, said: str, remedy: str
) -> None:
    main(["doctor", "--json"])
    names = set(findings(capsys.readouterr().out))
    file = paths_of(home).settings_file
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert main(["doctor", "--json"]) == 1
    found = findings(capsys.readouterr().out)
    assert set(found) == names
    assert (found["settings"]["ok"], found["version"]["ok"]) == (False, True)
    assert said in found["settings"]["detail"]
    assert remedy in found["settings"]["remedy"]


def test_a_variable_that_cant_be_used_is_a_finding(
    home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_THREADS", "many")
    assert main(["doctor", "--json"]) == 1
    assert "HEXCORE_" in findings(capsys.readouterr().out)["settings"]["detail"]


@pytest.mark.parametrize("name", ["file", "x" * 300], ids=["file", "too-long"])
def test_a_home_that_is_no_folder_is_told_by_each_check_that_needs_it(
    name: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / name))
    assert main(["doctor", "--json"]) == 1
    found = findings(capsys.readouterr().out)
    for needs_it in ("home", "settings"):
        assert not found[needs_it]["ok"]
        assert "HEXCORE_HOME" in found[needs_it]["remedy"]
    assert found["version"]["ok"]


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(home: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        # As if Hexcore's own folder of metadata had been deleted.
        if not entry.name.lower().startswith("hexcore"):
            (packages / entry.name).symlink_to(entry)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "hexcore_engine.cli.main", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = findings(done.stdout)
    assert (done.returncode, found["packages"]["ok"], found["digest"]["ok"]) == (1, False, True)
    assert "PackageNotFoundError" in found["packages"]["detail"]
    assert "Install it again" in found["packages"]["remedy"]


@pytest.mark.parametrize(("action", "exit_code"), [("status", 1), ("stop", 1), ("start", 2), ("restart", 2)])
def test_an_engine_can_be_seen_and_stopped_but_not_started_with_unusable_settings(
    home: Path, capsys: Output, action: str, exit_code: int
) -> None:
    file = paths_of(home).settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[modle]\n")
    assert main(["engine", action, "--json"]) == exit_code
    document = json.loads(capsys.readouterr().out)
    assert document.get("error", {}).get("code") == (None if exit_code == 1 else "HX-SETTINGS")
