"""The words that stand in a picture and around it, and numbers as they are written there."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..core import T

WORDS: Mapping[str, T] = {
    "start": T("start", "старт"), "optimum": T("optimum", "минимум"),
    "step_of": T("step {k} of {n}", "шаг {k} из {n}"), "step_axis": T("step", "шаг"),
    "height": T("f", "f"), "slope": T("∇f", "∇f"),
    "loss": T("loss f", "значение f"), "loss_above": T("loss above the best, f − f*", "превышение над минимумом, f − f*"),
    "diverged_at": T("diverged at step {k}", "разошёлся на шаге {k}"),
}
#: What the stage says besides.
STAGE: Mapping[str, T] = {
    "stage": T("Stage: the race of the optimizers; press ? for the keys", "Сцена: гонка оптимизаторов; клавиши — по знаку ?"),
    **WORDS, "step": T("step {k}", "шаг {k}"), "rate": T("learning rate α", "скорость обучения α"),
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
    "centre": T("The whole relief again", "Весь рельеф, как вначале"),
    "relief": T("Relief", "Рельеф"), "present": T("Presentation (F)", "Во весь экран (F)"), "help": T("Keys", "Клавиши"),
    "close": T("Close", "Закрыть"),
    "keys": T("Space | play, pause\n← → | one step back, on\nHome, End | first, last step\nR | from the beginning\n1 … 9 | hide or show a trail\n"
              "Shift + arrows | move the start\nE | explain the step\nG | stability and memory\nF | presentation\n"
              "Mouse, finger | drag or click: move the start; in relief: turn, zoom; double click: as it was\n? | these keys",
              "Пробел | показать, пауза\n← → | шаг назад, вперёд\nHome, End | первый, последний шаг\nR | с начала\n1 … 9 | скрыть или показать след\n"
              "Shift + стрелки | сдвинуть старт\nE | объяснить шаг\nG | устойчивость и память\nF | во весь экран\n"
              "Мышь, палец | тянуть или щёлкнуть: сдвинуть старт; в рельефе: повернуть, приблизить; двойной щелчок — исходный вид\n? | эти клавиши"),
}
#: What the stage of a network says.
NETWORK: Mapping[str, T] = {
    "stage": T("Stage: a network in training; press ? for the keys", "Сцена: обучение сети; клавиши — по знаку ?"),
    **{name: STAGE[name] for name in ("play", "pause", "speed", "present", "help", "close")},
    "pass_of": T("pass {k} of {n}", "эпоха {k} из {n}"), "pass_axis": T("pass", "эпоха"), "playhead": T("Pass", "Эпоха"),
    "home": T("Before training (Home)", "До обучения (Home)"), "back": T("One pass back (←)", "Эпоха назад (←)"),
    "on": T("One pass on (→)", "Эпоха вперёд (→)"),
    "pin": T("Pin this run, to compare others with it (C)", "Закрепить этот запуск, чтобы сравнивать с ним другие (C)"),
    "reset": T("Back to the same first weights (R)", "Вернуть те же начальные веса (R)"),
    "seed": T("Other first weights (S)", "Другие начальные веса (S)"),
    "loss": T("loss: ― training, ┄ validation", "потеря: ― обучение, ┄ проверка"), "loss_short": T("loss", "потеря"),
    "loss_now": T("loss: ― training {train}, ┄ validation {val}", "потеря: ― обучение {train}, ┄ проверка {val}"),
    "accuracy_now": T("accuracy: ― training {train} %, ┄ validation {val} %", "доля верных: ― обучение {train} %, ┄ проверка {val} %"),
    "accuracy": T("accuracy: ― training, ┄ validation", "доля верных: ― обучение, ┄ проверка"), "accuracy_short": T("accuracy", "доля верных"),
    "train": T("Show or hide the training points (T)", "Показать или скрыть обучающие точки (T)"), "train_short": T("● training", "● обучение"),
    "val": T("Show or hide the validation points (V)", "Показать или скрыть проверочные точки (V)"), "val_short": T("◎ validation", "◎ проверка"),
    "wrong": T("Mark the points that are taken for another class", "Отметить точки, отнесённые не к своему классу"),
    "wrong_short": T("⊙ errors", "⊙ ошибки"),
    "discrete": T("Colours in steps instead of shades (D)", "Ступени цвета вместо оттенков (D)"), "discrete_short": T("in steps", "ступенями"),
    "warp": T("The plane as a layer sees it: grid lines bent through the net (W)", "Плоскость глазами слоя: сетка, изогнутая нейросетью (W)"),
    "matrix": T("Who was taken for whom: the confusion matrix (M)", "Кого за кого принимают: матрица ошибок (M)"),
    "confusion": T("Rows: the true class. Columns: the network's answer.", "Строки — верный класс, столбцы — ответ сети."),
    "train_name": T("training", "обучение"), "val_name": T("validation", "проверка"),
    "taken": T("{n} of class {truth} taken for {said}", "класс {truth} принят за {said}: {n}"),
    "numbers": T("Numbers: right in training · in validation · length of the boundary",
                 "Числа: доля верных при обучении · на проверке · длина границы"),
    "diverged_after": T("diverged after pass {k}", "разошлась после эпохи {k}"),
    "stopped_after": T("stopped after pass {k}", "остановлена после эпохи {k}"),
    "diverged_short": T("diverged", "разошлась"), "stopped_short": T("stopped", "остановлена"),
    "numbers_loss": T("Numbers: loss in training · in validation", "Числа: потеря при обучении · на проверке"),
    "layer": T("layer {n}, {width} wide", "слой {n}, ширина {width}"),
    "principal": T("principal directions 1 →, 2 ↑", "главные направления 1 →, 2 ↑"),
    "strongest": T("only the 400 strongest weights between two layers are drawn", "между слоями нарисованы только 400 сильнейших весов"),
    "no_plane": T("These data have neither a curve nor a plane to show: their inputs are more than two.",
                  "Здесь нет ни кривой, ни плоскости, которую можно показать: входов больше двух."),
    "input_named": T("input {name}", "вход {name}"), "neuron_named": T("neuron {n} of layer {layer}", "нейрон {n} слоя {layer}"),
    "output_named": T("output {name}", "выход {name}"), "output": T("output", "выход"), "class": T("class", "класс"),
    "residual": T("point {y}, residual {r}", "точка {y}, остаток {r}"),
    "share_plus": T("share, w > 0", "вклад, w > 0"), "share_minus": T("share, w < 0", "вклад, w < 0"),
    "shares": T("A share is the weight times what the neuron says; all of them and b add up to the output's sum.",
                "Вклад — это вес, умноженный на выход нейрона; все вклады и b дают в сумме аргумент активации выхода."),
    "click": T("click: show it large", "щелчок — показать крупно"),
    "hint": T("Space trains and pauses. A click on a neuron shows what it sees; drag a weight up or down.",
              "Пробел — обучать и ждать. Нейрон — щелчком, вес — потянуть вверх или вниз."),
    "hint_pen": T("The pen sets points.", "Точки ставит карандаш."),
    "pen": T("The pen: set, move and erase points (P)", "Карандаш: ставить, двигать и стирать точки (З)"),
    "pen_hint": T("Click to set a point, drag to move one, right click to erase; every change begins the training anew.",
                  "Щелчок ставит точку, правый стирает, потянув, точку двигают; с каждой правкой обучение начинается заново."),
    "undo": T("Take the last change back (Ctrl+Z)", "Отменить последнюю правку (Ctrl+Z)"), "erase": T("Eraser (X)", "Ластик (Ч)"),
    "clear": T("Erase all points", "Стереть все точки"), "less": T("A smaller value (−)", "Значение меньше (−)"),
    "greater": T("A greater value (+)", "Значение больше (+)"), "another_class": T("one more class", "ещё один класс"),
    "cut": T("Cut: make it 0", "Разорвать: сделать нулём"), "drag": T("drag up or down: change it", "потянуть вверх или вниз — изменить"),
    "type_weight": T("Its value: type a number, or use ↑ and ↓", "Значение: введите число или нажимайте ↑ и ↓"),
    "impossible_weight": T("Give a number from −1000 to 1000.", "Нужно число от −1000 до 1000."),
    "colours": T("Orange and blue are − and + in data, weights, neurons and output",
                 "Оранжевый и синий — это − и + в данных, весах, нейронах и выходе"),
    "described": T("Pass {k} of {n}. Loss {loss} on training, {loss_val} on validation.",
                   "Эпоха {k} из {n}. Потеря {loss} на обучении, {loss_val} на проверке."),
    "described_accuracy": T("Accuracy {train} and {val}.", "Доля верных {train} и {val}."),
    "described_neuron": T("The picture shows {name}.", "На картинке — {name}."),
    "described_net": T("A network of layers {widths} wide", "Сеть из слоёв шириной {widths}"),
    "keys": T("Space | train and play, pause\n← → | one pass back, on\nHome, End | before training, last pass\nR | same first weights again\n"
              "S | other first weights\nP | pen: 1 … 9 the class, X the eraser\nCtrl+Z | take a change back\n"
              "L | next weight: ↑ ↓ change it, 0 cuts it, Enter to type\n"
              "N | show the next neuron large\nW | bent grid of a layer\nM | confusion matrix\n"
              "T, V | training, validation points\nD | colours in steps\nC | pin this run, to compare\nF | presentation\n"
              "Mouse, finger | click a neuron; touch a place; drag a weight\n? | these keys",
              "Пробел | обучать и показывать, пауза\n← → | эпоха назад, вперёд\nHome, End | до обучения, последняя эпоха\nR | те же начальные веса\n"
              "S | другие начальные веса\nP (З) | карандаш: 1 … 9 — класс, X (Ч) — ластик\nCtrl+Z | отменить правку\n"
              "L (Д) | следующий вес: ↑ ↓ — изменить, 0 — разорвать, Enter — ввести\n"
              "N | следующий нейрон крупно\nW | изогнутая сетка слоя\nM | матрица ошибок\n"
              "T, V | обучающие, проверочные точки\nD | ступени цвета\nC | закрепить запуск для сравнения\nF | во весь экран\n"
              "Мышь, палец | нейрон — щелчком; место — касанием; вес — потянуть\n? | эти клавиши"),
}
#: What the stage of a sheet of charts says.
SHEET: Mapping[str, T] = {
    "stage": T("Charts; press ? for the keys", "Графики; клавиши — по знаку ?"),
    **{name: STAGE[name] for name in ("play", "pause", "speed", "playhead", "home", "back", "on", "present", "help", "close")},
    "moment": T("{unit} {k} of {n}", "{unit} {k} из {n}"), "value": T("{unit} = {k}", "{unit} = {k}"),
    "keys": T("Space | play, pause\n← → | one step back, on\nHome, End | first, last step\nF | presentation\n"
              "Mouse, finger | touch a mark to read its numbers\n? | these keys",
              "Пробел | показать, пауза\n← → | шаг назад, вперёд\nHome, End | первый, последний шаг\nF | во весь экран\n"
              "Мышь, палец | коснитесь метки, чтобы прочесть числа\n? | эти клавиши"),
}
#: The keys of charts where nothing moves.
STILL_KEYS = T(*("\n".join(words.split("\n")[3:]) for words in (SHEET["keys"].en, SHEET["keys"].ru)))
SHEET = {**SHEET, "still_keys": STILL_KEYS}
#: What a wall of several networks says.
WALL: Mapping[str, T] = {
    **{name: NETWORK[name] for name in (
        "play", "pause", "speed", "present", "help", "close", "pass_of", "pass_axis", "playhead", "home", "back", "on", "train", "train_short",
        "val", "val_short", "wrong", "wrong_short", "discrete", "discrete_short", "colours", "output", "class", "no_plane", "pin", "share_plus",
        "share_minus", "shares")},
    "stage": T("Stage: several networks in training on one playhead; press ? for the keys",
               "Сцена: несколько сетей, обучение идёт одновременно; клавиши — по знаку ?"),
    "reset": T("All back to their same first weights (R)", "Вернуть всем те же начальные веса (R)"),
    "seed": T("Other first weights for all (S)", "Другие начальные веса для всех (S)"),
    "hint": T("Space trains all of them. A click on a network opens its settings.",
              "Пробел — обучать все сразу. Щелчок по сети откроет её настройки."),
    "loss_train": T("loss on training", "потеря на обучении"), "loss_val": T("loss on validation", "потеря на проверке"),
    "accuracies": T("{train} / {val} % right", "верно {train} / {val} %"), "accuracy": T("{train} % right", "верно {train} %"),
    "losses": T("loss {train} / {val}", "потеря {train} / {val}"), "loss": T("loss {train}", "потеря {train}"),
    "length": T("boundary {length}", "граница {length}"), "length_short": T("{length}", "{length}"),
    "accuracies_short": T("{train}/{val} %", "{train}/{val} %"), "accuracy_short": T("{train} %", "{train} %"),
    "losses_short": T("{train}/{val}", "{train}/{val}"), "loss_short": T("{train}", "{train}"),
    "figures": T("Right on training / validation; length of the boundary, the picture's side being 1",
                 "Доля верных на обучении / проверке; длина границы, если сторона картинки равна 1"),
    "open": T("Open: its settings stand beside the stage", "Открыть: её настройки появятся рядом"), "drop": T("Unpin", "Открепить"),
    "described": T("Pass {k} of {n}.", "Эпоха {k} из {n}."),
    "described_cell": T("{n}: {caption}; {figures}.", "{n}: {caption}; {figures}."),
    "keys": T("Space | train and play, pause\n← → | one pass back, on\nHome, End | before training, last pass\nR | same first weights again\n"
              "S | other first weights\n1 … 9 | open a network\nT, V | training, validation points\nD | colours in steps\n"
              "C | pin this run, to compare\nF | presentation\nMouse, finger | click a network; touch a place\n? | these keys",
              "Пробел | обучать и показывать, пауза\n← → | эпоха назад, вперёд\nHome, End | до обучения, последняя эпоха\nR | те же начальные веса\n"
              "S | другие начальные веса\n1 … 9 | открыть сеть\nT, V | обучающие, проверочные точки\nD | ступени цвета\n"
              "C | закрепить запуск для сравнения\nF | во весь экран\nМышь, палец | сеть — щелчком; место — касанием\n? | эти клавиши"),
}


def _replayed(words: str, first: str, last: str) -> str:
    """The keys of a stage without those that ask somebody for more."""
    return "\n".join([first, *(line for line in words.split("\n")[1:-2] if line[0] not in "RSPCL1"), last, words.split("\n")[-1]])


#: What they say in a slide, where nobody trains.
REPLAY: Mapping[str, T] = {
    "hint": T("Space plays and pauses. A click on a neuron shows what it sees; a weight under the pointer tells its value.",
              "Пробел — показывать и ждать. Щелчок по нейрону покажет, что он видит; вес под указателем назовёт своё значение."),
    "keys": T(_replayed(NETWORK["keys"].en, "Space | play, pause", "Mouse, finger | click a neuron; touch a place or a weight"),
              _replayed(NETWORK["keys"].ru, "Пробел | показывать, пауза", "Мышь, палец | нейрон — щелчком; место или вес — касанием")),
}
WALL_REPLAY: Mapping[str, T] = {
    "hint": T("Space plays and pauses. A place under the pointer tells what its network says.",
              "Пробел — показывать и ждать. Место под указателем назовёт ответ своей сети."),
    "keys": T(_replayed(WALL["keys"].en, "Space | play, pause", "Mouse, finger | touch a place"),
              _replayed(WALL["keys"].ru, "Пробел | показывать, пауза", "Мышь, палец | место — касанием")),
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
