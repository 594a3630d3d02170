"""Large JSON files, entry by entry: never more of them in memory than one entry and a block.

Files may be compressed with gzip. What is wrong is said with the file's name, the entry and its line.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec

from hexcore_engine.errors import ImportFileError

BLOCK_BYTES = 256 * 1024
LARGEST_ENTRY_BYTES = 4 * 1024 * 1024
LARGEST_FILE_BYTES = 2 * 1024 * 1024 * 1024
DEEPEST = 40
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\r\n]*")
# A lone quote is a string that the block ends in.
_SIGNS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)
_SCALAR_END = re.compile(rb"[,\]}\s]")


@dataclass(frozen=True)
class Entry:
    """The bytes of one value, where it begins, and its name when it stands in an object."""

    content: bytes
    number: int
    line: int
    name: str = ""


class JsonFile:
    """A JSON file being read; positions only move forward."""

    def __init__(self, file: Path, stream: IO[bytes]) -> None:
        self.file = file
        self._stream = stream
        self._block = b""
        self._place = 0
        self._line = 1
        self._num_bytes = 0
        self._number = 0
        if self._peek() == _BOM[:1] and self._has(len(_BOM)) and self._block.startswith(_BOM):
            self._advance(len(_BOM))

    def first_sign(self) -> bytes:
        """The first byte that is no white space; nothing for an empty file."""
        self._skip_space()
        return self._peek()

    def items(self) -> Iterator[Entry]:
        """The items of the array that begins here."""
        self._expect(b"[")
        self._skip_space()
        while self._peek() != b"]":
            yield self._entry()
            if not self._goes_on(b"]"):
                break
        self._expect(b"]")

    def entries(self) -> Iterator[Entry]:
        """The entries of the object that begins here; who gets one may read its value by `items` or
        `entries`, else takes it with `value`."""
        self._expect(b"{")
        self._skip_space()
        while self._peek() != b"}":
            self._number += 1
            line = self._line
            name = self._name()
            self._expect(b":")
            self._skip_space()
            yield Entry(b"", self._number, line, name)
            if not self._goes_on(b"}"):
                break
        self._expect(b"}")

    def value(self) -> bytes:
        """The bytes of the value that begins here."""
        self._skip_space()
        return self._take_value()

    def expect_end(self) -> None:
        """Make sure that nothing follows."""
        self._skip_space()
        if self._peek():
            raise self.failure("something follows after the end of the data")

    def failure(self, reason: str) -> ImportFileError:
        """The error for this place."""
        place = f"entry {self._number}, line {self._line}" if self._number else f"line {self._line}"
        return ImportFileError(
            f"{self.file.name}, {place}: {reason}.", "Fetch the file again; the data in use is untouched."
        )

    def _entry(self) -> Entry:
        self._number += 1
        line = self._line
        return Entry(self._take_value(), self._number, line)

    def _goes_on(self, closing: bytes) -> bool:
        self._skip_space()
        sign = self._peek()
        if sign == b",":
            self._advance(1)
            self._skip_space()
            if self._peek() == closing:
                raise self.failure("a comma stands before the end")
            return True
        if sign != closing:
            raise self._unexpected(f"a comma or {closing.decode()}")
        return False

    def _name(self) -> str:
        if self._peek() != b'"':
            raise self._unexpected("a name in quotes")
        try:
            return msgspec.json.decode(self._take_value(), type=str)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self.failure(f"a name can't be read ({error})") from error

    def _take_value(self) -> bytes:
        sign = self._peek()
        if sign in (b"{", b"["):
            size = self._nested_size()
        elif sign == b'"':
            size = self._string_size()
        else:
            size = self._scalar_size()
        content = self._block[self._place : self._place + size]
        self._advance(size)
        return content

    def _nested_size(self) -> int:
        depth, checked = 0, 0
        while True:
            for found in _SIGNS.finditer(self._block, self._place + checked):
                sign = found.group()
                if sign == b'"':
                    checked = found.start() - self._place
                    break
                checked = found.end() - self._place
                if sign in b"[{":
                    depth += 1
                elif sign in b"]}":
                    depth -= 1
                if depth == 0:
                    return checked
                if depth > DEEPEST:
                    raise self.failure(f"nested more than {DEEPEST} levels deep")
            self._more()

    def _string_size(self) -> int:
        while True:
            found = _SIGNS.match(self._block, self._place)
            if found is not None and len(found.group()) > 1:
                return found.end() - self._place
            self._more()

    def _scalar_size(self) -> int:
        while True:
            found = _SCALAR_END.search(self._block, self._place)
            if found is not None:
                if found.start() == self._place:
                    raise self._unexpected("a value")
                return found.start() - self._place
            self._more()

    def _more(self) -> None:
        """Read on within a value."""
        if len(self._block) - self._place > LARGEST_ENTRY_BYTES:
            raise self.failure(f"an entry is larger than {LARGEST_ENTRY_BYTES // 1024**2} MB")
        if not self._read():
            raise self.failure("the file ends in the middle of it")

    def _expect(self, sign: bytes) -> None:
        self._skip_space()
        if self._peek() != sign:
            raise self._unexpected(sign.decode())
        self._advance(1)

    def _unexpected(self, expected: str) -> ImportFileError:
        found = self._peek()
        if not found:
            return self.failure(f"the file ends where {expected} belongs")
        shown = found.decode("ascii", "replace")
        what = f"“{shown}”" if shown.isprintable() and shown.isascii() else f"the byte {found[0]:#04x}"
        return self.failure(f"{what} stands where {expected} belongs")

    def _skip_space(self) -> None:
        while True:
            found = _SPACE.match(self._block, self._place)
            self._advance(found.end() - self._place if found else 0)
            if self._place < len(self._block) or not self._read():
                return

    def _peek(self) -> bytes:
        if self._place >= len(self._block) and not self._read():
            return b""
        return self._block[self._place : self._place + 1]

    def _has(self, count: int) -> bool:
        return len(self._block) - self._place >= count or (self._read() and self._has(count))

    def _advance(self, count: int) -> None:
        self._line += self._block.count(b"\n", self._place, self._place + count)
        self._place += count

    def _read(self) -> bool:
        """Append a block to what is not read yet; False at the end of the file."""
        block = self._stream.read(BLOCK_BYTES)
        self._num_bytes += len(block)
        if self._num_bytes > LARGEST_FILE_BYTES:
            raise self.failure("the file is larger than any card file")
        self._block = self._block[self._place :] + block
        self._place = 0
        return bool(block)


@contextmanager
def open_json(file: Path) -> Iterator[JsonFile]:
    """Open a JSON file, compressed or not.

    Raises:
        ImportFileError: when it can't be read, or its compression is damaged or cut off.
    """
    try:
        with file.open("rb") as raw:
            zipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
            yield JsonFile(file, stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFileError(
            f"{file.name} is cut off or damaged: {error}.", "Fetch the file again."
        ) from error
    except OSError as error:
        raise ImportFileError(f"{file} can't be read: {error.strerror or error}.") from error
