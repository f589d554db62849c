"""MP4 and WebM: what a player decodes is what was drawn. A GIF is decoded by the same library, too."""

import io
import sys

import av
import numpy as np
import pytest

import optviz as ov
from optviz.race import Entrant, Race
from optviz.render.exhibit import exhibit
from optviz.render.film import CODECS, film
from optviz.render.frames import frames
from optviz.render.options import options

RACE = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3)], steps=40)


def decoded(data):
    """The stream and its frames as RGB, by the formulas of BT.709."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        return container, stream, list(container.decode(video=0))


def rgb(frame):
    """Pixels of a frame of luma and halved chroma, without the rounding of a player."""
    width, height = frame.width, frame.height
    planes = frame.to_ndarray().astype(float)
    luma = (planes[:height] - 16) / 219
    blue, red = (p.reshape(height // 2, width // 2).repeat(2, 0).repeat(2, 1) for p in (planes[height:].ravel().reshape(2, -1) - 128) / 224)
    r, b = luma + 1.5748 * red, luma + 1.8556 * blue
    return 255 * np.clip(np.stack([r, (luma - 0.2126 * r - 0.0722 * b) / 0.7152, b], axis=2), 0, 1)


@pytest.mark.parametrize("medium", CODECS)
@pytest.mark.parametrize("fps", [25, 33, 50])
def test_a_film_shows_what_was_drawn(medium, fps):
    asked = {"size": (480, 270), "frames": 8, "fps": fps, "title": "Спуск, θ"}
    container, stream, shown = decoded(ov.render(RACE, medium=medium, **asked))
    assert len(shown) == 8 and stream.average_rate == fps
    times = [float(frame.pts * frame.time_base) for frame in shown]
    assert np.allclose(np.diff(times), 1 / fps, atol=1.1e-3), "WebM counts milliseconds"
    o = options(asked)
    for frame, pixels in zip(shown, frames(exhibit(RACE).picture(o), o.moments(40)), strict=True):
        assert abs(rgb(frame)[:270] - pixels).mean() < 2.5, "chroma is halved, and luma has 219 levels"
    told = {name.lower(): text for name, text in container.metadata.items()}
    assert told["title"] == "Спуск, θ" and Race.from_query(told["comment"]) == RACE


@pytest.mark.parametrize("medium", CODECS)
def test_what_stands_still_stays_what_it_was(medium):
    """Of the corner of the page in all frames: no flicker of the encoder's."""
    _, _, shown = decoded(ov.render(RACE, medium=medium, size=(480, 270), frames=30))
    corners = np.array([frame.to_ndarray()[:4, :4] for frame in shown], int)
    assert np.ptp(corners) <= 1


@pytest.mark.parametrize("medium", CODECS)
def test_odd_sides_are_made_even(medium):
    drawn = np.full((65, 101, 3), (18, 131, 220), np.uint8)
    _, _, (frame,) = decoded(film([drawn], (101, 65), 25, medium, {}))
    assert (frame.width, frame.height) == (102, 66) and abs(rgb(frame) - (18, 131, 220)).max() < 3


def test_a_gif_decodes_with_its_count_its_delays_and_its_loop():
    with av.open(io.BytesIO(ov.render(RACE, medium="gif", size=(320, 180), frames=12, fps=50))) as container:
        shown = list(container.decode(video=0))
        times = [float(frame.pts * frame.time_base) for frame in shown]
        assert len(shown) == 12 and np.allclose(np.diff(times), 0.02) and (shown[0].width, shown[0].height) == (320, 180)
    o = options({"size": (320, 180), "frames": 12})
    drawn = [pixels.copy() for pixels in frames(exhibit(RACE).picture(o), o.moments(40))]
    for frame, pixels in zip(shown, drawn, strict=True):
        assert abs(frame.to_ndarray(format="rgb24").astype(float) - pixels).mean() <= 1


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ov.Refused, match=r"optviz\[video\]"):
        ov.render(RACE, tmp_path / "race.mp4", frames=2)
    assert not list(tmp_path.iterdir())


def test_a_film_has_a_ground():
    with pytest.raises(ov.Refused, match="transparent"):
        ov.render(RACE, medium="mp4", transparent=True)
