"""`hexcore models adapters` and `add-adapter`, in a home of its own, without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.cli.main import main
from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME, read_adapter
from hexcore_engine.models.adapter_install import CONFIG_NAME, base_fingerprint, install_adapter
from tests.conftest import paths_of
from tests.unit.small_adapters import make_adapter
from tests.unit.tiny_models import make_header_only

Answer = Callable[..., tuple[int, Any]]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_header_only(tmp_path / "base")


@pytest.fixture
def answer(home: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Run `hexcore models` with --json and return its exit code and document."""

    def run(*words: str) -> tuple[int, Any]:
        code = main(["models", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def written_by_peft(folder: Path, base: Path, **changes: Any) -> Path:
    """What training leaves behind: weights and peft's own configuration."""
    make_adapter(folder, base)
    (folder / MANIFEST_NAME).unlink()
    config = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "bias": "none",
        "target_modules": ["v_proj", "q_proj"],
        "modules_to_save": None,
        "rank_pattern": {},
        "use_rslora": False,
        "alora_invocation_tokens": None,
    }
    (folder / CONFIG_NAME).write_text(json.dumps(config | changes))
    return folder


def test_an_adapter_is_added_and_listed(answer: Answer, home: Path, base: Path, tmp_path: Path) -> None:
    source = written_by_peft(tmp_path / "judge", base)
    code, added = answer("add-adapter", str(source), "--mode", "reason", "--base", str(base))
    assert (code, added["mode"]) == (0, "REASON")
    code, listed = answer("adapters", "--base", str(base))
    assert code == 0
    (record,) = listed["adapters"]
    assert (record["name"], record["mode"], record["kind"], record["available"]) == (
        "judge",
        "REASON",
        "lora",
        True,
    )
    assert sorted(path.name for path in (home / "adapters").iterdir()) == ["judge"]
    assert answer("add-adapter", str(source), "--mode", "TEACH", "--base", str(base))[0] == 0
    assert answer("adapters", "--base", str(base))[1]["adapters"][0]["mode"] == "TEACH"


def test_what_peft_wrote_becomes_the_manifest(answer: Answer, home: Path, base: Path, tmp_path: Path) -> None:
    source = written_by_peft(tmp_path / "a", base, use_rslora=True, alora_invocation_tokens=[1, 9])
    assert answer("add-adapter", str(source), "--mode", "PREDICT", "--base", str(base))[0] == 0
    manifest = read_adapter(home / "adapters" / "a").manifest
    assert (manifest.kind, manifest.invocation_tokens, manifest.rank) == ("alora", (1, 9), 4)
    assert manifest.alpha == 16.0
    assert manifest.target_modules == ("q_proj", "v_proj")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use_dora": True}, "uses use_dora"),
        ({"peft_type": "LOHA"}, "uses peft_type"),
        ({"modules_to_save": ["lm_head"]}, "uses modules_to_save"),
        ({"r": "four"}, "unusable"),
        ({"lora_alpha": None}, "unusable"),
        ({"r": 8}, "does not fit the rank"),
    ],
)
def test_what_can_not_be_used_is_not_installed(
    changes: dict[str, Any], reason: str, answer: Answer, home: Path, base: Path, tmp_path: Path
) -> None:
    source = written_by_peft(tmp_path / "judge", base, **changes)
    code, document = answer("add-adapter", str(source), "--mode", "REASON", "--base", str(base))
    assert code == 4
    assert document["error"]["code"] == "HX-ADAPTER"
    assert reason in document["error"]["message"]
    assert "adapter judge" in document["error"]["message"]
    assert answer("adapters", "--base", str(base))[0] == 1


def test_a_refused_adapter_is_listed_with_its_reason(
    home: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_adapter(home / "adapters" / "judge", base)
    (folder / WEIGHTS_NAME).write_bytes(b"")
    assert main(["models", "adapters", "--base", str(base)]) == 0
    assert "REASON     judge: not used. The adapter judge can't be used" in capsys.readouterr().out


def test_without_a_base_that_torch_runs_adapters_say_so(answer: Answer, home: Path, base: Path) -> None:
    make_adapter(home / "adapters" / "judge", base)
    code, document = answer("adapters", "--base", str(base / "nothing"))
    assert code == 0
    assert "belong to a model that torch runs" in document["adapters"][0]["note"]
    code, document = answer("add-adapter", str(base), "--mode", "REASON", "--base", str(base / "nothing"))
    assert (code, document["error"]["code"]) == (4, "HX-ADAPTER")


@pytest.mark.parametrize(
    "words", [["add-adapter"], ["add-adapter", "x"], ["add-adapter", "x", "--mode", "Y"]]
)
def test_words_that_are_off_are_wrong_use(words: list[str], answer: Answer) -> None:
    assert answer(*words)[0] == 2


def test_an_adapter_is_never_added_onto_itself(answer: Answer, home: Path, base: Path) -> None:
    source = written_by_peft(home / "adapters" / "judge", base)
    code, document = answer("add-adapter", str(source), "--mode", "REASON", "--base", str(base))
    assert code == 4
    assert "already" in document["error"]["message"]
    assert (source / CONFIG_NAME).is_file()


def test_a_folder_named_by_a_dot_replaces_no_other_adapter(
    home: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = paths_of(home)
    base_hash = base_fingerprint(str(base), paths)
    for name in ("moss", "lantern"):
        monkeypatch.chdir(written_by_peft(tmp_path / name, base))
        install_adapter(Path(), "TEACH", base_hash, paths.adapters_dir)
    assert sorted(folder.name for folder in paths.adapters_dir.iterdir()) == ["lantern", "moss"]
