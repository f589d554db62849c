"""The words that stand in a picture, and numbers as they are written in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..core import T

WORDS: Mapping[str, T] = {
    "start": T("start", "старт"), "optimum": T("optimum", "минимум"),
    "step_of": T("step {k} of {n}", "шаг {k} из {n}"), "step_axis": T("step", "шаг"),
    "loss": T("loss f", "значение f"), "loss_above": T("loss above the best, f − f*", "превышение над минимумом, f − f*"),
    "diverged_at": T("diverged at step {k}", "разошёлся на шаге {k}"),
}


def power(p: int) -> str:
    """10⁻³"""
    return "10" + str(p).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def digits(value: float, n: int = 3) -> str:
    """A few significant digits, as the stage prints them: 0.00123, 1.23·10⁻⁵."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-3 <= size < 1e5:
        return (str(round(value)) if size >= 10 ** (n - 1) else f"{float(f'{value:.{n}g}'):g}").replace("-", "−")
    mantissa, exponent = f"{value:.{n - 1}e}".split("e")
    return f"{float(mantissa):g}·".replace("-", "−") + power(int(exponent))
