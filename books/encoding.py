"""Detects the encoding of a file."""

from __future__ import annotations

import codecs
import re
from typing import Protocol

from books.errors import BookError

#: Bytes that are read at a time.
CHUNK = 65_536
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = re.compile("[^\x00-\x7f\ud800-\udfff]")
_CUT_SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")
SURROGATE = re.compile("[\ud800-\udfff]")


class BinaryFile(Protocol):
    """A file that can be read in pieces and rewound."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> object: ...


def encoding_of(file: BinaryFile) -> str:
    """The byte order mark decides; without one it is UTF-8 if the whole file is valid, else cp1252.

    Raises BookError if only some lines are valid UTF-8.
    """
    file.seek(0)
    chunk = file.read(CHUNK)
    for mark, name in _BOMS:
        if chunk.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line, good, bad, tail = 1, 0, 0, ""
    while True:
        text = tail + decoder.decode(chunk, not chunk)
        if not text.isascii():
            if cut := _CUT_SURROGATE.search(text):
                raise BookError(
                    "has a lone surrogate, which is no character",
                    line + text.count("\n", 0, cut.start()),
                )
            if not bad and (wrong := SURROGATE.search(text)):
                bad = line + text.count("\n", 0, wrong.start())
            if not good and (right := _WIDE.search(text)):
                good = line + text.count("\n", 0, right.start())
        if not chunk:
            break
        tail = text[-2:]
        line += text.count("\n", 0, len(text) - len(tail))
        chunk = file.read(CHUNK)
    if bad and good:
        raise BookError(
            f"is not UTF-8, but line {good} is; save the file in one encoding, "
            'or name it in a map (encoding = "cp1252")',
            bad,
        )
    return "cp1252" if bad else "utf-8"
