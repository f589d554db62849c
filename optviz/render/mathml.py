"""LaTeX as MathML, which a browser draws by itself; the places of numbers stay open, so that a page can fill them in at every frame."""

from __future__ import annotations

import re
from functools import lru_cache

from latex2mathml.converter import convert

OPENED, CLOSED = '<mrow><mo fence="true">(</mo>', '<mo fence="true">)</mo></mrow>'


@lru_cache(maxsize=512)
def mathml(latex: str, shapes: tuple[tuple[int, ...], ...] = ()) -> str:
    """A formula; ⟦3⟧ in it becomes the place of the third value, a column or a matrix where its shape is one; \\textcolor{#r2} the class r2."""
    text = convert(latex).replace('display="inline"', 'displaystyle="true"')
    text = re.sub(r'mathcolor="#(r\d+)"', r'class="\1"', text)
    return re.sub(r"<mtext>⟦(\d+)⟧</mtext>", lambda found: _place(int(found[1]), shapes[int(found[1])]), text)


def _place(j: int, shape: tuple[int, ...]) -> str:
    """Where the numbers of one value go."""
    if not shape:
        return f'<mn data-value="{j}" data-part="0"></mn>'
    columns = shape[1] if len(shape) > 1 else 1
    rows = ["".join(f'<mtd><mn data-value="{j}" data-part="{i * columns + k}"></mn></mtd>' for k in range(columns)) for i in range(shape[0])]
    return f"{OPENED}<mtable>{''.join(f'<mtr>{row}</mtr>' for row in rows)}</mtable>{CLOSED}"
