"""The words that stand in a picture and around it, and numbers as they are written there."""

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
#: What the stage says besides.
STAGE: Mapping[str, T] = {
    "stage": T("Stage: the race of the optimizers; press ? for the keys", "Сцена: гонка оптимизаторов; клавиши — по знаку ?"),
    **WORDS, "step": T("step {k}", "шаг {k}"),
    "sensitive": T("Sensitive to the last bit: {names}. A rounding error sends this run elsewhere.",
                   "Чувствительно к последнему биту: {names}. Ошибка округления уводит спуск в другое место."),
    "no_relief": T("This browser offers no WebGL 2, so the picture stays flat.", "В этом браузере нет WebGL 2, поэтому картинка остаётся плоской."),
    "described": T("Step {k} of {n}, start {start}.", "Шаг {k} из {n}, старт {start}."),
    "following": T("The view follows {name}", "Вид следует за: {name}"), "following_nobody": T("The view stands still", "Вид неподвижен"),
    "playhead": T("Step", "Шаг"), "speed": T("Speed", "Скорость показа"), "mute": T("Show or hide", "Показать или скрыть"),
    "play": T("Play (space)", "Показать (пробел)"), "pause": T("Pause (space)", "Пауза (пробел)"),
    "home": T("To the start (Home)", "В начало (Home)"), "back": T("One step back (←)", "Шаг назад (←)"),
    "on": T("One step on (→)", "Шаг вперёд (→)"),
    "explain": T("Explain the step (E)", "Объяснить шаг (E)"), "explained": T("Whose step", "Чей шаг"),
    "one_step": T("step {k} → {n}", "шаг {k} → {n}"),
    "rates": T("how far each coordinate goes for a gradient of 1", "шаг каждой координаты при градиенте 1"),
    "gauges": T("Stability and memory (G)", "Устойчивость и память (G)"), "whose": T("Whose readouts: the next one", "Чьи показания: следующий"),
    "limit": T("stability limit", "порог устойчивости"), "no_limit": T("no fixed limit", "постоянного порога нет"),
    "own_rates": T("D: each coordinate's own rate, which changes from step to step", "D — свой шаг каждой координаты; он меняется по ходу спуска"),
    "memory": T("memory of momentum", "память импульса"), "older": T("← older", "← раньше"),
    "held": T("the last {n} hold {p} %", "последние {n} хранят {p} %"), "held_one": T("the last one holds {p} %", "последний хранит {p} %"),
    "feet": T("Adam's first {n} steps", "первые {n} шагов Adam"), "corrected": T("with correction", "с поправкой"),
    "uncorrected": T("without correction", "без поправки"),
    "no_gauges": T("This method has neither a limit for its rate nor a memory to show.",
                   "У этого метода нет ни порога для скорости, ни памяти, которую можно показать."),
    "loop": T("Repeat without end", "Повторять по кругу"), "follow": T("Follow a head", "Следовать за точкой"),
    "relief": T("Relief", "Рельеф"), "present": T("Presentation (F)", "Во весь экран (F)"), "help": T("Keys", "Клавиши"),
    "close": T("Close", "Закрыть"),
    "keys": T("Space | play, pause\n← → | one step back, on\nHome, End | first, last step\nR | from the beginning\n1 … 9 | hide or show a trail\n"
              "Shift + arrows | move the start\nE | explain the step\nG | stability and memory\nF | presentation\n"
              "Mouse, finger | drag or click: move the start; in relief: turn, zoom\n? | these keys",
              "Пробел | показать, пауза\n← → | шаг назад, вперёд\nHome, End | первый, последний шаг\nR | с начала\n1 … 9 | скрыть или показать след\n"
              "Shift + стрелки | сдвинуть старт\nE | объяснить шаг\nG | устойчивость и память\nF | во весь экран\n"
              "Мышь, палец | тянуть или щёлкнуть: сдвинуть старт; в рельефе: повернуть, приблизить\n? | эти клавиши"),
}
#: What a slide says besides.
SLIDE: Mapping[str, T] = {
    "reset": T("Reset: the author's start and settings", "Вернуть старт и настройки автора"),
    "only_python": T("only Python can run it from here", "отсюда его может запустить только Python"),
    "away": T("The numbers belong to the author's start and settings; Reset brings them back.",
              "Эти числа относятся к старту и настройкам автора; их вернёт кнопка сброса."),
    "waiting": T("This slide needs JavaScript and a browser from 2023 or later.", "Для этого слайда нужны JavaScript и браузер 2023 года или новее."),
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
