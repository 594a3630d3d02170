"""From the bytes of an official text file to lines: every encoding and every line end they came in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.errors import ImportFileError
from hexcore_engine.utils.validation import clean_text

MAX_FILE_BYTES = 16 * 1024 * 1024
# The longest rules have about 2,000 characters.
MAX_LINE_CHARACTERS = 100_000
REMEDY = "Get the TXT file of the Comprehensive Rules and run `hexcore data import FILE`."
# A break inside a line of the file: a page break, or the line breaks of word processors.
SOFT_BREAK = "\x0b"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BINARY_SIGNS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "an archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "a Word document"),
)
_SAMPLE_BYTES = 4096
_MARKUP = re.compile(r"\s*<[a-z!?]", re.IGNORECASE)
_LINE_ENDS = re.compile("\r\n|[\r\n]")
_SOFT_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
# Single stray controls are taken off and named; where they are more than this share, it is no text.
_CONTROLS_OF_BINARY = 1 / 200
_MOST_STRAY_CONTROLS = 8


@dataclass(frozen=True)
class DecodedText:
    """Lines without their ends, cleaned of control characters, and the encoding they came in.

    A line may hold `SOFT_BREAK`s, but neither begins nor ends with one. `replaced` and `cleaned` are the
    numbers of lines, from 1, with bytes that are no text and with control characters.
    """

    lines: tuple[str, ...]
    encoding: str
    replaced: tuple[int, ...] = ()
    cleaned: tuple[int, ...] = ()


def read_rules_text(file: Path) -> DecodedText:
    """Read and decode `file`.

    Raises:
        ImportFileError: when it can't be read, is empty, far too large, binary, or a web page.
    """
    return decode_rules_text(read_rules_bytes(file), str(file))


def read_rules_bytes(file: Path) -> bytes:
    """Read `file`, which must be no larger than a rules file may be. Raises as `read_rules_text`."""
    try:
        if not file.is_file() and file.exists():
            raise ImportFileError(f"{file} is not a file.", REMEDY)
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImportFileError(f"{file} has {size} bytes; a rules file has about one million.", REMEDY)
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImportFileError(f"{file} can't be read: {reason}.", REMEDY) from error


def decode_rules_text(content: bytes, name: str) -> DecodedText:
    """Decode `content` by its byte order mark, else as strict UTF-8, else as Windows-1252.

    Raises:
        ImportFileError: when it is empty, binary, a web page, or has a line of endless length; `name` names
            the file.
    """
    if not content.strip():
        raise ImportFileError(f"{name} is empty.", REMEDY)
    for sign, what in _BINARY_SIGNS:
        if content.startswith(sign):
            raise ImportFileError(f"{name} is {what}, not a text file.", REMEDY)
    text, encoding = _decode(content)
    if _MARKUP.match(text):
        raise ImportFileError(f"{name}, line 1: a web page, not the rules as text.", REMEDY)
    raw = _LINE_ENDS.split(text)
    cleaned = tuple(number for number, line in enumerate(raw, 1) if _CONTROL.search(line))
    num_controls = len(_CONTROL.findall(text)) if cleaned else 0
    if num_controls > max(len(text) * _CONTROLS_OF_BINARY, _MOST_STRAY_CONTROLS):
        raise ImportFileError(f"{name}, line {cleaned[0]}: binary data, not text.", REMEDY)
    for number, line in enumerate(raw, 1):
        if len(line) > MAX_LINE_CHARACTERS:
            what = f"{len(line):,} characters in one line; no rule is that long"
            raise ImportFileError(f"{name}, line {number}: {what}.", REMEDY)
    lines = tuple(_clean(line) for line in raw)
    replaced = tuple(number for number, line in enumerate(lines, 1) if "\ufffd" in line)
    return DecodedText(lines, encoding, replaced, cleaned)


def _clean(line: str) -> str:
    parts = [clean_text(part) for part in _SOFT_BREAKS.split(line)]
    return parts[0] if len(parts) == 1 else SOFT_BREAK.join(part for part in parts if part.strip())


def _decode(content: bytes) -> tuple[str, str]:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), encoding
    wide = _utf16_without_mark(content)
    if wide is not None:
        return content.decode(wide, "replace"), wide
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "cp1252"


def _utf16_without_mark(content: bytes) -> str | None:
    sample = content[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    many, few = len(sample) * 0.3, len(sample) * 0.02
    if odd > many and even <= few:
        return "utf-16-le"
    return "utf-16-be" if even > many and odd <= few else None
