"""From the bytes of an official text file to lines: every encoding and every line end they came in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.errors import ImportFileError
from hexcore_engine.utils.validation import clean_text

MAX_FILE_BYTES = 64 * 1024 * 1024
REMEDY = "Get the TXT file of the Comprehensive Rules and run `hexcore setup --rules FILE`."
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BINARY_SIGNS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "an archive"),
    (b"{\\rtf", "an RTF document"),
)
_SAMPLE_BYTES = 4096
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
# Page breaks and the separators of word processors end a line too.
_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class DecodedText:
    """Lines without their ends, cleaned of control characters, and the encoding they came in."""

    lines: tuple[str, ...]
    encoding: str
    replaced: tuple[int, ...] = ()  # numbers of the lines, from 1, with bytes that are no text


def read_rules_text(file: Path) -> DecodedText:
    """Read and decode `file`.

    Raises:
        ImportFileError: when it can't be read, is empty, far too large, binary, or a web page.
    """
    try:
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImportFileError(f"{file} has {size} bytes; a rules file has about one million.", REMEDY)
        content = file.read_bytes()
    except OSError as error:
        raise ImportFileError(f"{file} can't be read: {error.strerror or error}.", REMEDY) from error
    return decode_rules_text(content, str(file))


def decode_rules_text(content: bytes, name: str) -> DecodedText:
    """Decode `content` by its byte order mark, else as strict UTF-8, else as Windows-1252.

    Raises:
        ImportFileError: when it is empty, binary, or a web page; `name` names the file.
    """
    if not content.strip():
        raise ImportFileError(f"{name} is empty.", REMEDY)
    for sign, what in _BINARY_SIGNS:
        if content.startswith(sign):
            raise ImportFileError(f"{name} is {what}, not a text file.", REMEDY)
    text, encoding = _decode(content, name)
    control = _CONTROL.search(text)
    if control is not None and len(_CONTROL.findall(text)) > len(text) // 200:
        line = len(_LINE_ENDS.findall(text, 0, control.start())) + 1
        raise ImportFileError(f"{name}, line {line}: binary data, not text.", REMEDY)
    if _MARKUP.match(text):
        raise ImportFileError(f"{name}, line 1: a web page, not the rules as text.", REMEDY)
    lines = tuple(clean_text(line) for line in _LINE_ENDS.split(text))
    replaced = tuple(number for number, line in enumerate(lines, 1) if "\ufffd" in line)
    return DecodedText(lines, encoding, replaced)


def _decode(content: bytes, name: str) -> tuple[str, str]:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), encoding
    wide = _utf16_without_mark(content)
    if wide is not None:
        return content.decode(wide, "replace"), wide
    if b"\x00" in content[:_SAMPLE_BYTES]:
        raise ImportFileError(f"{name}, byte {content.index(0)}: binary data, not text.", REMEDY)
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
