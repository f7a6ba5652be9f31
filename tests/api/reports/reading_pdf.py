"""What a PDF of typst's shows, as text: glyphs by each font's own table. No more of PDF than these files need."""

import re
import zlib
from collections.abc import Iterator

_OBJECT = re.compile(rb"(?<=\n)(\d+) 0 obj(.*?)\nendobj\n", re.DOTALL)
_STREAM = re.compile(rb"\nstream\r?\n")
_FONT = re.compile(rb"/(f\d+) [\d.]+ Tf")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """All text without blanks, in the order in which it is drawn."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    shown = []
    for page in (each for each in objects.values() if b"/Type/Page/" in each):
        resources = objects[_reference(page, b"Resources")]
        listed = re.search(rb"/Font<<(.*?)>>", resources, re.DOTALL)
        fonts = {
            name: _table(objects, int(number))
            for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", listed[1] if listed else b"")
        }
        table: dict[int, str] = {}
        for font, glyphs in _shown(_content(objects[_reference(page, b"Contents")])):
            table = fonts[font] if font else table
            shown += [table.get(high << 8 | low, "?") for high, low in zip(glyphs[::2], glyphs[1::2], strict=True)]
    return re.sub(r"\s+", "", "".join(shown))


def _shown(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Fonts as they are chosen, and strings as they are shown. A string may have balanced brackets in it."""
    at = 0
    while at < len(content):
        if content[at : at + 2] == b"<<":
            # what programs that read aloud are told: the same once more
            at = content.index(b">>", at) + 1
        elif content[at : at + 1] == b"<":
            end = content.index(b">", at)
            yield b"", bytes.fromhex(content[at + 1 : end].decode())
            at = end
        elif content[at : at + 1] == b"(":
            begin, depth = at + 1, 1
            while depth:
                at += 1
                letter = content[at : at + 1]
                if letter == b"\\":
                    at += 1
                depth += (letter == b"(") - (letter == b")")
            yield b"", _unescaped(content[begin:at])
        elif (found := _FONT.match(content, at)) is not None:
            yield found[1], b""
        at += 1


def _reference(of: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", of)
    assert found, name
    return int(found[1])


def _content(of: bytes) -> bytes:
    # by its length: compressed bytes may end as a line does, and a lazy pattern would cut them short there
    found, length = _STREAM.search(of), re.search(rb"/Length (\d+)", of)
    assert found
    assert length
    held = of[found.end() : found.end() + int(length[1])]
    return zlib.decompress(held) if b"FlateDecode" in of[: found.start()] else held


def _table(objects: dict[int, bytes], font: int) -> dict[int, str]:
    found = _content(objects[_reference(objects[font], b"ToUnicode")])
    return {
        int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be")
        for glyph, code in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", found.partition(b"endcodespacerange")[2])
    }


def _unescaped(text: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        said = found[1]
        return bytes([int(said, 8)]) if said[:1].isdigit() else _ESCAPES.get(said, said)

    return re.sub(rb"\\(\d{1,3}|.)", plain, text, flags=re.DOTALL)
