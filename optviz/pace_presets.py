"""Paces worth showing: each with what to do and what can then be seen; tests/test_pace.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import Registry, T
from .pace import Pace
from .race import Entrant, Race
from .surfaces import surfaces


@dataclass(frozen=True)
class Plan:
    """A pace with its lesson."""

    key: str
    name: T
    do: T
    see: T
    pace: Pace


plans: Registry[Plan] = Registry()
RAVINE = surfaces["ravine"].at(b=10.0)  # λmax = 20
SEEN = ((-4.0, 9.0), (-5.0, 5.0))  # of it


def _add(key: str, name: T, do: T, see: T, pace: Pace) -> None:
    plans.add(key, Plan(key, name, do, see, pace))


def _sgd(schedule: str = "constant", **settings: Any) -> Entrant:
    return Entrant("sgd", schedule, **settings)


# --- how large ------------------------------------------------------------------------------------------------------------------------

_add("three",
     T("High, good, low", "Велика, хороша, мала"),
     T("Move the rate over the limit of 0.1 and back.", "Переведите скорость через предел 0,1 и обратно."),
     T("Here λmax = 20: at 0.102 every swing is larger than the last, 0.0873 arrives first of all rates, 0.00169 crawls. Below: each method's limit.",
       "Здесь λmax = 20: при 0,102 каждый размах больше предыдущего, 0,0873 доходит лучше всех, 0,00169 ползёт. Ниже — пределы методов."),
     Pace(Race(RAVINE, (8.0, 3.0), [_sgd(lr=0.05)], SEEN, steps=100), figure="three"))
_add("network",
     T("The same for a network", "То же для нейронной сети"),
     T("Switch to the range test.", "Переключите на подбор α."),
     T("The three curves of every lecture: from 1.84 the loss flies off at 0.359, comes down to 0.05 at 0.129, and only to 0.82 at 0.00278.",
       "Три кривые из каждой лекции: с 1,84 потеря при 0,359 улетает, при 0,129 спускается до 0,05, при 0,00278 — только до 0,82."),
     Pace(Race("ravine", (8.0, 3.0), [_sgd(lr=0.05)], SEEN, steps=120), figure="three", on="network"))
_add("range",
     T("Learning-rate range test", "Подбор скорости: прогон по α"),
     T("Click the curve where it turns up.", "Щёлкните там, где кривая поворачивает вверх."),
     T("One run, its rate growing from 10⁻⁶ to 10: the loss falls steepest near 0.06, turns up past 2/λmax = 0.1, and is above its start "
       "from 0.157 on.",
       "Один спуск, скорость растёт от 10⁻⁶ до 10: круче всего потеря падает около 0,06, за 2/λmax = 0,1 поворачивает вверх, а с 0,157 она выше "
       "начальной."),
     Pace(Race(RAVINE, (8.0, 3.0), [_sgd(lr=0.01)], SEEN, steps=150, noise=0.5), figure="range"))
_add("map",
     T("Stability map", "Карта устойчивости"),
     T("Click a blue cell, then one beyond the line.", "Щёлкните по синей клетке, потом за линией."),
     T("Each cell is a run of the heavy ball. Without momentum the best rate needs 29 steps, with γ ≈ 0.31 it takes 10; beyond 2(1+γ)/λmax all "
       "explode.",
       "Каждая клетка — спуск тяжёлого шарика. Без импульса лучшей скорости нужно 29 шагов, при γ ≈ 0,31 хватает 10; за линией "
       "2(1+γ)/λmax взрываются все."),
     Pace(Race(RAVINE, (8.0, 3.0), [Entrant("momentum", lr=0.05)], SEEN, steps=300), figure="map"))

# --- over time ------------------------------------------------------------------------------------------------------------------------

_add("floor",
     T("The noise floor, and how to leave it", "Шумовой порог и как с него сойти"),
     T("Halve the rate to 0.1.", "Уменьшите скорость вдвое, до 0,1."),
     T("Each coordinate keeps a variance ασ²/(λ(2−αλ)) = 0.5625, so at a constant rate the point dances at √(2·0.5625) = 1.06 from the minimum, at "
       "half of it at 0.707; at a falling one it comes to rest nearer.",
       "Дисперсия каждой координаты ασ²/(λ(2−αλ)) = 0,5625: при постоянной скорости точка пляшет в √(2·0,5625) = 1,06 от минимума, при "
       "половинной в 0,707; при убывающей успокаивается ближе."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd(lr=0.2), _sgd("cosine", lr=0.2), _sgd("sqrt", lr=0.2), _sgd("exponential", lr=0.2, schedule_gamma=0.98)],
               steps=300, noise=3.0)))
_add("early",
     T("Too early a drop", "Слишком ранний спад"),
     T("Compare a drop every 8 steps with one every 100.", "Сравните снижение каждые 8 шагов и каждые 100."),
     T("Every 8 steps is too soon: hardly any rate is left when the point is still 3.17 from the minimum. Every 100 steps it comes to 0.09, a third "
       "of what the constant rate leaves.",
       "Каждые 8 шагов — слишком рано: скорости почти не осталось, а до минимума ещё 3,17. Каждые 100 — точка подходит на 0,09, втрое ближе, "
       "чем при постоянной скорости."),
     Pace(Race(RAVINE, (8.0, 3.0), [_sgd(lr=0.05), _sgd("step", lr=0.05, schedule_step_size=8), _sgd("step", lr=0.05, schedule_step_size=100),
                                    _sgd("cosine", lr=0.05)], SEEN, steps=300, noise=2.0)))
_add("warmup",
     T("Warm-up", "Разогрев"),
     T("Compare no warm-up with 10 and 20 steps of it.", "Сравните спуск без разогрева с разогревом на 10 и 20 шагов."),
     T("At this start the surface is 176 times steeper than at the minimum: with α = 0.016 the first steps explode; 20 rising ones climb down, "
       "and the run arrives.",
       "У этого старта поверхность в 176 раз круче, чем у минимума: при α = 0,016 первые шаги взрываются; 20 нарастающих осторожно спускаются — "
       "и всё доходит."),
     Pace(Race("beale", (4.0, 2.0), [_sgd(lr=0.016), _sgd(lr=0.016, warmup_steps=10), _sgd(lr=0.016, warmup_steps=20)],
               ((0.0, 4.5), (-1.5, 2.5)), steps=150), figure="run"))
_add("restarts",
     T("Warm restarts", "Перезапуски"),
     T("Set the first period to 30 and its growth to 2.", "Поставьте первый период 30 и рост 2."),
     T("With each cosine the distance falls to 0.4, with each of the jumps back to the full rate it leaps to 0.9 within 15 steps: a chance to leave, "
       "bought with noise.",
       "За каждый косинус расстояние падает до 0,4, после каждого скачка к полной скорости за 15 шагов взлетает до 0,9: шанс уйти, оплаченный "
       "шумом."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd("warm_restarts", lr=0.2, schedule_T_0=75), _sgd("cosine", lr=0.2)], steps=300, noise=3.0)))
_add("plateau",
     T("Plateau: what it takes for one", "Плато: что за него сочтут"),
     T("Compare patience 5 with 20.", "Сравните терпение 5 и 20."),
     T("It sees the loss alone: with patience 5 it takes noise for a plateau, halves the rate 24 times, and the point stops 0.4 from the minimum; "
       "with 20 it comes to 0.19.",
       "Оно видит одну потерю: при терпении 5 принимает шум за плато, 24 раза делит скорость пополам, и точка застывает в 0,4 от минимума; при 20 "
       "подходит на 0,19."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd(lr=0.2), *(_sgd("plateau", lr=0.2, schedule_patience=p, schedule_factor=0.5) for p in (5, 20))],
               steps=300, noise=3.0)))


def plan_of(pace: Pace) -> Plan | None:
    """The plan that a pace is, or was made of: the same surface, optimizer, schedules and figure; rates, start and steps are there to be changed."""
    def told(p: Pace) -> object:
        return p.race.surface, p.optimizer, [e.schedule for e in p.race.entrants], p["figure"], p["on"]
    return next((plan for plan in plans.values() if told(plan.pace) == told(pace)), None)


def opening(query: str, notes: list[T] | None = None) -> Pace:
    """The pace of a query, and the first plan where it is empty."""
    pace = Pace.from_query(query, notes)
    return pace if any(not field.startswith("v=") for field in query.lstrip("?").split("&") if field) else next(iter(plans.values())).pace
