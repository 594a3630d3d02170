"""Making text from outside harmless before it is shown, stored or given to a model."""

from __future__ import annotations

import re
import unicodedata

# C0 but tab and newline, DEL, C1, zero-width and bidi controls, interlinear and tag characters,
# line/paragraph separators, the BOM: none of them is text, all of them can move a cursor or hide words.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
# Half a pair is what Python makes of a byte in a file's name that is no text.
_NOT_FOR_OUTPUT = re.compile(f"{_CONTROLS.pattern}|[\ud800-\udfff]")
# A whole terminal sequence goes, not only its first byte, so that no "[31m" stays behind as litter.
_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    # OSC, DCS, SOS, PM and APC, with the text they carry
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]"  # everything else that starts with ESC
)

_NOT_ASCII = re.compile("[^\x00-\x7f]+")
# Letters that taking diacritics off leaves as they are.
_LIGATURES = {"æ": "ae", "œ": "oe", "ø": "o"}


def clean_text(text: str) -> str:
    """Return `text` without terminal sequences, control, bidi and invisible characters.

    All line ends become newlines.
    """
    if not _NOT_FOR_OUTPUT.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _SEQUENCES.sub("", text)
    return _CONTROLS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def clean_line(text: str) -> str:
    """Like `clean_text`, on one line: runs of white space become one space."""
    return " ".join(clean_text(text).split())


def escape_in_json(document: str) -> str:
    """Return a JSON document with what `clean_text` would take off written as escapes: the same values."""
    # Not for the app's first frame.
    import json

    return _NOT_FOR_OUTPUT.sub(lambda match: json.dumps(match.group())[1:-1], document)


def fold(text: str) -> str:
    """Return `text` lower-cased with diacritics taken off and ligatures spelt out, for comparing names."""
    return text.lower() if text.isascii() else _NOT_ASCII.sub(_fold_run, text.lower())


def _fold_run(found: re.Match[str]) -> str:
    # Casefolded twice: taking signs apart can bring capitals back.
    decomposed = unicodedata.normalize("NFKD", found.group().casefold())
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    for letter, spelt in _LIGATURES.items():
        folded = folded.replace(letter, spelt)
    return folded
