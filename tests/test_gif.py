"""The GIF: what Pillow decodes is what was drawn in the nearest colours of the palette, and a frame stores only what changed."""

import io
import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from optviz.core import Refused
from optviz.palette import COLOURS, THEMES
from optviz.render.gif import CLEAR, Palette, boxes, choose, delay, gif

SIZE = 320, 180


def rgb(colour):
    return tuple(int(colour[k:k + 2], 16) for k in (1, 3, 5))


def stroke(picture, start, end, colour, width=2.5):
    """An antialiased line with round ends."""
    left, top = (int(max(0, min(a, b) - 3)) for a, b in zip(start, end, strict=True))
    right, bottom = (int(max(a, b) + 4) for a, b in zip(start, end, strict=True))
    picture = picture[top:bottom, left:right]
    y, x = np.mgrid[:picture.shape[0], :picture.shape[1]] + np.array([top, left])[:, None, None]
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy or 1), 0, 1)
    cover = np.clip(width / 2 + 0.5 - np.hypot(x - start[0] - along * dx, y - start[1] - along * dy), 0, 1)[..., None]
    picture[:] = np.rint(picture + (np.array(colour) - picture) * cover)


def write(picture, place, words, colour):
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text(place, words, fill=colour, font=ImageFont.load_default(16))
    picture[:] = np.asarray(image)


def movie(theme, count=16):
    """18 bands with isolines, trails that grow beside curves that grow, a counter; one array, drawn over each time."""
    width, height = SIZE
    t = THEMES[theme]
    x, y = np.meshgrid(np.linspace(-2, 2, width), np.linspace(1.5, -1.5, height))
    level = 17.99 * (np.sqrt(x**2 + 2 * y**2 + np.sin(3 * x)**2) / 3.2).clip(0, 1)
    valley, peak, isoline = (np.array(rgb(c)) for c in (t.valley, t.peak, t.isoline))
    ground = valley + (peak - valley) * (level.astype(int) / 17)[..., None]
    slope = np.hypot(*np.gradient(level)).clip(1e-9)
    ground += (isoline - ground) * (np.clip(1 - abs(level - np.round(level)) / slope, 0, 1) * 0.8)[..., None]
    layer = np.rint(ground).astype(np.uint8)
    layer[20:-20, 220:-10] = rgb(t.card)
    write(layer, (8, 4), "start, lr = 0.1", rgb(t.ink))
    shown = layer.copy()
    for step in range(count):
        for k, colour in enumerate(COLOURS):
            ends = (step / count, (step + 1) / count)
            stroke(layer, *((20 + 180 * s, 30 + 10 * k + 70 * s ** (0.3 + k / 4)) for s in ends), rgb(colour))
            stroke(layer, *((225 + 80 * s, 30 + 10 * k + 40 * s) for s in ends), rgb(colour), 2)
        shown[:] = layer
        write(shown, (240, 160), f"step {step}", rgb(t.ink))
        yield shown


# --- two readers: how the file is stored, and the pictures that it stands for -----------------------------------------------------


@dataclass
class Stored:
    """An image of the file."""

    delay: int
    flags: int  # 4 leaves the image where it is, 1 lets CLEAR show what was there
    left: int
    top: int
    width: int
    height: int
    size: int  # bytes


def chunks(file):
    """Blocks of up to 255 bytes, until an empty one."""
    while size := file.read(1)[0]:
        yield file.read(size)


def parse(data):
    """The palette, the other extensions than those of images, the images."""
    file, extensions, images = io.BytesIO(data), [], []
    head = file.read(13)
    assert (head[:6], head[10]) == (b"GIF89a", 0xF7), "one palette of 256 colours"
    palette = np.frombuffer(file.read(768), np.uint8).reshape(256, 3)
    while (kind := file.read(1)) != b";":
        if kind == b"!":
            label, found = file.read(1), list(chunks(file))
            if label == b"\xf9":
                flags, delay, clear = struct.unpack("<BHB", *found)
                assert clear == CLEAR
            else:
                extensions.append((label, *found))
        else:
            assert kind == b","
            *box, own = struct.unpack("<4HB", file.read(9))
            assert (own, file.read(1)) == (0, b"\x08"), "no palette of its own, eight bits"
            images.append(Stored(delay, flags, *box, size=sum(map(len, chunks(file)))))
    assert file.read() == b""
    return palette, extensions, images


def decode(data):
    """What a viewer shows, and for how many milliseconds each."""
    shown, stays = [], []
    with Image.open(io.BytesIO(data)) as image:
        for k in range(image.n_frames):
            image.seek(k)
            shown.append(np.asarray(image.convert("RGB")))
            stays.append(image.info["duration"])
    return shown, stays


def made(frames):
    """The images and the pictures of a file for frames of one size and few colours."""
    data = b"".join(gif(frames, frames[0].shape[1::-1], 25, sample=np.concatenate(frames)))
    return parse(data)[2], decode(data)[0]


def nearest(palette, frame):
    """Each pixel of one or many frames in the first of the nearest colours, by the definition."""
    code, where = np.unique(frame @ np.array([65536, 256, 1]), return_inverse=True)
    squares = ((np.stack([code >> 16, code >> 8 & 255, code & 255], 1)[:, None] - np.array(palette, int)) ** 2).sum(2)
    return np.array(palette, np.uint8)[squares.argmin(1)][where.ravel()].reshape(frame.shape)


def smallest_box(before, after):
    """Left, top, width and height of what differs; one pixel where nothing does."""
    y, x = np.nonzero((before != after).any(2))
    return (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1) if x.size else (0, 0, 1, 1)


def stored_box(image):
    return image.left, image.top, image.width, image.height


# --- a film ------------------------------------------------------------------------------------------------------------------------


@dataclass
class Film:
    """A realistic animation, and what became of it."""

    frames: list
    pinned: list
    data: bytes

    def __post_init__(self):
        self.palette, self.extensions, self.images = parse(self.data)
        self.shown, self.stays = decode(self.data)


@pytest.fixture(scope="module", params=THEMES)
def film(request):
    frames = [frame.copy() for frame in movie(request.param)]
    pinned = [rgb(c) for c in (*COLOURS, THEMES[request.param].page, THEMES[request.param].ink)]
    return Film(frames, pinned, b"".join(gif(movie(request.param), SIZE, 25, pinned, sample=frames[-1])))


def test_every_frame_shows_the_nearest_colours(film):
    assert len(film.shown) == len(film.frames)
    colours = choose(np.concatenate([film.frames[0], film.frames[-1]]).reshape(-1, 3), film.pinned)
    assert film.palette[:len(colours)].tolist() == [list(c) for c in colours]
    assert np.array_equal(film.shown, nearest(colours, np.array(film.frames)))


def test_the_colours_are_those_that_were_drawn(film):
    assert [c for c in film.pinned if list(c) not in film.palette[:CLEAR].tolist()] == []
    for frame, shown in zip(film.frames, film.shown, strict=True):
        wrong = np.abs(shown.astype(int) - frame)
        assert wrong.mean() < 0.5
        assert wrong[np.ptp(frame, axis=2) > 60].mean() < 3, "lines, and the edges of lines"


def test_what_stands_still_does_not_flicker(film):
    still = np.all([np.all(frame == film.frames[0], axis=2) for frame in film.frames], axis=0)
    assert 0.5 < still.mean() < 1
    assert all(np.array_equal(shown[still], film.shown[0][still]) for shown in film.shown)


def test_a_frame_stores_the_box_that_changes(film):
    assert stored_box(film.images[0]) == (0, 0, *SIZE)
    for image, before, after in zip(film.images[1:], film.shown, film.shown[1:], strict=False):
        assert stored_box(image) == smallest_box(before, after)
    assert np.mean([image.width * image.height for image in film.images[1:]]) < 0.8 * SIZE[0] * SIZE[1]
    assert {image.flags for image in film.images[1:]} == {5}
    assert film.images[0].flags == 4


def test_the_file_is_small(film):
    def theirs(frames):
        file = io.BytesIO()
        first, *others = map(Image.fromarray, frames)
        first.save(file, "GIF", save_all=True, append_images=others, duration=40, loop=0)
        return file.tell()

    assert len(film.data) < theirs(film.frames) / 3
    assert sum(image.size for image in film.images[1:]) < (theirs(film.frames) - theirs(film.frames[:1])) / 6


def test_the_file_comes_in_pieces_while_it_is_drawn():
    drawn = []

    def drawing():
        for k in range(5):
            drawn.append(k)
            yield np.full((4, 6, 3), 40 * k, np.uint8)

    pieces = gif(drawing(), (6, 4), 25)
    counts = [len(drawn) for _ in pieces]
    assert counts[0] == 1
    assert max(np.diff(counts)) == 1
    assert counts[-1] == 5


# --- boxes -------------------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_any_change_of_any_size_is_shown_and_no_more_is_stored(width, height, seed):
    rng = np.random.default_rng(seed)
    frames = [rng.choice(np.array([0, 1, 90, 255], np.uint8), (height, width, 3))]
    for _ in range(4):
        frames.append(frames[-1].copy())
        for _ in range(rng.integers(3)):
            frames[-1][rng.integers(height), rng.integers(width)] = frames[0][rng.integers(height), rng.integers(width)]
    images, shown = made(frames)
    assert np.array_equal(shown, frames)
    assert [stored_box(image) for image in images[1:]] == [smallest_box(a, b) for a, b in pairwise(frames)]


def test_a_box_stays_what_it_was():
    frames = [np.full((2, 3, 3), grey, np.uint8) for grey in (0, 90)]
    assert [box.tolist() for *_, box in list(boxes(frames, (3, 2), Palette([(0, 0, 0), (90, 90, 90)])))] == [[[0] * 3] * 2, [[1] * 3] * 2]


def test_one_channel_of_the_last_pixel_is_a_change():
    for channel in range(3):
        frames = np.zeros((2, 5, 7, 3), np.uint8)
        frames[1, -1, -1, channel] = 200
        images, shown = made(frames)
        assert np.array_equal(shown, frames)
        assert stored_box(images[1]) == (6, 4, 1, 1)


def test_what_does_not_change_inside_the_box_costs_nearly_nothing():
    frames = np.stack([np.random.default_rng(0).choice(np.arange(0, 250, 50, np.uint8), (100, 200, 3))] * 2)
    frames[1, [0, -1], [0, -1]] = 250
    images, shown = made(frames)
    assert np.array_equal(shown, frames)
    assert stored_box(images[1]) == (0, 0, 200, 100)
    assert images[1].size < images[0].size / 40


def test_a_frame_that_changes_nothing_has_its_time():
    frames = [np.full((10, 20, 3), grey, np.uint8) for grey in (9, 9, 9, 200, 200)]
    data = b"".join(gif(frames, (20, 10), 25, sample=frames[-1]))
    images, (shown, stays) = parse(data)[2], decode(data)
    assert np.array_equal(shown, frames)
    assert stays == [40] * 5
    assert [stored_box(image) for image in images] == [(0, 0, 20, 10), (0, 0, 1, 1), (0, 0, 1, 1), (0, 0, 20, 10), (0, 0, 1, 1)]


def test_frames_may_change_everywhere_and_in_colours_that_nobody_chose():
    frames = np.random.default_rng(1).integers(0, 256, (3, 60, 91, 3), np.uint8)
    data = b"".join(gif(frames, (91, 60), 25))
    colours = parse(data)[0][:CLEAR]
    assert len(np.unique(colours, axis=0)) == CLEAR
    assert np.array_equal(decode(data)[0], nearest(colours, frames))


def test_frames_may_be_views():
    wide = np.random.default_rng(2).choice(np.array([0, 80, 255], np.uint8), (3, 12, 10, 4))
    views = [wide[0, ..., :3], wide[1, ::-1, :, :3], wide[2].transpose(1, 0, 2)[:10, :10, 2::-1].repeat(2, axis=0)[:12]]
    assert np.array_equal(made(views)[1], views)


# --- colours -----------------------------------------------------------------------------------------------------------------------


def test_few_colours_are_all_kept():
    pixels = np.random.default_rng(3).integers(0, 256, (200, 3), np.uint8)
    assert set(choose(pixels)) == set(map(tuple, pixels.tolist()))
    assert choose(pixels[:1], [(1, 2, 3), (4, 5, 6), (1, 2, 3)]) == [(1, 2, 3), (4, 5, 6), tuple(pixels[0].tolist())]


def test_many_colours_are_stood_for_and_a_frequent_one_is_kept():
    pixels = np.random.default_rng(4).integers(0, 256, (100_000, 3), np.uint8)
    pixels[:4000] = 201, 77, 13
    colours = choose(pixels, [(3, 3, 3)])
    assert len(colours) == len(set(colours)) == CLEAR
    assert colours[0] == (3, 3, 3)
    assert (201, 77, 13) in colours
    assert np.abs(nearest(colours, pixels[::50]).astype(int) - pixels[::50]).mean() < 14


def test_a_palette_holds_so_many_pinned_colours_and_no_more():
    greys = [(k, k, k) for k in range(CLEAR)]
    assert choose(np.zeros((1, 3), np.uint8), greys) == greys
    with pytest.raises(ValueError, match="256 colours are pinned"):
        choose(np.zeros((1, 3), np.uint8), [*greys, (1, 2, 3)])


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=CLEAR, unique=True), st.integers(0, 2**32 - 1))
def test_the_nearest_colour_is_the_nearest(colours, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (300, 3), np.uint8)
    pixels[:len(colours)] = colours[:300]
    palette = Palette(colours)
    for _ in range(2):  # found, then remembered
        assert np.array_equal(palette.colours[palette.nearest(pixels)], nearest(colours, pixels))


# --- time, and what cannot be ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fps", "hundredths"), [(50, 2), (33, 3), (25, 4), (20, 5), (10, 10), (30, 3), (24, 4), (15, 7), (1, 100), (60, 2), (1000, 2)])
def test_delays_are_whole_hundredths_that_browsers_keep(fps, hundredths):
    assert delay(fps) == hundredths
    data = b"".join(gif(np.zeros((3, 2, 2, 3), np.uint8), (2, 2), fps))
    assert [image.delay for image in parse(data)[2]] == [hundredths] * 3
    assert decode(data)[1] == [10 * hundredths] * 3


@pytest.mark.parametrize(("loop", "stored"), [(0, [(b"\xff", b"NETSCAPE2.0", b"\x01\x00\x00")]), (3, [(b"\xff", b"NETSCAPE2.0", b"\x01\x03\x00")]), (None, [])])
def test_it_plays_for_ever_or_so_many_times(loop, stored):
    data = b"".join(gif([np.zeros((1, 1, 3), np.uint8)], (1, 1), 25, loop=loop))
    assert parse(data)[1] == stored
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.info.get("loop")) == ((1, 1), loop)


def test_no_frames_are_refused_before_anything_is_written():
    with pytest.raises(Refused, match="no frame") as refusal:
        gif([], (2, 2), 25)
    assert "кадр" in refusal.value.text.ru


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 4), np.uint8), np.zeros((3, 2, 3))])
def test_a_frame_of_another_size_or_kind_is_an_error(wrong):
    with pytest.raises(ValueError, match=r"not \(3, 2, 3\) of uint8"):
        gif([wrong], (2, 3), 25)
    with pytest.raises(ValueError, match=r"not \(3, 2, 3\) of uint8"):
        list(gif([np.zeros((3, 2, 3), np.uint8), wrong], (2, 3), 25))
