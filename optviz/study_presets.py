"""Trainings worth showing: each with what to do and what can then be seen; tests/test_study_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import Registry, T
from .datasets import Dataset
from .study import Study


@dataclass(frozen=True)
class Lesson:
    """A study with its lesson; `beside` are those that it is compared with, on one playhead."""

    key: str
    name: T
    do: T
    see: T
    study: Study
    beside: tuple[Study, ...] = ()

    @property
    def whole(self) -> Study:
        """The study with those beside it pinned."""
        return self.study.at(pins=self.beside)


lessons: Registry[Lesson] = Registry()


def _add(key: str, name: T, do: T, see: T, study: Study, *beside: Study) -> None:
    lessons.add(key, Lesson(key, name, do, see, study, beside))


QUICK: dict[str, Any] = {"optimizer": "adam", "lr": 0.03, "loss": "logistic"}
#: |x + y| − |x − y| of four ReLUs: where it is above 0, x and y have one sign.
XOR = (1, -1, 1, -1, 1, -1, -1, 1, 0, 0, 0, 0, 1, 1, -1, -1, 0)

# --- what a network can say ---------------------------------------------------------------------------------------------------------

_add("line",
     T("Without an activation: one line", "Без активации — одна прямая"),
     T("Train; then choose the activation tanh and train again.", "Обучите сеть, затем выберите активацию tanh и обучите снова."),
     T("Three layers without an activation are one line, and no line gets much more than 75 % of these points right; with tanh the same network "
       "has 99 % within 100 passes.",
       "Три слоя без активации — одна прямая, а прямой не взять намного больше 75 % этих точек; с tanh та же сеть за 100 эпох даёт 99 % верных."),
     Study("xor", layers=(8, 8), activation="linear", loss="logistic", lr=0.1))
_add("xor",
     T("XOR by hand", "XOR вручную"),
     T("Drag one of the four weights into the output to 0; then train. Ctrl+Z brings it back.",
       "Потяните один из четырёх весов к выходу до 0, затем обучите сеть. Ctrl+Z вернёт его."),
     T("17 weights set by hand: four half-planes add up to |x+y| − |x−y|, and 100 % are right before the first pass. With one of the four cut, "
       "about 75 % are; within 20 passes training mends it.",
       "17 весов заданы вручную: четыре полуплоскости дают в сумме |x+y| − |x−y|, и ещё до первой эпохи верны 100 %. Без одного из четырёх "
       "верны около 75 %; за 20 эпох обучение это исправляет."),
     Study("xor", layers=(4,), activation="relu", loss="logistic", lr=0.01, val=0.0, weights=XOR, at=0))
_add("circle",
     T("Three lines close a circle", "Три прямые замыкают круг"),
     T("Train; then take one neuron away and train again.", "Обучите сеть, затем уберите один нейрон и обучите снова."),
     T("Each hidden neuron draws one line. Three of them close around the disc, and training gets all points right; two leave it open, "
       "and a tenth stays wrong.",
       "Каждый скрытый нейрон проводит одну прямую. Три замыкаются вокруг круга, и верны все обучающие точки; две оставляют его открытым, "
       "и десятая часть ошибочна."),
     Study("circle", layers=(3,), **QUICK))
_add("spiral",
     T("A spiral needs width", "Спирали нужна ширина"),
     T("Play the whole training; then try 4 neurons.", "Покажите обучение целиком, затем возьмите 4 нейрона."),
     T("32 neurons wind their boundary along the arms, and all training points are right; 4 cannot, and stay below 80 %.",
       "32 нейрона закручивают границу вдоль рукавов, и верны все обучающие точки; 4 так не могут и остаются ниже 80 %."),
     Study("spiral", n=300, layers=(32,), epochs=300, **QUICK))
_add("sines",
     T("The same spiral with sin x, sin y", "Та же спираль с sin x и sin y"),
     T("Take sin x and sin y away, and train again.", "Уберите sin x и sin y и обучите снова."),
     T("Given waves as inputs, 8 neurons get more than 95 % of the validation points right, which 32 did not without them: good inputs are "
       "worth more than width.",
       "Получив на вход волны, 8 нейронов дают больше 95 % верных на проверке, чего без них не смогли и 32: хорошие входы ценнее ширины."),
     Study("spiral", n=300, layers=(8,), epochs=300, features=("x", "y", "sinx", "siny"), **QUICK))
_add("squares",
     T("One neuron and the right inputs", "Один нейрон и верные входы"),
     T("Choose x and y as inputs in the place of the squares.", "Вместо квадратов подайте на вход x и y."),
     T("From x² and y² one neuron with no hidden layer draws the circle, and after 100 passes all points are right; from x and y it has only "
       "a line.",
       "По x² и y² единственный нейрон без скрытых слоёв рисует круг, и через 100 эпох верны все точки; по x и y у него есть только прямая."),
     Study("circle", layers=(), features=("x2", "y2"), **QUICK))

_add("sigmoids",
     T("A sum of sigmoids becomes any curve", "Сумма сигмоид даёт любую кривую"),
     T("Train with 16 hidden neurons; then with 2, 4 and 8.", "Обучите сеть с 16 скрытыми нейронами, затем с 2, 4 и 8."),
     T("Each neuron is one smooth step, faint in the picture; b and their sum are the answer. With 2 it is more than 7 off somewhere, with 4 less "
       "than 2, with 16 less than 0.5: universal approximation.",
       "Каждый нейрон — одна плавная ступень, на картинке бледная; ответ — их сумма и b. С 2 ошибка где-то больше 7, с 4 меньше 2, "
       "с 16 меньше 0,5: универсальная аппроксимация."),
     *[Study("x_sin_x", n=200, layers=(h,), activation="sigmoid", loss="mse", prepare=("centre", "scale"), optimizer="adam", lr=0.05, epochs=300)
       for h in (16, 2, 4, 8)])

# --- what training does -------------------------------------------------------------------------------------------------------------

_add("overfit",
     T("Too many neurons learn the noise", "Лишние нейроны заучивают шум"),
     T("Raise λ of L2 from 0 to 0.01, and leave the neurons.", "Поднимите λ у L2 с 0 до 0,01, не трогая нейроны."),
     T("64 neurons learn 60 noisy points by heart while the validation loss climbs above 1; with λ = 0.01 it ends below 0.5, and more "
       "validation points are right: do not shrink the net, strengthen λ.",
       "64 нейрона заучивают 60 зашумлённых точек, а потеря на проверке поднимается выше 1; при λ = 0,01 она ниже 0,5, и верных больше: "
       "не уменьшайте сеть, усильте λ."),
     Study("circle", noise=0.3, n=120, layers=(32, 32), epochs=200, seed=1, **QUICK))
_add("three",
     T("Three classes", "Три класса"),
     T("Raise the classes from 3 to 5.", "Увеличьте число классов с 3 до 5."),
     T("An output for each class, and softmax makes shares of them. Small first weights know nothing: the first loss is ln 3 = 1.10, "
       "and ln 5 = 1.61 for five.",
       "На каждый класс свой выход, а softmax делает из них доли. Малые начальные веса ничего не знают: первая потеря — ln 3 = 1,10, "
       "а для пяти классов ln 5 = 1,61."),
     Study("blobs", noise=0.2, n=300, layers=(6,), epochs=60, init="normal", **QUICK | {"loss": "ce"}))
_add("divergence",
     T("Divergence has a name", "У расходимости есть имя"),
     T("Lower α from 3 to 0.03; or clip the gradient to length 0.1.", "Уменьшите α с 3 до 0,03 или ограничьте длину градиента числом 0,1."),
     T("With α = 3 every step overshoots more than the last, and within 40 passes some layer's weights overflow: the sentence says which and "
       "when. Either remedy gets 95 % right.",
       "При α = 3 каждый шаг промахивается сильнее прежнего, и не позже 40-й эпохи веса какого-то слоя уходят в бесконечность: фраза скажет, "
       "какого и когда. Оба средства дают 95 % верных."),
     Study("circle", layers=(8, 8), activation="relu", lr=3.0, epochs=60))
_add("momentum",
     T("Momentum against plain SGD", "Импульс против простого SGD"),
     T("Train all three; then give momentum 0.5 in the place of 0.9.", "Обучите все три сети, затем возьмите импульс 0,5 вместо 0,9."),
     T("The same first weights, the same batches: at α = 0.003 momentum 0.9 leaves plain SGD far behind, and keeps step with plain SGD at "
       "0.03 = 0.003/(1 − 0.9).",
       "Те же начальные веса и пакеты: при α = 0,003 импульс 0,9 оставляет простой SGD далеко позади и идёт вровень с простым SGD при "
       "0,03 = 0,003/(1 − 0,9)."),
     Study("circle", layers=(8, 8), epochs=60, optimizer="momentum", lr=0.003),
     Study("circle", layers=(8, 8), epochs=60, lr=0.003), Study("circle", layers=(8, 8), epochs=60, lr=0.03))


def lesson_of(study: Study) -> Lesson | None:
    """The lesson that a study is, or was made of: the first with its data, inputs and optimizer."""
    def field(s: Study) -> tuple[object, ...]:
        return s["data"].key, s["features"], s["optimizer"]
    alike = [lesson for lesson in lessons.values() if field(lesson.study) == field(study)]
    return next((lesson for lesson in alike if lesson.study["layers"] == study["layers"]), alike[0] if alike else None)


def opening(query: str, notes: list[T] | None = None, own: Dataset | None = None) -> Study:
    """The study of a query, on the visitor's own data where it says so, and the first lesson's where it is empty."""
    return Study.from_query(query, notes, own) if query else next(iter(lessons.values())).study
