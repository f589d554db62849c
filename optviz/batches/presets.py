"""What is worth showing of batches and their noise, in lecture order; tests/test_batches.py holds every claim."""

from __future__ import annotations

from typing import NamedTuple

from ..core import Registry, T
from .sampling import Sampling


class Preset(NamedTuple):
    """A sampling: what to do with it, and what can then be seen."""

    name: T
    do: T
    see: T
    spec: Sampling


presets: Registry[Preset] = Registry()


def _add(key: str, name: T, do: T, see: T, spec: Sampling) -> None:
    presets.add(key, Preset(name, do, see, spec))


# --- how often, how exactly -----------------------------------------------------------------------------------------------------------

_add("one_pass",
     T("One pass: 1, 5 or 40 updates", "Одна эпоха: 1, 5 или 40 обновлений"),
     T("Play one pass; then take 10 passes.", "Покажите одну эпоху, затем возьмите 10 эпох."),
     T("All three have seen the same 40 examples. The full batch has made one exact step and keeps three quarters of its excess loss; SGD "
       "has made 40 noisy ones and keeps less than a hundredth.",
       "Все три спуска просмотрели одни и те же 40 примеров. Полный пакет сделал один точный шаг, и у него осталось три четверти избытка потери; "
       "SGD сделал 40 шумных шагов, и осталось меньше сотой доли."),
     Sampling(batches=(1, 8, None), axis="passes", passes=1))
_add("one_update",
     T("Per update the full batch is exact", "На одно обновление полный пакет точнее"),
     T("Follow the three over the updates, then choose passes as the axis.",
       "Проследите за тремя спусками по обновлениям, затем выберите по оси эпохи."),
     T("Update for update all three fall alike at first. Then the full batch goes on down to the rounding error, batches of 8 hover near 0.0004 "
       "above the least, and single examples near 0.014: the noise of a smaller batch never lets go.",
       "По обновлениям все три спуска сначала снижаются одинаково. Дальше полный пакет опускается до ошибки округления, пакеты по 8 дрожат около "
       "0,0004 над минимумом, а одиночные примеры — около 0,014: шум малого пакета не отпускает."),
     Sampling(batches=(1, 8, None)))
_add("sum",
     T("Sum or mean", "Сумма или среднее"),
     T("Choose the mean; then raise α until it diverges, too.", "Выберите среднее, затем поднимайте α, пока не разойдётся и оно."),
     T("A sum over 40 examples is a step 40 times as long: it diverges from α = 2/(40·λmax) = 0.036, the mean from 2/λmax = 1.43. Here α = 0.04.",
       "Сумма по 40 примерам — шаг в 40 раз длиннее: она расходится с α = 2/(40·λmax) = 0,036, среднее — с 2/λmax = 1,43. Здесь α = 0,04."),
     Sampling(batches=(None,), reduction="sum", lr=0.04, axis="updates", passes=30))
_add("running",
     T("The running estimate Q", "Скользящая оценка Q"),
     T("Move λ from 0.05 to 1, then to 0.01.", "Меняйте λ: 0,05, затем 1, затем 0,01."),
     T("One example says little of the whole loss. Q with λ = 0.05 averages over the last twenty: in the second half it is off by 0.04, a single "
       "loss by 0.3. With λ = 0.01 it is smooth but late, and still off by 0.4.",
       "Один пример мало говорит обо всей потере. Q при λ = 0,05 усредняет примерно двадцать последних: во второй половине она ошибается на 0,04, "
       "одиночная потеря — на 0,3. При λ = 0,01 она гладкая, но опаздывает и всё ещё ошибается на 0,4."),
     Sampling(batches=(1,)))

# --- how noisy ------------------------------------------------------------------------------------------------------------------------

_add("variance",
     T("The law 1/m", "Закон 1/m"),
     T("Move the playhead from m = 1 to 40.", "Ведите бегунок от m = 1 до 40."),
     T("Twice the batch, half the variance: σ²/m with replacement. Without, times (n − m)/(n − 1): at m = 40 of 40 nothing is left. "
       "Class-balanced batches are better still.",
       "Вдвое больше пакет — вдвое меньше дисперсия: σ²/m с возвращением. Без возвращения ещё и множитель (n − m)/(n − 1): при m = 40 из 40 "
       "не остаётся ничего. Пакеты, где классов поровну, ещё лучше."),
     Sampling("variance", kind="logistic", slope=0.0, intercept=0.0))
_add("replacement",
     T("With or without replacement", "С возвращением или без"),
     T("Take other seeds.", "Попробуйте другие зёрна."),
     T("Shuffled, a pass shows every example once, and the errors of its batches cancel; drawn with replacement they do not: a pass "
       "misses a third of the examples, and the loss stays seven times as far above the least.",
       "При перемешивании каждый пример встречается за эпоху один раз, и ошибки пакетов гасят друг друга; с возвращением — нет: за эпоху "
       "треть примеров не попадается вовсе, и превышение потери над минимумом в семь раз больше."),
     Sampling(kind="logistic", batches=(4,), orders=("shuffled", "replacement"), axis="passes", lr=0.5, passes=20))

# --- in which order -------------------------------------------------------------------------------------------------------------------

_add("sorted",
     T("Sorted by class", "Упорядочено по классам"),
     T("Watch the curve of the data within one pass.", "Следите за кривой на данных в течение одной эпохи."),
     T("First one class, then the other: within every pass the curve swings there and back, and the loss stays four times as far above "
       "the least as with shuffled examples. Batches with as many of each class are the calmest.",
       "Сначала один класс, потом другой: за каждую эпоху кривая качается туда и обратно, и превышение потери над минимумом вчетверо "
       "больше, чем с перемешанными примерами. Спокойнее всего пакеты, где классов поровну."),
     Sampling(kind="logistic", batches=(4,), orders=("sorted", "shuffled", "balanced"), axis="passes", lr=2.0, passes=20))
_add("hard",
     T("Hard examples more often: quick, then astray", "Трудные примеры чаще: быстро, но не туда"),
     T("Compare the first pass with the last.", "Сравните первую эпоху с последней."),
     T("Examples with a large loss pull harder: after one pass the loss is a third as far above the least as with shuffled ones. But what is "
       "minimized is another sum, and the run comes to rest beside the minimum.",
       "Примеры с большой потерей тянут сильнее: после первой эпохи превышение над минимумом втрое меньше, чем с перемешанными. Но так "
       "минимизируется другая сумма, и спуск успокаивается в стороне от минимума."),
     Sampling(kind="logistic", batches=(8,), orders=("hard", "shuffled"), axis="passes", lr=0.5, passes=20))
_add("outlier",
     T("Hard examples and an outlier", "Трудные примеры и выброс"),
     T("Switch the outlier off and on.", "Выключите и снова включите выброс."),
     T("One wrong point has the largest loss, so it is shown most: the line turns to it, and its slope settles about 0.6 below the best one. "
       "Shuffled, the same point is one of 40.",
       "У одной ошибочной точки потеря самая большая, и показывают её чаще всех: прямая поворачивается к ней, и наклон останавливается примерно на "
       "0,6 ниже наилучшего. При перемешивании это лишь одна точка из 40."),
     Sampling(batches=(4,), orders=("hard", "shuffled"), axis="passes", outlier=True, passes=25, lr=0.012))

# --- noise that frees, and clipping -----------------------------------------------------------------------------------------------------

_add("escape",
     T("Noise that frees", "Шум, который освобождает"),
     T("Set σ to 1, to 4 and to 6.", "Поставьте σ равным 1, 4 и 6."),
     T("256 runs begin in the shallow well. With σ = 1 none escapes in 300 steps, with σ = 4 a quarter, with σ = 6 two thirds.",
       "256 запусков начинаются в мелкой яме. При σ = 1 за 300 шагов не выбрался ни один, при σ = 4 — четверть, при σ = 6 — две трети."),
     Sampling("escape"))
_add("too_much",
     T("Noise that never settles", "Шум, который не даёт успокоиться"),
     T("Lower α from 0.1 to 0.01.", "Уменьшите α с 0,1 до 0,01."),
     T("With σ = 12 and α = 0.1 half of the 256 runs are on the good side, by chance alone, and not one in fifty is within 0.3 of the minimum. "
       "At α = 0.01 about a quarter are.",
       "При σ = 12 и α = 0,1 на хорошей стороне половина из 256 запусков, просто по случаю, а ближе 0,3 к минимуму нет и одного из "
       "пятидесяти. При α = 0,01 там примерно четверть."),
     Sampling("escape", sigma=12.0, lr=0.1))
_add("cliff",
     T("Clipping at the cliff", "Ограничение градиента у обрыва"),
     T("Watch plain SGD at the wall; then raise θ.", "Посмотрите на обычный SGD у стены, затем увеличьте θ."),
     T("One step that touches the wall throws SGD 16 away. Clipped by norm it is never longer than αθ = 0.4, in the same direction. "
       "Momentum steps over the wall without touching it: there is nothing to clip, its three trails are one.",
       "Один шаг, задевший стену, отбрасывает SGD на 16. С ограничением по норме шаг не длиннее αθ = 0,4, а направление то же. "
       "Импульс перешагивает стену, и ограничивать ему нечего: три его траектории совпадают."),
     Sampling("cliff", lr=0.8))
_add("whose",
     T("Whose step clipping bounds, and whose not", "Чей шаг ограничен, а чей нет"),
     T("Compare the longest steps with αθ.", "Сравните самые длинные шаги с αθ."),
     T("By norm SGD keeps to αθ, by value to √2 times that. Momentum 0.9 adds ten such steps up. Adam divides by the gradient's own size: "
       "clipped or not, its longest step is 28 times αθ.",
       "По норме SGD укладывается в αθ, по координатам — в √2 раз больше. Импульс 0,9 складывает десять таких шагов. Adam делит на размер самого "
       "градиента: с ограничением и без него его длиннейший шаг — 28 αθ."),
     Sampling("cliff", lr=0.1, limit=0.05))


def shown_by(p: Sampling) -> str:
    """The preset that a sampling is, or was made of: the one it shares most settings with."""
    def shared(key: str) -> int:
        spec = presets[key].spec
        return len(set(spec.settings) & set(p.settings)) + 100 * (spec == p) if spec.view == p.view else -1
    return max(presets, key=shared)


def opening(query: str, notes: list[T] | None = None) -> Sampling:
    """The sampling of a query, and the first preset's where it is empty."""
    return Sampling.from_query(query, notes) if query else next(iter(presets.values())).spec
