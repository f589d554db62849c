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
     T("Here λmax = 20: at 0.105 every swing is larger than the last, at 0.05 the run arrives, at 0.002 it crawls. Below: each method's limit.",
       "Здесь λmax = 20: при 0,105 каждый размах больше предыдущего, при 0,05 спуск доходит, при 0,002 ползёт. Ниже — пределы методов."),
     Pace(Race(RAVINE, (8.0, 3.0), [_sgd(lr=0.05)], SEEN, steps=100), figure="three"))
_add("network",
     T("The same for a network", "То же для нейронной сети"),
     T("Switch to the range test.", "Переключите на подбор α."),
     T("The three curves of every lecture: from 1.84 the loss flies off at 1.22, comes down to 0.05 at 0.102, and only to 0.87 at 0.00205.",
       "Три кривые из каждой лекции: с 1,84 потери при 1,22 улетают, при 0,102 спускаются до 0,05, при 0,00205 — только до 0,87."),
     Pace(Race("ravine", (8.0, 3.0), [_sgd(lr=0.05)], SEEN, steps=120), figure="three", on="network"))
_add("range",
     T("Learning-rate range test", "Подбор скорости: прогон по α"),
     T("Click the curve just before it flies off.", "Щёлкните по кривой перед самым взлётом."),
     T("One run, its rate growing from 10⁻⁶ to 10: the loss falls fastest near 0.0013, and is up again at 0.113, just above 2/λmax = 0.1.",
       "Один спуск, скорость растёт от 10⁻⁶ до 10: круче всего потери падают около 0,0013, а при 0,113, чуть выше 2/λmax = 0,1, они снова растут."),
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
     T("The constant rate dances at 1.06 from the minimum (0.707 at half of it), as ασ²/(λ(2−αλ)) has it; whoever decays comes to rest ever nearer.",
       "Постоянная скорость пляшет в 1,06 от минимума (0,707 при половинной), как и велит ασ²/(λ(2−αλ)); убывающие успокаиваются всё ближе к нему."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd(lr=0.2), _sgd("cosine", lr=0.2), _sgd("sqrt", lr=0.2), _sgd("exponential", lr=0.2, schedule_gamma=0.98)],
               steps=300, noise=3.0)))
_add("early",
     T("Too early a drop", "Слишком ранний спад"),
     T("Lengthen the 8 steps between drops to 100.", "Увеличьте 8 шагов между снижениями до 100."),
     T("Dropped every 8 steps, the rate is spent at 3.16 from the minimum; every 100 steps, and the run comes to 0.07, a third of where the "
       "constant rate dances.",
       "Если снижать каждые 8 шагов, скорость иссякает в 3,16 от минимума; каждые 100 — спуск доходит до 0,07, втрое ближе, чем пляшет "
       "постоянная."),
     Pace(Race(RAVINE, (8.0, 3.0), [_sgd(lr=0.05), _sgd("step", lr=0.05, schedule_step_size=8), _sgd("step", lr=0.05, schedule_step_size=100),
                                    _sgd("cosine", lr=0.05)], SEEN, steps=300, noise=2.0)))
_add("warmup",
     T("Warm-up", "Разогрев"),
     T("Shorten the warm-up of 20 steps to 10.", "Сократите разогрев с 20 шагов до 10."),
     T("At this start the surface is 176 times steeper than at the minimum: with α = 0.016 the first steps explode; 20 rising ones climb down, "
       "and the run arrives.",
       "У этого старта поверхность в 176 раз круче, чем у минимума: при α = 0,016 первые шаги взрываются; 20 нарастающих осторожно спускаются — "
       "и всё доходит."),
     Pace(Race("beale", (4.0, 2.0), [_sgd(lr=0.016), _sgd(lr=0.016, warmup_steps=10), _sgd(lr=0.016, warmup_steps=20)],
               ((0.0, 4.5), (-1.5, 2.5)), steps=150)))
_add("restarts",
     T("Warm restarts", "Перезапуски"),
     T("Set the first period to 30 and its growth to 2.", "Поставьте первый период 30 и рост 2."),
     T("With each cosine the distance falls to 0.3, with each of the jumps back to the full rate it leaps to 0.7 within 15 steps: a chance to leave, "
       "bought with noise.",
       "За каждый косинус расстояние падает до 0,3, после каждого скачка к полной скорости за 15 шагов взлетает до 0,7: шанс уйти, оплаченный "
       "шумом."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd("warm_restarts", lr=0.2, schedule_T_0=75), _sgd("cosine", lr=0.2)], steps=300, noise=3.0)))
_add("plateau",
     T("Plateau: what it takes for one", "Плато: что за него сочтут"),
     T("Raise the patience from 5 to 20.", "Поднимите терпение с 5 до 20."),
     T("It sees the loss alone: with patience 5 it takes noise for a plateau, halves 24 times and freezes at 0.31 from the minimum; with 20 it comes "
       "to 0.15.",
       "Оно видит одни потери: при терпении 5 принимает шум за плато, 24 раза делит пополам и застывает в 0,31 от минимума; при 20 "
       "доходит до 0,15."),
     Pace(Race("bowl", (1.5, 1.5), [_sgd(lr=0.2), *(_sgd("plateau", lr=0.2, schedule_patience=p, schedule_factor=0.5) for p in (5, 20))],
               steps=300, noise=3.0)))


def plan_of(pace: Pace) -> Plan | None:
    """The plan that a pace is, or was made of: the same surface, optimizer, schedules and figure; all else is there to be changed."""
    def told(p: Pace) -> object:
        return p.race.surface.key, [e.schedule for e in p.race.entrants], p["figure"], p["on"]
    return next((plan for plan in plans.values() if told(plan.pace) == told(pace)), None)


def opening(query: str, notes: list[T] | None = None) -> Pace:
    """The pace of a query, and the first plan where it is empty."""
    return Pace.from_query(query, notes) if query else next(iter(plans.values())).pace
