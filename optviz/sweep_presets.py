"""Maps worth showing: each with what to do and what can then be seen; tests/test_sweep_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import Registry, T
from .hunt import Hunt
from .run import Run
from .study import Study
from .surfaces import surfaces
from .sweep import Sweep


@dataclass(frozen=True)
class View:
    """A sweep with its lesson, the array that shows it, and the hunt on it where it is about searching."""

    key: str
    name: T
    do: T
    see: T
    sweep: Sweep
    array: str
    hunt: Hunt | None = None


views: Registry[View] = Registry()


def _add(key: str, name: T, do: T, see: T, sweep: Sweep, array: str, hunt: Hunt | None = None) -> None:
    views.add(key, View(key, name, do, see, sweep, array, hunt))


#: Few noisy points, a tenth of them with the wrong label.
NOISY = Study("circle", noise=0.25, label_noise=0.1, n=100, layers=(8,), optimizer="adam", lr=0.03, loss="logistic", epochs=150)
RATES: tuple[str, Any] = ("lr", (1e-3, 10.0, 49, "log"))

# --- descents -------------------------------------------------------------------------------------------------------------------------

_add("adam",
     T("Adam: rate and memory", "Adam: скорость и память"),
     T("Click the fastest cell, then one below it with β₁ = 0.", "Щёлкните по самой быстрой клетке, затем по клетке под ней, где β₁ = 0."),
     T("With β₁ up to 0.54 none of these 49 rates brings Adam to rest at Rosenbrock's minimum within 1000 steps. At the usual 0.9 all but one "
       "from 0.383 to 5.62 do, and 2.15 is there after 144 steps: far above the usual 0.001.",
       "При β₁ до 0,54 ни одна из 49 скоростей карты за 1000 шагов не приводит к минимуму Розенброка. При обычном 0,9 приводят все от 0,383 "
       "до 5,62, кроме одной; быстрее всех 2,15 — за 144 шага: намного больше обычной 0,001."),
     Sweep(Run("rosenbrock", "adam", steps=1000), RATES, ("beta1", (0.0, 0.99, 34))), "steps")
_add("momentum",
     T("Momentum in a ravine", "Импульс в овраге"),
     T("Follow the edge upwards, and compare it with 2(1+γ)/λmax.", "Проследите край карты вверх и сравните его с 2(1+γ)/λmax."),
     T("Here λmax = 20. Without momentum the best rate needs 30 steps, with γ = 0.33 it takes 12. The edge moves from 0.1 to 0.16 at γ = 0.6, but "
       "the more momentum, the longer the way to rest.",
       "Здесь λmax = 20. Без импульса лучшей скорости нужно 30 шагов, при γ = 0,33 хватает 12. Край сдвигается от 0,1 до 0,16 при γ = 0,6, но чем "
       "больше импульс, тем дольше спуск успокаивается."),
     Sweep(Run(surfaces["ravine"].at(b=10.0), "momentum", steps=300), ("lr", (0.01, 0.4, 61, "log")), ("momentum", (0.0, 0.99, 34))), "steps")
_add("length",
     T("How long should the rate fall?", "Сколько времени снижать скорость?"),
     T("Find the best cell, then go down and up from it.", "Найдите лучшую клетку, затем сдвиньтесь от неё вниз и вверх."),
     T("A rate that falls to 0 within 10 of the 400 steps stops half-way: 1.64 at best. Falling over 342 steps it rests at 0.0023; over 2000 it is "
       "still large in the end, and noise keeps the loss at 0.012. The best first rate is 0.153 for 10 steps, 0.021 for 342, 0.006 for 2000.",
       "Если скорость падает до нуля за 10 шагов из 400, спуск застревает на полпути: в лучшем случае 1,64. При спаде за 342 шага потери доходят до "
       "0,0023, а при 2000 скорость и в конце велика, и шум держит потери на 0,012. Лучшая начальная скорость: 0,153 при 10 шагах, 0,021 при 342, "
       "0,006 при 2000."),
     Sweep(Run("ravine", "sgd", steps=400, schedule="polynomial", noise=2.0), ("lr", (1e-3, 0.2, 41, "log")),
           ("schedule_total_iters", (10, 2000, 40, "log")), 16), "loss")
_add("escape",
     T("Noise frees from a bad minimum", "Шум выводит из плохого минимума"),
     T("Go up in the column of α = 0.01.", "Поднимитесь по столбцу α = 0,01."),
     T("Without noise nobody leaves the shallow minimum at any rate up to 0.1. At α = 0.01 and σ = 12.7 the noise frees 80 % of 64 runs; more of it "
       "throws them out again, and at the upper right where a run ends is a coin's toss (47 %).",
       "Без шума из мелкого минимума не выходит никто ни при какой скорости до 0,1. При α = 0,01 и σ = 12,7 шум выводит 80 % из 64 спусков; если он "
       "ещё сильнее, он же выбрасывает их обратно, и справа вверху исход — как бросок монеты (47 %)."),
     Sweep(Run("local_minimum", "sgd", steps=300), ("lr", (1e-3, 0.1, 31, "log")), ("noise", (0.0, 20.0, 31)), 64), "escaped")

# --- networks -------------------------------------------------------------------------------------------------------------------------

_add("strength",
     T("How strong a penalty, at which rate?", "Какой штраф при какой скорости?"),
     T("Switch between validation and training; go right along α = 0.0562.", "Переключайте проверку и обучение; пройдите вправо вдоль α = 0,0562."),
     T("With hardly a penalty the network has 93 % of its training points right and 75 % of the others; λ = 0.01 lifts the latter to 87 %. Where "
       "α is too small no λ helps, and λ = 0.1 is too much at every α.",
       "Почти без штрафа сеть верно отвечает на 93 % обучающих точек и на 75 % остальных; λ = 0,01 поднимает вторую долю до 87 %. При слишком "
       "малой α не помогает никакая λ, а λ = 0,1 велика при любой α."),
     Sweep(NOISY, ("lambda", (1e-5, 1.0, 16, "log")), ("lr", (1e-3, 1.0, 13, "log")), 4), "accuracy_val")
_add("width",
     T("Do not shrink the network, strengthen λ", "Не уменьшайте сеть, усиливайте λ"),
     T("Compare the left edge with the column of λ = 0.0228.", "Сравните левый край со столбцом λ = 0,0228."),
     T("With hardly a penalty 20 neurons learn the noise: 97 % of training, 75 % of validation, and 3 neurons do better with 85 %. At λ = 0.0228 "
       "the 20 neurons have 87 %, more than the 3 have anywhere in their row.",
       "Почти без штрафа 20 нейронов выучивают шум: 97 % на обучении и 75 % на проверке, и 3 нейрона с их 85 % лучше. При λ = 0,0228 у 20 нейронов "
       "87 % — больше, чем у трёх в любой клетке их строки."),
     Sweep(NOISY.at(epochs=200), ("lambda", (1e-5, 0.3, 13, "log")), ("width", (1, 20, 10)), 4), "accuracy_val")
_add("batch",
     T("Twice the batch, twice the rate", "Вдвое больше пакет — вдвое больше скорость"),
     T("Start at α = 0.0316 one by one and go up a row and two columns to the right, again and again.",
       "Начните с α = 0,0316 по одному примеру и шагайте: строка вверх, два столбца вправо."),
     T("With each row the batch doubles, in the last to all 100, and the rate grows 2.15 times; after 20 passes the loss stays near: 0.294, 0.281, "
      "0.269, 0.252, 0.241 up to batches of 16. Then the rate is at times too large: 0.457, 0.234, 0.534. Best of all, 0.123, is one by one at "
      "0.147: it makes most steps.",
      "С каждой строкой пакет растёт вдвое, в последней до всех 100, скорость — в 2,15 раза, а потери после 20 эпох остаются близкими: 0,294; 0,281; "
      "0,269; 0,252; 0,241 до пакета в 16. Дальше скорость порой велика: 0,457; 0,234; 0,534. Лучше всего, 0,123, — по одному при 0,147: там больше "
      "всего шагов."),
     Sweep(Study("circle", n=200, noise=0.1, layers=(8,), epochs=20, loss="logistic"), ("lr", (1e-3, 10.0, 25, "log")),
           ("batch", [1, 2, 4, 8, 16, 32, 64, 100]), 4), "loss_val")

# --- searching ------------------------------------------------------------------------------------------------------------------------

_add("random",
     T("Random search against a grid", "Случайный поиск против сетки"),
     T("Look at the best value of each row and of each column, then change the budget.",
       "Посмотрите на лучшее значение каждой строки и каждого столбца, затем смените бюджет."),
     T("Nearly all that matters here is α: it explains 97 % of the map, so weak a λ explains nothing. A grid of 25 networks tries 5 rates, random "
       "search 16 of the map's 25: it finds one of the best 5 % in 75 % of 1000 repeats, the grid in 43 %.",
       "Здесь почти всё решает α: она объясняет 97 % карты, а столь слабая λ — ничего. Сетка из 25 сетей пробует 5 скоростей, случайный поиск — 16 "
       "из 25 на карте: одну из лучших 5 % он находит в 75 % из 1000 повторов, сетка — в 43 %."),
     Sweep(Study("moons", n=100, noise=0.2, layers=(8,), epochs=40, loss="logistic", optimizer="momentum"), ("lr", (1e-4, 10.0, 25, "log")),
           ("l2", (1e-7, 1e-3, 9, "log"))), "loss_val", Hunt(25))
_add("idle",
     T("An axis that does not matter", "Ось, которая ничего не решает"),
     T("Change the budget to 9, then to 49: see which curve gains.", "Поставьте бюджет 9, затем 49 и посмотрите, чья кривая выигрывает."),
     T("Adam's ε changes nothing, and the good rates are few. Random search finds one of them in 13 trials as often as not, as it does on any map; "
       "a grid of 25 has done so in 32 % of its repeats, one of 49 in 40 %.",
       "ε у Adam ничего не меняет, а хороших скоростей мало. Случайному поиску, как и на любой карте, для одной из них в половине повторов хватает "
       "13 проб; сетка из 25 находит её в 32 % повторов, из 49 — в 40 %."),
     Sweep(Run("rosenbrock", "adam", steps=500), RATES, ("eps", (1e-12, 1e-2, 49, "log"))), "loss", Hunt(25))
_add("both",
     T("Where both axes matter", "Когда важны обе оси"),
     T("Compare this with the axis that does not matter.", "Сравните с осью, которая ничего не решает."),
     T("Rate and memory must fit together, and the good is a patch, not a stripe: now the even grid is the better one, with 85 % against 72 % for "
       "25 trials. Random search wins by axes that do not matter; it is no law.",
       "Скорость и память должны подходить друг другу, и хорошее — пятно, а не полоса: теперь лучше ровная сетка, 85 % против 72 % при 25 пробах. "
       "Случайный поиск выигрывает на осях, которые ничего не решают; всеобщего закона тут нет."),
     Sweep(Run("rosenbrock", "adam", steps=1000), RATES, ("beta1", (0.0, 0.99, 34))), "loss", Hunt(25))
