from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from hexcore_engine.cli.main import main
from hexcore_tui.__main__ import main as open_app
from scripts.wheel_contents import wanted_names, wheel_problems

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
REQUIREMENTS: list[str] = [
    *PROJECT["project"]["dependencies"],
    *(line for extra in EXTRAS.values() for line in extra),
]


def plain_name(requirement: str) -> str:
    """A requirement's name as package indexes compare it."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built here, with nothing fetched."""
    pytest.importorskip("hatchling", reason="hatchling is not installed, and nothing is fetched here")
    folder = tmp_path_factory.mktemp("wheel")
    arguments = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *arguments], check=True, timeout=120)
    (built,) = folder.glob("hexcore-*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_ours_and_no_other(wheel: Path) -> None:
    assert list(wheel_problems(wheel)) == []


def test_what_is_missing_or_out_of_place_in_a_wheel_is_named(tmp_path: Path) -> None:
    made = tmp_path / "hexcore-1-py3-none-any.whl"
    strays = [
        "tests/test_a.py",
        "hexcore_engine/tests/test_b.py",
        "hexcore_engine/small.gguf",
        "scripts/lint.py",
    ]
    with zipfile.ZipFile(made, "w") as archive:
        for name in [*strays, *(wanted_names() - {"hexcore_engine/py.typed"})]:
            archive.writestr(name, "")
    problems = list(wheel_problems(made))
    assert problems[:2] == ["lacks hexcore_engine/py.typed", "lacks the licence"]
    assert problems[2:] == [f"holds {name}" for name in sorted(strays)]


def test_every_dependency_has_its_reason_beside_it() -> None:
    lines = [line.strip() for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines()]
    for requirement in REQUIREMENTS:
        (place,) = (place for place, line in enumerate(lines) if line.startswith(f'"{requirement}"'))
        beside = lines[place].partition('",')[2]
        assert "# " in beside or lines[place - 1].startswith("# "), requirement


def test_what_is_tested_with_is_pinned() -> None:
    pins = (ROOT / "constraints" / "tested.txt").read_text("utf-8").lower().replace("_", "-")
    # pip itself is the user's: the one their machine is configured for.
    names = {plain_name(requirement) for requirement in REQUIREMENTS} - {"pip"}
    assert [name for name in sorted(names) if f"\n{name}==" not in pins] == []


def test_each_console_script_leads_to_a_function() -> None:
    scripts = PROJECT["project"]["scripts"]
    assert set(scripts) == {"hexcore", "hexcore-engine", "hexcore-tui"}
    for place in scripts.values():
        module, name = place.split(":")
        assert callable(getattr(importlib.import_module(module), name))


def test_commits_are_checked_by_the_steps_of_make_check() -> None:
    steps = set(
        re.findall(
            r'^    "(\w+)": \w+_step,$', (ROOT / "scripts" / "lint.py").read_text("utf-8"), re.MULTILINE
        )
    )
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    run = {step for steps in re.findall(r"scripts/lint\.py ([a-z ]+),", hooks) for step in steps.split()}
    assert steps
    assert run == steps


def test_the_tree_in_the_readme_names_what_is_there() -> None:
    tree = README[README.index("## What is where") :].split("```")[1]
    parents: list[str] = []
    for line in tree.strip().splitlines():
        name = line.strip().split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents = [*parents[:depth], name]
        assert (ROOT / "".join(parents)).exists(), "".join(parents)


def test_the_tree_in_the_readme_names_every_room() -> None:
    tree = README[README.index("## What is where") :].split("```")[1]
    named = {line.split()[0].rstrip("/") for line in tree.strip().splitlines()}
    rooms = {file.parent.name for file in (ROOT / "hexcore_engine").glob("*/__init__.py")}
    assert rooms <= named


def test_links_in_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_notice_of_the_fan_content_policy_stands_where_people_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for program in (main, open_app):
        assert program(["--about"]) == 0
        notice = capsys.readouterr().out.split("\n", 1)[1].split()
        assert " ".join(notice) in " ".join(README.split())
        assert "unofficial Fan Content" in " ".join(notice)
