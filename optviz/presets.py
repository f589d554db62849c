"""Races worth showing: each with what to do and what can then be seen; tests/test_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass

from .core import Registry, T
from .race import FIELD, Entrant, Race, entrant_on
from .surfaces import surfaces


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


_add("valley",
     T("Along Rosenbrock's valley", "По долине Розенброка"),
     T("Drag the start; then change a rate.", "Потяните за старт; затем измените чью-нибудь скорость обучения."),
     T("Everybody is in the valley after a few steps. Along it momentum gathers speed and Adam has a rate of its own for each coordinate; "
       "plain gradient descent hardly moves.",
       "В долине все оказываются за несколько шагов. Вдоль неё импульс набирает скорость, у Adam для каждой координаты свой шаг, "
       "а обычный градиентный спуск почти стоит на месте."),
     Race("rosenbrock", (-1.5, 2.0), [Entrant("sgd", lr=0.001), Entrant("momentum", lr=0.0005), Entrant("nesterov", lr=0.0008),
                                      Entrant("rmsprop", lr=0.01), Entrant("adam", lr=0.2)]))
_add("zigzag",
     T("Ravine: zigzag and momentum", "Овраг: зигзаг и импульс"),
     T("Play, then step with ← → through the first twenty steps.", "Запустите показ, затем пройдите первые двадцать шагов клавишами ← →."),
     T("SGD jumps from wall to wall and creeps along the floor: after 150 steps it has not arrived. Momentum at the same rate needs about 50: "
       "its steps cancel across the ravine and add up along it.",
       "SGD прыгает от стенки к стенке и еле ползёт вдоль дна: за 150 шагов он не доходит. Импульсу при той же скорости обучения хватает около 50: "
       "поперёк оврага его шаги гасят друг друга, вдоль — складываются."),
     Race(surfaces["ravine"].at(b=100), (8.0, 1.0), [Entrant("sgd", lr=0.0095), Entrant("momentum", lr=0.0095, momentum=0.8)],
          ((-3.0, 9.0), (-2.5, 2.5)), steps=150))
_add("rates",
     T("Three rates and 2/λmax", "Три скорости обучения и 2/λmax"),
     T("Move the largest rate a little below and above 0.1.", "Сдвиньте самую большую скорость чуть ниже и чуть выше 0,1."),
     T("The largest curvature of this ravine is λmax = 20, so 2/λmax = 0.1. At 0.02 the run creeps, at 0.09 it swings and arrives, "
       "at 0.101 every swing is larger than the one before.",
       "Наибольшая кривизна этого оврага λmax = 20, то есть 2/λmax = 0,1. При 0,02 спуск ползёт, при 0,09 качается, но доходит, "
       "при 0,101 каждый размах больше предыдущего."),
     Race("ravine", (8.0, 3.0), [Entrant("sgd", lr=lr) for lr in (0.02, 0.09, 0.101)], steps=60))
_add("saddle",
     T("Saddle: a hair off the ridge", "Седло: на волосок от гребня"),
     T("Set y of the start to 0, then to 0.1.", "Поставьте y старта равным 0, затем 0,1."),
     T("The start is 0.001 off the ridge. SGD lingers at the saddle for more than a hundred steps, momentum for about 40; RMSProp and Adam rescale "
       "the tiny gradient and leave at once. Exactly on the ridge nobody leaves at all.",
       "Старт всего на 0,001 в стороне от гребня. SGD стоит у седла больше сотни шагов, импульс — около 40; RMSProp и Adam перемасштабируют "
       "крошечный градиент и уходят сразу. Ровно на гребне не уходит никто."),
     Race("saddle", (-1.5, 0.001), [Entrant(key, lr=0.02) for key in ("sgd", "momentum", "rmsprop", "adam")], steps=200))
_add("rosenbrock",
     T("Rosenbrock: everybody on the curve", "Розенброк: все на одном повороте"),
     T("Sort the table by steps to the tolerance.", "Отсортируйте таблицу по числу шагов до допуска."),
     T("Everybody finds the valley, few get along it. Newton and BFGS know the curvature and arrive within 20 steps; AdaDelta has hardly left the "
       "far end of the valley after 300.",
       "Долину находят все, пройти по ней удаётся немногим. Ньютон и BFGS учитывают кривизну и доходят за 20 шагов; AdaDelta и за 300 едва "
       "отходит от дальнего конца долины."),
     Race("rosenbrock", None, [entrant_on(surfaces["rosenbrock"], key) for key in (*FIELD, "adagrad", "adadelta", "newton", "bfgs")], steps=300))
_add("beale",
     T("Beale: who overshoots", "Функция Била: кого проносит мимо"),
     T("Press Home, then play at a quarter of the speed.", "Нажмите Home и включите показ на четверти скорости."),
     T("Momentum and Nesterov shoot past the bend, turn back and are still the first at the minimum. SGD, RMSProp and AdaGrad keep to the valley "
       "and crawl on its flat floor.",
       "Импульс и метод Нестерова проскакивают поворот, возвращаются — и всё же первыми приходят в минимум. SGD, RMSProp и AdaGrad держатся долины "
       "и ползут по её плоскому дну."),
     Race("beale", (1.0, 1.5), [Entrant("sgd", lr=0.005), Entrant("momentum", lr=0.002), Entrant("nesterov", lr=0.002), Entrant("adagrad", lr=0.3),
                                Entrant("rmsprop", lr=0.02), Entrant("adadelta", lr=10.0)], steps=200, tolerance=0.01))
_add("luck",
     T("Himmelblau: luck of the start", "Химмельблау: везение со стартом"),
     T("Play, and watch the cloud around the start split.", "Запустите показ и смотрите, как облако вокруг старта распадается."),
     T("300 starts from one small cloud end in all four minima: which one is found says more about the start than about the method.",
       "300 стартов из одного небольшого облака приходят во все четыре минимума: какой найдётся, говорит больше о старте, чем о методе."),
     Race("himmelblau", None, [Entrant("sgd", lr=0.01)], steps=60, crowd=300, spread=0.05))
_add("noise",
     T("Two wells: noise sets free", "Две ямы: шум освобождает"),
     T("Set σ to 0, then press “another seed” a few times with σ = 3.", "Поставьте σ = 0, затем при σ = 3 несколько раз нажмите «Другое зерно»."),
     T("Without noise every run stays in the shallow well it rolls into. With σ = 3 about half of the crowd ends by the deeper one; "
       "with a rate that fades along a cosine fewer cross, but those who did settle at the bottom.",
       "Без шума каждый спуск остаётся в мелкой яме, куда скатился. При σ = 3 около половины облака оказывается у глубокой; "
       "если скорость обучения убывает по косинусу, перебираются реже, зато оседают на самом дне."),
     Race("two_wells", (1.5, 1.0), [Entrant("sgd", lr=0.05), Entrant("sgd", "cosine", lr=0.05)], steps=400, noise=3.0, crowd=200, spread=0.02,
          tolerance=0.05))
_add("cliff",
     T("Cliff: with and without clipping", "Обрыв: с ограничением градиента и без"),
     T("Switch the clipping of the second run off and on.", "Выключите и снова включите ограничение градиента у второго спуска."),
     T("One step that touches the wall throws plain SGD out of the picture; clipped to length 0.5, the same gradient moves it by 0.4 at most, "
       "and it settles at the foot of the wall.",
       "Один шаг, задевший стену, выбрасывает обычный SGD за край картинки; если ограничить длину градиента числом 0,5, точка сдвигается "
       "не более чем на 0,4 и остаётся у подножия стены."),
     Race("cliff", None, [Entrant("sgd", lr=0.8), Entrant("sgd", lr=0.8, clip_norm=0.5)], steps=60))
_add("rotation",
     T("Turn the ravine", "Поверните овраг"),
     T("Move the angle from 45° to 0.", "Сдвиньте угол с 45° до 0."),
     T("A step for each coordinate is a step along the axes. With the ravine along an axis Adam, RMSProp and AdaGrad arrive; "
       "turned by 45° none of them does, and plain SGD is ahead of all three.",
       "Свой шаг по каждой координате — это шаг вдоль осей. Пока овраг лежит вдоль оси, Adam, RMSProp и AdaGrad доходят; "
       "при повороте на 45° не доходит ни один, и простой SGD обгоняет всех троих."),
     Race("rotated_ravine", None, [Entrant("sgd", lr=0.018), Entrant("adam", lr=0.1), Entrant("rmsprop", lr=0.05), Entrant("adagrad", lr=0.5)],
          steps=300))


def preset_of(race: Race) -> Preset | None:
    """The preset that a race is, or was made of: where it is, who takes part and whether there is a crowd; all else is there to be changed."""
    def field(race: Race) -> tuple[str, list[str], bool]:
        return race.surface.key, [e.optimizer for e in race.entrants], race["crowd"] > 0
    return next((preset for preset in presets.values() if field(preset.race) == field(race)), None)


def opening(query: str, notes: list[T] | None = None) -> Race:
    """The race of a query, and the first preset where it is empty."""
    return Race.from_query(query, notes) if query else presets["valley"].race
