"""Races worth showing: each with what to do and what can then be seen; tests/test_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import Registry, T
from .race import FIELD, Entrant, Race, entrant_on
from .surfaces import surface, surfaces


@dataclass(frozen=True)
class Preset:
    """A race with its lesson."""

    key: str
    name: T
    do: T
    see: T
    race: Race


presets: Registry[Preset] = Registry()


def _add(key: str, name: T, do: T, see: T, race: Race) -> None:
    presets.add(key, Preset(key, name, do, see, race))


def _forms(schedule: str = "constant", **settings: Any) -> list[Entrant]:
    """The three ways to write momentum; the averaged one needs 1/(1−γ) times the rate."""
    return [Entrant(key, schedule, lr=lr, **settings) for key, lr in (("momentum", 0.01), ("momentum_ema", 0.1), ("momentum_lr_inside", 0.01))]


# --- gradient descent and its troubles ----------------------------------------------------------------------------------------------

_add("valley",
     T("Along Rosenbrock's valley", "По долине Розенброка"),
     T("Drag the start; then change a rate.", "Потяните за старт, затем измените чью-нибудь скорость обучения."),
     T("From here everybody is in the valley within 20 steps; along it momentum gathers speed and Adam has a step for each coordinate, "
       "while plain gradient descent hardly moves.",
       "Отсюда все за 20 шагов попадают в долину; вдоль неё импульс разгоняется, у Adam для каждой координаты свой шаг, "
       "а простой градиентный спуск почти стоит на месте."),
     Race("rosenbrock", (-1.5, 2.0), [Entrant("sgd", lr=0.001), Entrant("momentum", lr=0.0005), Entrant("nesterov", lr=0.0008),
                                      Entrant("rmsprop", lr=0.01), Entrant("adam", lr=0.2)]))
_add("rates",
     T("Three rates and 2/λmax", "Три скорости обучения и 2/λmax"),
     T("Move the largest rate from 0.101 to 0.099.", "Сдвиньте самую большую скорость обучения с 0,101 на 0,099."),
     T("Here λmax = 20, and 2/λmax = 0.1 is the limit: at 0.02 the descent creeps, at 0.09 it swings and arrives, at 0.101 every swing is "
       "larger than the last.",
       "Здесь λmax = 20, и предел — 2/λmax = 0,1: при 0,02 спуск ползёт, при 0,09 качается, но доходит, при 0,101 каждый размах больше предыдущего."),
     Race("ravine", (8.0, 3.0), [Entrant("sgd", lr=lr) for lr in (0.101, 0.09, 0.02)], ((-4.0, 9.0), (-5.0, 5.0)), steps=60, gauges=1))
_add("zigzag",
     T("Ravine: zigzag and momentum", "Овраг: зигзаг и импульс"),
     T("Press Home, then step on with →.", "Нажмите Home и шагайте клавишей →."),
     T("Gradient descent leaps from wall to wall and does not arrive in 150 steps; momentum at the same rate needs 53: across the ravine its "
       "steps cancel, along it they add up.",
       "Градиентный спуск скачет от стенки к стенке и за 150 шагов не доходит; импульсу при той же скорости обучения хватает 53: поперёк оврага "
       "шаги гасят друг друга, вдоль — складываются."),
     Race(surfaces["ravine"].at(b=100), (8.0, 1.0), [Entrant("sgd", lr=0.0095), Entrant("momentum", lr=0.0095, momentum=0.8)],
          ((-3.0, 9.0), (-2.5, 2.5)), steps=150))
_add("saddle",
     T("Saddle: just off the ridge", "У седловой точки"),
     T("Drag the start nearer to the ridge and farther from it.", "Подвиньте старт ближе к гребню и дальше от него."),
     T("From 0.001 off the ridge gradient descent is held for 118 steps and momentum for 32; RMSProp and Adam rescale even the tiniest "
       "gradient and leave at once.",
       "При отступе 0,001 от гребня градиентный спуск застревает на 118 шагов, импульс — на 32; RMSProp и Adam перемасштабируют "
       "даже крошечный градиент и уходят сразу."),
     Race("saddle", (-1.5, 0.001), [Entrant(key, lr=0.02) for key in ("sgd", "momentum", "rmsprop", "adam")], steps=200))
_add("ridge",
     T("Exactly on the ridge", "Ровно на гребне"),
     T("Raise the noise σ from 0 to 0.1.", "Поднимите шум σ с 0 до 0,1."),
     T("On the ridge the gradient points along it, so without noise every method stops at the saddle; a little noise, and each "
       "rolls into one of the two wells.",
       "На гребне градиент направлен вдоль него, и без шума все методы останавливаются в седловой точке; стоит добавить немного шума — "
       "и каждый скатывается в одну из двух ям."),
     Race(surface("x^2/2 - y^2 + y^4/4"), (-1.5, 0.0), [Entrant("sgd", lr=0.05), Entrant("momentum", lr=0.02), Entrant("adam", lr=0.05)],
          ((-2.0, 2.0), (-2.0, 2.0)), steps=200))
_add("noise",
     T("Two wells: noise sets free", "Две ямы: шум освобождает"),
     T("Set σ to 0; then back to 3, with another seed.", "Поставьте σ = 0, затем снова 3 и другое зерно."),
     T("Without noise everyone stays in the shallow well; with σ = 3 about half end at the deep one, and when the rate decays fewer cross, "
       "but they settle at its bottom.",
       "Без шума все остаются в мелкой яме; при σ = 3 около половины оказывается у глубокой, а если скорость обучения убывает, перебираются "
       "реже, зато оседают на самом дне."),
     Race("two_wells", (1.5, 1.0), [Entrant("sgd", lr=0.05), Entrant("sgd", "cosine", lr=0.05)], steps=400, noise=3.0, crowd=200, spread=0.02,
          tolerance=0.05))
_add("floor",
     T("The noise floor", "Шумовой порог"),
     T("Halve the constant rate to 0.05.", "Уменьшите постоянную скорость обучения вдвое, до 0,05."),
     T("At a constant rate the loss keeps dancing about a floor in proportion to it, f ≈ 0.5 at 0.1 and 0.24 at 0.05; "
       "rates that decay calm the noise and sink below.",
       "При постоянной скорости обучения потери так и пляшут у порога, f ≈ 0,5 при 0,1 и 0,24 при 0,05; убывающая скорость "
       "унимает шум и уходит ниже."),
     Race("bowl", (1.5, 1.5), [Entrant("sgd", lr=0.1), Entrant("sgd", "sqrt", lr=0.1), Entrant("sgd", "cosine", lr=0.1)], steps=300, noise=3.0))

# --- momentum -----------------------------------------------------------------------------------------------------------------------

_add("forms",
     T("Momentum, written in three ways", "Импульс: три записи"),
     T("Hide one trail after another with keys 1, 2, 3.", "Скрывайте траектории по одной клавишами 1, 2, 3."),
     T("Three formulas, one path: while the rate is constant they coincide, if the averaged form has 1/(1−γ) = 10 times the rate.",
       "Три формулы — одна траектория: пока скорость обучения постоянна, они совпадают, если у скользящего среднего она в 1/(1−γ) = 10 раз больше."),
     Race("local_minimum", (1.5, 1.5), _forms(), steps=150))
_add("forms_part",
     T("The forms under a schedule", "Три записи и расписание"),
     T("Press Home, then step beyond step 8, where the rate drops tenfold.",
       "Нажмите Home и шагайте дальше шага 8, где скорость обучения падает в десять раз."),
     T("With the rate outside, steps shrink at once and both stay in the shallow well; with the rate inside, the velocity remembers the old "
       "one and coasts on into the deep well.",
       "Если α снаружи, шаги сразу мельчают и обе точки остаются в мелкой яме; если α внутри, импульс помнит прежнюю скорость обучения и "
       "докатывается до глубокой."),
     Race("local_minimum", (1.5, 1.5), _forms("multistep", schedule_milestone1=8, schedule_milestone2=1000), steps=150))
_add("nesterov",
     T("Nesterov looks ahead", "Нестеров смотрит вперёд"),
     T("Press Home, then step on with →.", "Нажмите Home и шагайте клавишей →."),
     T("Momentum crosses the floor of the ravine 30 times before it is calm, Nesterov 4 times: its gradient is taken where the velocity is "
       "about to carry it.",
       "Импульс пересекает дно оврага 30 раз, прежде чем успокоиться, метод Нестерова — 4: градиент он берёт там, куда вот-вот вынесет инерция."),
     Race(surfaces["ravine"].at(b=50), None, [Entrant("momentum", lr=0.005), Entrant("nesterov", lr=0.005)],
          ((-4.0, 10.0), (-8.5, 11.0)), steps=200, explain=1))
_add("dot",
     T("Nesterov explodes first", "Взрыв метода Нестерова"),
     T("Lower Nesterov's rate to 0.065.", "Снизьте скорость обучения метода Нестерова до 0,065."),
     T("At 0.07 gradient descent (limit 0.1) and momentum (0.19) arrive, but Nesterov explodes: its limit, (2+2γ)/((1+2γ)λmax), is only 0.068.",
       "При 0,07 градиентный спуск (предел 0,1) и импульс (0,19) доходят, а метод Нестерова взрывается: "
       "его предел (2+2γ)/((1+2γ)λmax) — всего 0,068."),
     Race("ravine", (8.0, 2.0), [Entrant(key, lr=0.07) for key in ("nesterov", "sgd", "momentum")], ((-6.0, 9.0), (-6.0, 6.0)), steps=160, gauges=1))

# --- a step of its own for each coordinate --------------------------------------------------------------------------------------------

_add("adagrad",
     T("AdaGrad runs dry", "AdaGrad выдыхается"),
     T("Play, and watch who leads.", "Запустите показ и смотрите, кто впереди."),
     T("On an even slope AdaGrad's step number k is α/√k: it leads for about 30 steps, then gradient descent passes, and after 300 it has still "
       "not arrived.",
       "На ровном склоне k-й шаг AdaGrad равен α/√k: около 30 шагов он впереди, потом его обгоняет градиентный спуск, "
       "а за 300 шагов он так и не доходит."),
     Race("cliff", (-3.0, 2.0), [Entrant("sgd", lr=0.1), Entrant("adagrad", lr=0.1)], ((-3.5, 1.5), (-1.2, 2.4)), steps=300))
_add("rmsprop",
     T("RMSProp forgets, and arrives", "RMSProp забывает — и доходит"),
     T("Press Home, then step on with →.", "Нажмите Home и шагайте клавишей →."),
     T("Both begin with a step of about 0.1; AdaGrad's go on shrinking, RMSProp's level off at its rate of 0.03: after 117 steps it is at the "
       "minimum, and from then on it swings around it by half a step.",
       "Оба начинают с шага около 0,1; у AdaGrad шаги всё мельчают, у RMSProp выравниваются на уровне его скорости обучения 0,03: "
       "через 117 шагов он у минимума и дальше качается около него на полшага."),
     Race("cliff", (-3.0, 2.0), [Entrant("adagrad", lr=0.1), Entrant("rmsprop", lr=0.03, alpha=0.9)], ((-3.5, 1.5), (-1.2, 2.4)), steps=300))
_add("adam",
     T("Adam's first ten steps", "Первые десять шагов Adam"),
     T("Press Home, then step on with →.", "Нажмите Home и шагайте клавишей →."),
     T("Adam moves by α in each coordinate from the first step on; without the correction the first step is 3.16 times as long, "
       "and along x the seventh six times.",
       "Adam с первого же шага сдвигается на α по каждой координате; без поправки на смещение первый шаг длиннее в 3,16 раза, "
       "а седьмой вдоль x — в шесть."),
     Race("ravine", (8.0, 2.5), [Entrant("adam_uncorrected", lr=0.1), Entrant("adam", lr=0.1)], ((1.5, 9.0), (-2.2, 3.2)), steps=10, gauges=1))
_add("rotation",
     T("Turn the ravine", "Поверните овраг"),
     T("Turn the angle from 0° to 45°.", "Поверните угол с 0° до 45°."),
     T("Gradient descent (220 steps) and momentum (94) do not notice; Adam needs 674 instead of 80 and AdaGrad 1205 instead of 77, since their "
       "scales lie along the axes.",
       "Градиентный спуск (220 шагов) и импульс (94) ничего не замечают; Adam нужно 674 вместо 80, AdaGrad — 1205 вместо 77: их масштабы "
       "привязаны к осям."),
     Race(surfaces["rotated_ravine"].at(angle=0), (-2.414, -1.0),  # 22.5° off the axis: as far from the ravine's floor at 0° as at 45°
          [Entrant("sgd", lr=0.018), Entrant("momentum", lr=0.01), Entrant("adam", lr=0.05), Entrant("adagrad", lr=0.3)],
          ((-3.2, 1.2), (-1.8, 1.4)), steps=1300))

# --- everybody together ---------------------------------------------------------------------------------------------------------------

_add("beale",
     T("Beale: who overshoots", "Функция Била: кого проносит"),
     T("Press Home, then play at a quarter of the speed.", "Нажмите Home и включите показ на четверти скорости."),
     T("Momentum and Nesterov shoot past the bend, turn back and are still the first to arrive; SGD, RMSProp and AdaGrad keep to the valley "
       "and crawl along its flat floor.",
       "Импульс и метод Нестерова проскакивают поворот, возвращаются — и всё же приходят первыми; SGD, RMSProp и AdaGrad держатся долины "
       "и ползут по её плоскому дну."),
     Race("beale", (1.0, 1.5), [Entrant("sgd", lr=0.005), Entrant("momentum", lr=0.002), Entrant("nesterov", lr=0.002), Entrant("adagrad", lr=0.3),
                                Entrant("rmsprop", lr=0.02), Entrant("adadelta", lr=10.0)],
          ((-0.4, 4.2), (-1.6, 1.9)), steps=200, tolerance=0.01))
_add("luck",
     T("Himmelblau: luck of the start", "Химмельблау: дело случая"),
     T("Play, and watch the cloud around the start split.", "Запустите показ и смотрите, как облако вокруг старта распадается."),
     T("300 starts from one small cloud end in all four minima: which one is found says more about the start than about the method.",
       "300 стартов из одного небольшого облака приходят во все четыре минимума: какой найдётся, говорит больше о старте, чем о методе."),
     Race("himmelblau", None, [Entrant("sgd", lr=0.01)], steps=60, crowd=300, spread=0.05))
_add("rosenbrock",
     T("Rosenbrock: all of them", "Розенброк: все сразу"),
     T("Sort the table by steps to the tolerance.", "Отсортируйте таблицу по числу шагов до допуска."),
     T("Everybody finds the valley, few get along it: Newton and BFGS know the curvature and arrive within 20 steps, AdaDelta has hardly "
       "moved along it after 300.",
       "Долину находят все, пройти её удаётся немногим: Ньютон и BFGS учитывают кривизну и доходят за 20 шагов, AdaDelta и за 300 почти "
       "не продвигается вдоль неё."),
     Race("rosenbrock", None, [entrant_on(surfaces["rosenbrock"], key) for key in (*FIELD, "adagrad", "adadelta", "newton", "bfgs")],
          ((-2.4, 2.4), (-1.0, 4.0)), steps=300))
_add("newton",
     T("Newton: one single step", "Ньютон: один-единственный шаг"),
     T("Turn the angle to anything you like.", "Поверните овраг на любой угол."),
     T("Newton divides by the curvature and stands in the minimum after one step, whatever the angle; gradient descent needs 183 steps at 30°.",
       "Метод Ньютона делит на кривизну и при любом угле после первого же шага стоит в минимуме; градиентному спуску при 30° нужно 183 шага."),
     Race(surfaces["rotated_ravine"].at(angle=30), (-2.0, 1.0), [Entrant("sgd", lr=0.018), Entrant("newton")], steps=250))
_add("cliff",
     T("Cliff: clipped and not", "Обрыв: с ограничением и без"),
     T("Switch the clipping of the second run off and on.", "Выключите и снова включите ограничение градиента у второго спуска."),
     T("One step that touches the wall throws plain SGD out of the picture; clipped to length 0.5, the same gradient moves it by 0.4 at most, "
       "and it stays at the foot of the wall.",
       "Один шаг, задевший стену, выбрасывает обычный SGD за край картинки; если ограничить длину градиента числом 0,5, точка сдвигается "
       "не более чем на 0,4 и остаётся у подножия стены."),
     Race("cliff", None, [Entrant("sgd", lr=0.8), Entrant("sgd", lr=0.8, clip_norm=0.5)], steps=60))
_add("own",
     T("Your own formula", "Своя формула"),
     T("In the field of the formula write 3 instead of 0.1; then anything you like.", "В поле формулы напишите 3 вместо 0.1, а потом — что угодно."),
     T("Slopes, minima and all 100 descents follow what is written: with 0.1 the starts end in the frame's eight wells and "
       "beyond it, with 3 all meet in one.",
       "Градиент, минимумы и все 100 спусков следуют за формулой: при 0.1 старты расходятся по всем восьми ямам рамки и по "
       "нескольким за ней, при 3 яма одна, и в ней сходятся все."),
     Race(surface("0.1*(x^2 + y^2) + sin(2*x)*sin(2*y)"), (-0.3, -0.5), [Entrant("sgd", lr=0.1)], ((-3.2, 3.2), (-3.2, 3.2)), steps=60, crowd=100,
          scatter="grid"))


def preset_of(race: Race) -> Preset | None:
    """The preset that a race is, or was made of: where it is, who takes part and whether there is a crowd; all else is there to be changed.

    An own formula is there to be changed, too, and is known by its box. Of two presets that are alike in this the schedules tell.
    """
    def field(race: Race) -> tuple[object, list[str], bool]:
        return race.surface.key if race.surface.key in surfaces else race.box, [e.optimizer for e in race.entrants], race["crowd"] > 0

    def schedules(race: Race) -> list[str]:
        return [e.schedule for e in race.entrants]
    here = field(race)
    alike = [preset for preset in presets.values() if field(preset.race) == here]
    return next((preset for preset in alike if schedules(preset.race) == schedules(race)), alike[0] if alike else None)


def opening(query: str, notes: list[T] | None = None) -> Race:
    """The race of a query, and the first preset where it is empty."""
    return Race.from_query(query, notes) if query else next(iter(presets.values())).race
