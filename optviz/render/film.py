"""Frames as a film, MP4 or WebM, by PyAV (the extra `video`): its wheels bring the encoders, so no program has to be installed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..core import Refused, T


@dataclass(frozen=True)
class Codec:
    """An encoder and how carefully it works: drawings have thin lines in bright colours, which a film for photographs would blur."""

    name: str
    options: Mapping[str, str]


CODECS: Mapping[str, Codec] = {
    "mp4": Codec("libx264", {"crf": "14", "preset": "medium", "tune": "animation"}),
    "webm": Codec("libvpx-vp9", {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}),
}
BT709 = 1  # the standard that says how RGB becomes luma and chroma; players assume it for large films


def film(frames: Iterable[np.ndarray], size: tuple[int, int], fps: int, container: str, told: Mapping[str, str]) -> bytes:
    """The whole file for frames (height, width, 3) of bytes that may be drawn over each other; `told` is what a player says of it.

    Halved chroma, which every slide program plays, needs even sides: the last column and row are drawn twice where they are odd.
    """
    try:
        import av
    except ImportError:
        raise Refused(T("MP4 and WebM need PyAV: pip install 'optviz[video]'; a GIF needs nothing",
                        "для MP4 и WebM нужен PyAV: pip install 'optviz[video]'; для GIF не нужно ничего")) from None
    width, height = (side + side % 2 for side in size)
    file, codec = io.BytesIO(), CODECS[container]
    with av.open(file, "w", format=container) as out:
        out.metadata.update(told)
        stream: Any = out.add_stream(codec.name, rate=fps, options=dict(codec.options))
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "yuv420p", Fraction(1, fps)
        stream.codec_context.color_range, stream.codec_context.colorspace = 1, BT709
        stream.codec_context.color_primaries = stream.codec_context.color_trc = BT709
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.pad(pixels, ((0, height - size[1]), (0, width - size[0]), (0, 0)), "edge"), "rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", interpolation="LANCZOS")
            frame.pts, frame.time_base = i, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return file.getvalue()
