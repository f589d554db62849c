"""Landscapes worth showing: each with what to do and what can then be seen; tests/test_landscape_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass

from .core import Registry, T
from .landscape import Slice
from .training import Training


@dataclass(frozen=True)
class Outlook:
    """A slice with its lesson; `beside` is the one that it is compared with."""

    key: str
    name: T
    do: T
    see: T
    slice: Slice
    beside: Slice | None = None


outlooks: Registry[Outlook] = Registry()


def _add(key: str, name: T, do: T, see: T, one: Slice, beside: Slice | None = None) -> None:
    outlooks.add(key, Outlook(key, name, do, see, one, beside))


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
     T("Play it; then turn it in 3-D.", "Покажите обучение, затем поверните картинку в 3D."),
     T("From the same first weights, in 150 passes Adam goes three times as far as the other two, and comes to a loss of 0.24; SGD comes to 0.63, "
       "momentum to 0.45. The plane holds 96 % of what the paths vary, and yet its height is not their loss: at the first weights it has 0.64, the "
       "network 0.98.",
       "Из одних и тех же начальных весов Adam за 150 эпох уходит втрое дальше остальных и приходит к потере 0,24; SGD — к 0,63, импульс — к 0,45. "
       "Плоскость передаёт 96 % разброса путей, и всё же её высота — не потеря сети: под начальными весами на плоскости 0,64, а у сети 0,98."),
     Slice(SPIRAL, {"sgd": 0.3, "momentum": 0.03}))
_add("random",
     T("A random plane hides the path", "Случайная плоскость прячет путь"),
     T("Look for Adam's path; then take the principal directions.", "Найдите путь Adam, затем возьмите главные направления."),
     T("The same network as before, along random directions in which each neuron's weights are as long as its trained ones. The path takes less "
       "than a sixth of the picture: 12 % of it lies in this plane, and 99 % in the principal one, which is made of the path itself.",
       "Та же сеть, но направления случайные, и веса каждого нейрона в них той же длины, что обученные. Путь занимает меньше шестой части картинки: "
       "в этой плоскости лежит 12 % пути, а в плоскости главных направлений, построенной по самому пути, — 99 %."),
     Slice(SPIRAL, directions="random"), Slice(SPIRAL))
_add("residual",
     T("Twenty layers, plain and residual", "Двадцать слоёв: обычные и с обходом"),
     T("Compare both in 3-D; then take seed 2.", "Сравните обе картинки в 3D, затем возьмите зерно 2."),
     T("Without connections past the layers Adam stays above a loss of 0.5, and rounding alone decides where; with them it comes below 0.001, and "
       "the picture has less than half as many hollows. That it trains is sure, that it is smooth is not: with seed 2 both have about 15.",
       "Без обходных связей потеря Adam остаётся выше 0,5, и где он застрянет, решает уже ошибка округления; с ними она меньше 0,001, а ям на "
       "картинке более чем вдвое меньше. Что сеть обучается — надёжно, а что ландшафт гладкий — нет: при зерне 2 в обоих случаях ям около 15."),
     deep(False), deep(True))
_add("batches",
     T("Small batches and flat minima: look first", "Малые пакеты и плоские минимумы: сначала проверьте"),
     T("Compare the two valleys; then take other directions.", "Сравните две долины, затем возьмите другие направления."),
     T("Small batches are said to find flat minima, and large ones sharp ones. Here batches of 5 and all 100 examples at once come to valleys that "
       "are alike: 7 % of either picture is at most 0.1 above the minimum, and the curvatures differ by less than a third.",
       "Говорят, что малые пакеты приводят в плоские минимумы, а большие — в острые. Здесь долины при пакетах по 5 и по всем 100 примерам похожи: "
       "в обеих картинках 7 % не выше минимума больше чем на 0,1, а кривизна различается меньше чем на треть."),
     batched(5, 100), batched(100, 1000))
