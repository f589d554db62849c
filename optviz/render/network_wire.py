"""A NetworkScene, or a wall of them, as bytes for the stages of networks, in the same wrapping as a Scene."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network_scene import Dots, Frames, NetworkScene
from ..palette import COLOURS, THEMES
from ..wall import WallScene
from .wire import Arrays


def pack_network(scene: NetworkScene, language: str, texts: Mapping[str, str], take: int = 0, heard: int | None = None) -> bytes:
    """The scene, the words around it in one language, and the colours of both themes; another `take` plays from the beginning, and
    `heard` is the number of the last word of the stage's that was heard."""
    arrays = Arrays()
    return arrays.message({
        **_head(scene, arrays, language), "take": take, "heard": heard, "points": scene.points and _points(scene.points, arrays),
        "net": _net(scene, arrays), "epochs": scene.epochs, "look": scene.look, **_around(language, texts),
    })


def pack_wall(scene: WallScene, language: str, texts: Mapping[str, str], take: int = 0, heard: int | None = None) -> bytes:
    """The same of a wall; points and shapes of networks that several cells share travel once."""
    arrays, points, nets = Arrays(), dict[str, int](), dict[str, int]()

    def shared(known: dict[str, int], what: Mapping[str, Any] | None) -> int | None:
        return None if what is None else known.setdefault(json.dumps(what), len(known))
    cells = [{**_head(cell, arrays, language), "caption": getattr(caption, language), "net": shared(nets, _net(cell, arrays)),
              "points": shared(points, _points(cell.points, arrays) if cell.points else None)}
             for cell, caption in zip(scene.cells, scene.captions, strict=True)]
    return arrays.message({
        "take": take, "heard": heard, "cells": cells, "points": [json.loads(text) for text in points], "nets": [json.loads(text) for text in nets],
        "columns": scene.columns, "rowHeads": [getattr(head, language) for head in scene.row_heads],
        "columnHeads": [getattr(head, language) for head in scene.column_heads], "epochs": scene.epochs, "state": scene.state, "chosen": scene.chosen,
        "loose": scene.loose, "look": scene.look, **_around(language, texts),
    })


def _head(scene: NetworkScene, arrays: Arrays, language: str) -> dict[str, Any]:
    """What is a network's own."""
    return {"run": scene.run, "kind": scene.kind, "labels": scene.labels, "inputs": scene.inputs, "box": scene.box,
            "frames": _frames(scene.frames, arrays), "state": scene.state, "sentence": scene.sentence and getattr(scene.sentence, language)}


def _around(language: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """What does not depend on networks."""
    return {"colours": COLOURS, "texts": texts, "themes": {name: vars(theme) for name, theme in THEMES.items()}, "language": language}


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
