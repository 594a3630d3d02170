from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from hexcore_engine.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_the_wheel_holds_themes_digest_types_and_licence_and_no_data_of_others(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed, and nothing is fetched here")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        str(ROOT),
    ]
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("hexcore-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "hexcore_tui/themes/hexcore-dark.toml",
        "hexcore_engine/knowledge/digest/702.jsonl",
        "hexcore_engine/py.typed",
        "hexcore_tui/py.typed",
    ):
        assert wanted in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests/") or name.endswith((".gguf", ".sqlite"))]
    assert not [name for name in names if "_dev.jsonl" in name or "MagicCompRules" in name]


def test_every_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = text[text.index("dependencies = [") : text.index("\n]", text.index("dependencies = ["))]
    lines = [line.strip() for line in listed.splitlines()[1:]]
    for place, line in enumerate(lines):
        if line.startswith('"'):
            assert "#" in line or lines[place - 1].startswith("#"), line


def test_what_is_tested_with_is_pinned() -> None:
    pins = (ROOT / "constraints" / "tested.txt").read_text("utf-8").lower().replace("_", "-")
    names = [re.split(r"[ >=<;\[]", entry)[0].lower() for entry in PROJECT["project"]["dependencies"]]
    names += [
        re.split(r"[ >=<;\[]", entry)[0].lower()
        for entry in PROJECT["project"]["optional-dependencies"]["dev"]
    ]
    # pip itself is the user's: the one their machine is configured for.
    missing = [name for name in names if name != "pip" and f"\n{name}==" not in pins]
    assert not missing


def test_the_tree_in_the_readme_names_what_is_there() -> None:
    tree = README[README.index("## What is where") :].split("```")[1]
    parents: list[str] = []
    for line in tree.strip().splitlines():
        name = line.strip().split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents = [*parents[:depth], name]
        assert (ROOT / "".join(parents)).exists(), "".join(parents)


def test_links_in_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_commands_in_the_readme_exist() -> None:
    named = re.findall(r"`?hexcore ([a-z]+)", README)
    assert named
    assert set(named) <= set(COMMANDS)


def test_the_notice_of_the_fan_content_policy_stands_where_people_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--about"]) == 0
    notice = capsys.readouterr().out.split("\n", 1)[1].split()
    assert " ".join(notice) in " ".join(README.split())
