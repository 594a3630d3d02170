from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hexcore_engine.errors import SettingsError, StorageError
from hexcore_engine.settings import forget_setting, is_offline, load_settings, save_setting


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml", {}).model.path == "embedded"


def test_variables_count_more_than_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[model]\npath = "a.gguf"\nthreads = 2\n')
    settings = load_settings(file, {"HEXCORE_MODEL_PATH": "b.gguf", "HEXCORE_ANSWER_MAX_TOKENS": "40"})
    assert (settings.model.path, settings.model.threads, settings.answer.max_tokens) == ("b.gguf", 2, 40)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("[modle]\n", "no section", "model"),
        ('[model]\npat = "x"\n', "no key 'pat'", "path"),
        ("[answer]\nmax_tokens = 0\n", "max_tokens", ""),
        ("[answer\n", "can't be read", ""),
        ('[screen]\nprofile = "huge"\n', "huge", ""),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_good_key(
    tmp_path: Path, text: str, message: str, remedy: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(file, {})
    assert remedy in caught.value.remedy


def test_saving_keeps_comments_and_order(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "settings.toml"
    save_setting(file, "model", "path", "a.gguf")
    file.write_text("# mine\n[answer]\nmax_tokens = 9  # short\n" + file.read_text())
    save_setting(file, "model", "path", "b.gguf")
    text = file.read_text()
    assert "# mine" in text
    assert "max_tokens = 9  # short" in text
    assert load_settings(file, {}).model.path == "b.gguf"
    with pytest.raises(SettingsError):
        save_setting(file, "model", "threads", -1)
    assert load_settings(file, {}).model.path == "b.gguf"


def test_saving_keeps_a_link_to_the_file_and_the_files_mode(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "hexcore.toml"
    kept.parent.mkdir()
    link = tmp_path / "settings.toml"
    link.symlink_to(Path("dotfiles", "hexcore.toml"))
    save_setting(link, "model", "path", "a.gguf")
    kept.chmod(0o600)
    save_setting(link, "model", "path", "b.gguf")
    forget_setting(link, "answer", "max_tokens")
    assert link.is_symlink()
    assert load_settings(kept, {}).model.path == "b.gguf"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_a_link_that_leads_to_itself_is_named_when_a_setting_is_saved(tmp_path: Path) -> None:
    link = tmp_path / "settings.toml"
    link.symlink_to(link)
    with pytest.raises((SettingsError, StorageError), match=r"settings\.toml"):
        save_setting(link, "answer", "max_tokens", 20)


@pytest.mark.parametrize(("value", "offline"), [("", False), ("0", False), ("no", False), ("1", True)])
def test_offline_is_a_word_that_is_not_no(value: str, offline: bool) -> None:
    assert is_offline({"HEXCORE_OFFLINE": value}) is offline


def test_a_variable_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HEXCORE"):
        load_settings(tmp_path / "settings.toml", {"HEXCORE_ANSWER_MAX_TOKENS": "12\udcff"})


def test_a_file_that_was_spoilt_meanwhile_is_named_when_a_setting_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    for content in (b"[model\n", b"\xff", b"a = " + b"[" * 20_000):
        file.write_bytes(content)
        with pytest.raises(SettingsError, match=r"settings\.toml"):
            save_setting(file, "answer", "max_tokens", 20)
        assert file.read_bytes() == content


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    changes: list[tuple[str, str, str | int]] = [
        ("answer", "passages", 7),
        ("screen", "theme", "dusk"),
        ("model", "threads", 3),
    ] * 8
    together = threading.Barrier(len(changes))

    def change(section: str, key: str, value: str | int) -> None:
        together.wait(10)
        save_setting(file, section, key, value)

    with ThreadPoolExecutor(len(changes)) as threads:
        for done in [threads.submit(change, *each) for each in changes]:
            done.result()
    settings = load_settings(file, {})
    assert (settings.answer.passages, settings.screen.theme, settings.model.threads) == (7, "dusk", 3)
