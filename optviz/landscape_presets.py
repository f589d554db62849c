"""Landscapes worth showing: each with what to do and what can then be seen; tests/test_landscape_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass

from .core import Registry, T
from .landscape import Slice
from .training import Training


@dataclass(frozen=True)
class Outlook:
    """Slices with their lesson: one, or two that are compared, each with its name."""

    key: str
    name: T
    do: T
    see: T
    slices: tuple[Slice, ...]
    sides: tuple[T, ...] = ()

    @property
    def slice(self) -> Slice:
        """What it opens with."""
        return self.slices[0]


outlooks: Registry[Outlook] = Registry()


def _add(key: str, name: T, do: T, see: T, *slices: Slice, sides: tuple[T, ...] = ()) -> None:
    outlooks.add(key, Outlook(key, name, do, see, slices, sides))


SPIRAL = Training("spiral", layers=(32,), loss="logistic", optimizer="adam", lr=0.03, epochs=150)


def deep(residual: bool, seed: int = 1) -> Slice:
    """Twenty layers, with or without a way past each."""
    training = Training("circle", layers=(8,) * 20, residual=residual, loss="logistic", optimizer="adam", lr=0.01, batch=20, epochs=60, seed=seed)
    return Slice(training, directions="random", shape=(31, 31))


def batched(batch: int, epochs: int) -> Slice:
    """The same network and rate, by small batches or by all examples at once."""
    training = Training("circle", noise=0.2, layers=(16,), loss="logistic", optimizer="sgd", lr=0.1, batch=batch, epochs=epochs)
    return Slice(training, directions="random", shape=(41, 41))


_add("three",
     T("Adam, SGD and momentum on one plane", "Adam, SGD и импульс на одной плоскости"),
     T("Play it, and turn it with the mouse; then look from above.", "Покажите обучение и поверните картинку мышью, затем посмотрите сверху."),
     T("From the same first weights, in 150 passes Adam goes three times as far as the other two, and comes to a loss of 0.24; SGD comes to 0.631, "
       "momentum to 0.455. The plane captures 96 % of the paths' variance, and yet its height is not their loss: below the first weights it has "
       "0.644, the network 0.985.",
       "Из одних и тех же начальных весов Adam за 150 эпох уходит втрое дальше остальных и приходит к потере 0,24; SGD — к 0,631, импульс — к 0,455. "
       "Плоскость передаёт 96 % разброса путей, и всё же её высота — не потеря сети: под начальными весами на плоскости 0,644, а у сети 0,985."),
     Slice(SPIRAL, {"sgd": 0.3, "momentum": 0.03}))
_add("random",
     T("A random plane hides the path", "Случайная плоскость прячет путь"),
     T("Look for Adam's path; then switch to the principal directions (C).", "Найдите путь Adam, затем переключите на главные направления (C)."),
     T("The same network as before, along random directions in which each neuron's weights are as long as its trained ones. The path takes less "
       "than a sixth of the picture: 12 % of it lies in this plane, and 99 % in the principal one, which is made of the path itself.",
       "Та же сеть, но направления случайные, и веса каждого нейрона в них той же длины, что обученные. Путь занимает меньше шестой части картинки: "
       "в этой плоскости лежит 12 % пути, а в плоскости главных направлений, построенной по самому пути, — 99 %."),
     Slice(SPIRAL, directions="random"), Slice(SPIRAL),
     sides=(T("random directions", "случайные направления"), T("principal directions", "главные направления")))
_add("residual",
     T("Twenty layers, plain and residual", "20 слоёв: с остаточными связями и без"),
     T("Switch between the two (C); then take seed 2 under “Noise, passes, batch, seed”.",
       "Переключайте между двумя сетями (C), затем в разделе «Шум, эпохи, пакет, зерно» поставьте зерно 2."),
     T("Without connections past the layers Adam stays above a loss of 0.5, and rounding alone decides where; with them it comes below 0.001, and "
       "the picture has less than half as many hollows. That it trains is sure, that it is smooth is not: with seed 2 both have about 15.",
       "Без остаточных связей потеря Adam остаётся выше 0,5, и где он застрянет, решает уже ошибка округления; с ними она меньше 0,001, а ям на "
       "картинке более чем вдвое меньше. Что сеть обучается — надёжно, а что ландшафт гладкий — нет: при зерне сети 2 в обоих случаях ям около 15."),
     deep(False), deep(True), sides=(T("plain", "обычные слои"), T("residual", "остаточные связи")))
_add("batches",
     T("Small batches and flat minima: look first", "Малые пакеты и плоские минимумы: сначала проверьте"),
     T("Switch between the two valleys (C): the heights keep their colours.", "Переключайте между двумя долинами (C): цвет высоты у них общий."),
     T("Small batches are said to find flat minima, and large ones sharp ones. Here the valleys are as wide: 7.3 and 7.5 % of the pictures are at "
       "most 0.1 above their minimum, and the curvatures differ by less than a third. But one lies twice as high: batches of 5 come to a loss of "
       "0.0505 in 100 passes of 20 updates, all 100 examples at once to 0.0999 in 1000 passes of one.",
       "Говорят, что малые пакеты приводят в плоские минимумы, а большие — в острые. Здесь долины одинаково широки: не больше чем на 0,1 выше "
       "минимума 7,3 и 7,5 % картинок, а кривизна различается меньше чем на треть. Но одна лежит вдвое выше: пакеты по 5 за 100 эпох по 20 шагов "
       "приходят к потере 0,0505, а все 100 примеров сразу за 1000 эпох по одному шагу — к 0,0999."),
     batched(5, 100), batched(100, 1000),
     sides=(T("batches of 5, 100 passes", "пакеты по 5, 100 эпох"), T("all 100 at once, 1000 passes", "все 100 сразу, 1000 эпох")))
