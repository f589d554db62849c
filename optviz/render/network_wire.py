"""A NetworkScene as bytes for the network's stage, in the same wrapping as a Scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network_scene import Dots, Frames, NetworkScene
from ..palette import COLOURS, THEMES
from .wire import Arrays


def pack_network(scene: NetworkScene, language: str, texts: Mapping[str, str], take: int = 0) -> bytes:
    """The scene, the words around it in one language, and the colours of both themes; another `take` plays from the beginning."""
    arrays = Arrays()
    return arrays.message({
        "run": scene.run, "take": take, "kind": scene.kind, "labels": scene.labels, "inputs": scene.inputs, "box": scene.box,
        "points": scene.points and _points(scene.points, arrays), "net": _net(scene, arrays), "frames": _frames(scene.frames, arrays),
        "epochs": scene.epochs, "state": scene.state, "sentence": scene.sentence and getattr(scene.sentence, language), "look": scene.look,
        "colours": COLOURS, "texts": texts, "themes": {name: vars(theme) for name, theme in THEMES.items()}, "language": language,
    })


def _points(points: Dots, arrays: Arrays) -> dict[str, Any]:
    return {"x": arrays.put(points.x), "y": arrays.put(points.y), "label": arrays.put(points.label), "train": points.train}


def _net(scene: NetworkScene, arrays: Arrays) -> dict[str, Any]:
    """The shape of the network, and what is done to a point before it is shown it."""
    net, prepared = scene.net, scene.preparation if scene.points else None  # of more than two inputs nothing is asked at a place
    return {
        "widths": net.widths, "batchnorm": net.batchnorm, "layernorm": net.layernorm, "residual": net.residual, "bias": net.bias,
        "layers": [{"activation": a.key, "code": code, "pieces": net.pieces(i), "learned": a.learned[0] if a.learned else None}
                   for i, (a, code) in enumerate(zip(net.activations, scene.code, strict=True))],
        "blocks": [[b.layer, b.kind, *b.shape, b.at.start] for b in net.blocks], "features": scene.features,
        "matrix": prepared and arrays.put(prepared.matrix, np.float64), "shift": prepared and arrays.put(prepared.shift, np.float64),
        "keep": scene.keep,
    }


def _frames(frames: Frames, arrays: Arrays) -> dict[str, Any]:
    return {"first": frames.first, "passes": frames.passes, "theta": arrays.put(frames.theta), "running": arrays.put(frames.running),
            **{name: arrays.put(getattr(frames, name)) for name in ("loss_train", "loss_val", "accuracy_train", "accuracy_val")}}
