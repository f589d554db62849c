"""Messages of the stage of a network, made of a training."""

import json
import struct

import numpy as np

from optviz.palette import COLOURS, THEMES
from optviz.render.wire import ALIGNED, Arrays
from optviz.render.words import NETWORK

CODES = {"linear": "z => z", "tanh": "z => Math.tanh(z)", "relu": "z => Math.max(z, 0)", "prelu": "(z, alpha) => z > 0 ? z : alpha * z",
         "sigmoid": "z => 1 / (1 + Math.exp(-z))", "maxout": "z => z"}


def message(trainer, run="a", first=0, last=None, state="running", sentence=None, look=None, language="en", take=0, flat=True, heard=None):
    """What the stage is told: the frames of a training from `first` up to `last`."""
    v, net, kept, arrays = trainer.values, trainer.net, trainer.kept[first:last], Arrays()
    X, y = trainer.examples
    figures = np.array([trainer.rows[passes] for passes, *_ in kept]).T
    running = None if trainer.running is None else np.array([np.concatenate([np.ravel(m) for of in moments for m in of]) for *_, moments in kept])
    head = {
        "run": run, "take": take, "heard": heard, "kind": v["data"].kind, "labels": [str(name) for name in trainer.labels], "inputs": X.shape[1], "box": v["data"].box if flat else None,
        "points": {"x": arrays.put(X[:, 0]), "y": arrays.put(X[:, 1]), "label": arrays.put(y.ravel()), "train": min(trainer.count, len(X))} if flat else None,
        "net": {"widths": net.widths, "batchnorm": net.batchnorm, "layernorm": net.layernorm, "residual": net.residual, "bias": net.bias,
                "layers": [{"activation": a.key, "code": CODES[a.key], "pieces": net.pieces(i), "learned": a.learned[0] if a.learned else None}
                           for i, a in enumerate(net.activations)],
                "blocks": [[b.layer, b.kind, *b.shape, b.at.start] for b in net.blocks], "features": v["features"],
                "matrix": arrays.put(trainer.preparation.matrix, np.float64), "shift": arrays.put(trainer.preparation.shift, np.float64),
                "keep": 1 - v["dropout"] if v["dropout"] and v["dropout_form"] == "at_test" else None},
        "frames": {"first": first, "passes": [passes for passes, *_ in kept], "theta": arrays.put(np.array([theta for _, theta, _ in kept])),
                   "running": arrays.put(running), **{name: arrays.put(figures[i]) if i < len(figures) else None
                                                      for i, name in enumerate(("loss_train", "loss_val", "accuracy_train", "accuracy_val"))}},
        "epochs": v["epochs"], "state": state, "sentence": sentence, "look": look or {}, "colours": COLOURS,
        "texts": {name: getattr(text, language) for name, text in NETWORK.items()}, "themes": {name: vars(theme) for name, theme in THEMES.items()},
        "language": language,
    }
    text = json.dumps(head).encode()
    text += b" " * (-(len(text) + 8) % ALIGNED)
    return b"".join([struct.pack("<II", len(text), arrays.size), text, *arrays.parts])
