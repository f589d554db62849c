"""Frames as an animated GIF, piece by piece: one palette for all of them, and of each frame only the box that changed."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from PIL import Image

from ..core import Refused, T

CLEAR = 255  # the index that lets the frame before show through; the colours have those below
MANY = 2**15  # colours that are weighed against each other; a drawing has fewer
HOLD = 1.5  # seconds that the last frame of what begins again should stay: there is what it came to

Colour = tuple[int, int, int]


def delay(fps: float) -> int:
    """Hundredths of a second between two frames; what is shorter than two of them, browsers play ten times slower."""
    return max(2, round(100 / fps))


def codes(pixels: np.ndarray) -> np.ndarray:
    """Pixels (n, 3) as numbers 0xRRGGBB."""
    red, green, blue = pixels.T.astype(np.uint32)
    return red << 16 | green << 8 | blue


def colours(code: np.ndarray) -> np.ndarray:
    """Numbers 0xRRGGBB as red, green and blue (3, n); whole numbers that single precision holds exactly."""
    return np.stack([code >> 16, code >> 8 & 255, code & 255]).astype(np.float32)


def choose(pixels: np.ndarray, pinned: Sequence[Colour] = ()) -> list[Colour]:
    """The pinned colours, then always the one where the palette so far is most wrong, until nothing is or 255 are found."""
    chosen = list(dict.fromkeys(pinned))
    if len(chosen) > CLEAR:
        raise ValueError(f"{len(chosen)} colours are pinned; a palette holds {CLEAR}")
    code, count = np.unique(codes(pixels), return_counts=True)
    for bits in range(1, 8):
        if code.size > MANY:  # the most frequent colour stands for those that differ from it in the last bits only
            often = np.argsort(-count, kind="stable")
            _, kept = np.unique(code[often] & 0x010101 * (256 - 2**bits), return_index=True)
            code, count = code[often][kept], count[often][kept]
    candidates = colours(code)
    weight = count.astype(np.float32) ** 0.75  # a rare colour is the edge of a letter or a trail: it counts for more than its share
    wrong = np.full(code.size, np.inf, np.float32)

    def account(colour: Sequence[int]) -> None:
        np.minimum(wrong, ((candidates - np.array(colour, np.float32)[:, None]) ** 2).sum(0), out=wrong)

    for colour in chosen:
        account(colour)
    while len(chosen) < CLEAR and wrong.any():
        red, green, blue = candidates[:, (wrong * weight).argmax()]
        chosen.append((int(red), int(green), int(blue)))
        account(chosen[-1])
    return chosen


class Palette:
    """Some colours, and which of them is nearest to any other: a question of the colour alone, so what stands still keeps its look."""

    def __init__(self, chosen: Sequence[Colour]):
        self.colours = np.array(chosen, np.uint8)
        self.table = np.zeros(1 << 24, np.uint8)  # for each colour there is: 0 where nobody asked yet, else the index and 1

    def nearest(self, pixels: np.ndarray) -> np.ndarray:
        """The index of the nearest colour for each of the pixels (n, 3); the first of those equally near."""
        code = codes(pixels)
        found = self.table.take(code)
        if not found.all():
            self._learn(np.unique(code[found == 0]))
            found = self.table.take(code)
        return found - np.uint8(1)

    def _learn(self, code: np.ndarray) -> None:
        mine = self.colours.astype(np.float32)
        lengths = (mine**2).sum(1)
        for part in np.split(code, range(256, code.size, 256)):  # small enough for a processor's cache, and for one thread
            # the squared distance without what all have in common: whole numbers below 2^24, so nothing is rounded
            self.table[part] = (lengths - 2 * colours(part).T @ mine.T).argmin(1) + 1

    def bytes(self) -> bytes:
        """The colour table of the file: 256 places, the last of which is never seen."""
        return self.colours.tobytes().ljust(3 * 256, b"\0")


def touched(now: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The pixels of two flat pictures that lie in words of eight bytes that differ, in order: few more than differ, and found sooner."""
    word = np.flatnonzero(now.view(np.uint64) != last.view(np.uint64))
    pixel = ((8 * word[:, None] + [0, 3, 6, 7]) // 3).ravel()  # a word has a part in three pixels or four
    return pixel[np.diff(pixel, prepend=-1) > 0]


def boxes(frames: Iterable[np.ndarray], size: tuple[int, int], palette: Palette,
          clear: np.ndarray | None = None) -> Iterator[tuple[int, int, np.ndarray]]:
    """Left, top and the indices of the box that changes from frame to frame, CLEAR where it does not; the first is whole, but for what is clear."""
    width, height = size
    area = width * height
    now, last = np.zeros((2, -(-3 * area // 8) * 8), np.uint8)  # whole words
    shown: np.ndarray | None = None
    for frame in frames:
        now, last = last, now
        picture = now[:3 * area].reshape(height, width, 3)
        picture[:] = frame
        if shown is None:
            shown = palette.nearest(picture.reshape(-1, 3))
            box = shown.reshape(height, width).copy()
            if clear is not None:
                box[clear] = CLEAR
            yield 0, 0, box
            continue
        pixel = touched(now, last)
        pixel = pixel[:np.searchsorted(pixel, area)]  # the last word may reach beyond the picture
        index = palette.nearest(picture.reshape(-1, 3)[pixel])
        seen = index != shown[pixel]
        pixel, index = pixel[seen], index[seen]
        shown[pixel] = index
        if not pixel.size:  # such a frame has its time, too
            yield 0, 0, np.full((1, 1), CLEAR, np.uint8)
            continue
        row, column = np.divmod(pixel, width)
        top, left = int(row[0]), int(column.min())
        box = np.full((row[-1] - top + 1, column.max() - left + 1), CLEAR, np.uint8)
        box[row - top, column - left] = index
        yield left, top, box


def gif(frames: Iterable[np.ndarray], size: tuple[int, int], fps: float, pinned: Sequence[Colour] = (), loop: int | None = 0,
        sample: np.ndarray | None = None, clear: np.ndarray | None = None, comment: str = "", hold: float = 0.0) -> Iterator[bytes]:
    """The file in pieces, one a frame, for frames (height, width, 3) of bytes that may be drawn over each other; size is (width, height).

    The palette holds the `pinned` colours and is chosen for the first frame and for `sample`, a picture that has all that will be drawn.
    Pixels that are `clear` (height, width) are transparent, and must never change: what was painted can only be painted over.
    The animation begins again `loop` times, 0 is for ever, and None plays it once; its last frame stays for `hold` seconds or more. A comment is
    read by no player.
    """
    width, height = size

    def checked() -> Iterator[np.ndarray]:
        for frame in frames:
            if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
                raise ValueError(f"a frame is {frame.shape} of {frame.dtype}, not {(height, width, 3)} of uint8")
            yield frame

    source = checked()
    first = next(source, None)
    if first is None:
        raise Refused(T("there is no frame to make a GIF of; ask for one step or more",
                        "нет ни одного кадра для GIF; задайте хотя бы один шаг"))
    pictures = [first] if sample is None else [first, sample]
    palette = Palette(choose(np.concatenate([picture.reshape(-1, 3) for picture in pictures]), pinned))

    def pieces() -> Iterator[bytes]:
        yield b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette.bytes()
        if loop is not None:
            yield b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0"
        if comment:
            text = comment.encode("ascii", "replace")
            parts = [text[k:k + 255] for k in range(0, len(text), 255)]
            yield b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
        images = boxes(chain([first], source), size, palette, clear)
        image: tuple[int, int, np.ndarray] | None = next(images)
        while image is not None:
            (left, top, box), image = image, next(images, None)
            rest = delay(fps) if image else max(delay(fps), round(100 * hold))
            control = struct.pack("<4BH2B", 0x21, 0xF9, 4, 4 | (CLEAR in box), rest, CLEAR, 0)
            descriptor = struct.pack("<B4HB", 0x2C, left, top, *box.shape[::-1], 0)
            yield control + descriptor + b"\x08" + Image.fromarray(box).tobytes("gif", "L") + b"\0"
        yield b";"

    return pieces()
