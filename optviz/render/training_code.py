"""A study as Python to take home: with optviz, and as plain torch; rules are printed from the package's own, never written again."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .. import preparing
from ..augment import augmentations
from ..chance import Draw, generator
from ..core import Refused, T
from ..datasets import Own, as_given
from ..ending import BETTER, lacking
from ..initializers import initializers
from ..latex import source
from ..points import parted
from ..preparing import RAW, mislabel
from ..run import CLIPS
from ..schedules import begin
from ..study import STOPS, Study
from ..trainer import Trainer
from ..training import WORDS, settings_of
from .code import Book, disturbance, documented, filled, folded, framed, keywords, twin

MOST_NUMBERS = 6_000  # that a script may hold

#: What the scripts say of themselves, and of their functions by their names.
SAYS = {
    "with_optviz": T("A network's training, run by optviz.", "Обучение сети, запущенное в optviz."),
    "with_torch": T("A network's training as optviz runs it, in plain torch.", "Обучение сети из optviz на чистом torch."),
    "own": T("points that somebody drew", "точки, нарисованные вручную"),
    "given": T("weights that were set by hand, or found", "веса, заданные вручную или подобранные"),
    "fitted": T("what prepares inputs, as the training part has it", "подготовка входов, найденная по обучающей части"),
    "data": T("data: those to train on first, then those for validation", "данные: сначала обучающие, затем проверочные"),
    "network": T("What the network says to examples; theta holds all weights.", "Ответ сети на примеры; в theta — все веса."),
    "prepared": T("Points as the network is shown them.", "Точки в том виде, в котором их видит сеть."),
    "cost": T("The loss of some examples.", "Потеря на нескольких примерах."),
    "objective": T("The loss of the batch, with penalties.", "Потеря пакета вместе со штрафами."),
    "gradient": T("The gradient, by autograd.", "Градиент, посчитанный autograd."), "value": T("The loss alone.", "Только потеря."),
    "figures": T("Loss and accuracy on the training part, then on the other.", "Потеря и доля верных на обучающей части, затем на другой."),
    "rate": T("The learning rate of step k.", "Скорость обучения на шаге k."),
    "batch_norm": T("Batch normalization: by the moments of the batch, or by those known.",
                    "Нормализация по пакету: по его моментам или по известным."),
    "layer_norm": T("Layer normalization: each example by its own moments.", "Нормализация по слою: каждый пример по своим моментам."),
    "diverged": T("the numbers ended at pass", "числа закончились на эпохе"),
    "training": T("training", "обучение"), "validation": T("validation", "проверка"),
    # helpers of the package's own rules
    "generator": T("Random numbers that depend on these three alone.", "Случайные числа, зависящие только от этих трёх."),
    "in_turn": T("0, 1, 2, 0, 1, 2, …", "0, 1, 2, 0, 1, 2, …"),
    "along": T("0, 1, 2, … within each class, in random order, and how many a class has.",
               "0, 1, 2, … внутри класса в случайном порядке и число примеров в классе."),
    "displaced": T("Where the noise would move each point.", "Куда шум сдвинул бы каждую точку."),
    "cloud": T("Normal points around their centres.", "Нормальные точки вокруг центров."),
    "mislabel": T("A share of the labels moved to another class.", "Доля меток, перенесённых в другой класс."),
    "no_bias": T("Biases begin at 0.", "Смещения начинают с 0."), "uniform_bias": T("Drawn as the weights are.", "Выбираются так же, как веса."),
    "tenth_bias": T("Biases begin at 0.1.", "Смещения начинают с 0.1."),
    "turned": T("Each point turned by its own angle.", "Каждая точка повёрнута на свой угол."),
    "mirrored": T("Left on the right.", "Левое становится правым."),
    "moved": T("Each point moved by its own vector.", "Каждая точка сдвинута на свой вектор."),
    "below": T("The smaller of z and 0.", "Меньшее из z и 0."), "flat": T("The number c, in the shape of z.", "Число c в форме z."),
    "log1pexp": T("ln(1 + e^z), where e^z would overflow.", "ln(1 + e^z) там, где e^z переполнилось бы."),
    "arsinh": T("ln(z + √(z²+1)), without cancellation.", "ln(z + √(z²+1)) без потери знаков."),
    "summed": T("Over the outputs of each example.", "Сумма по выходам каждого примера."),
    "log_softmax": T("Logarithms of the shares e^s / Σe^s.", "Логарифмы долей e^s / Σe^s."),
    "violations": T("By how much the others come too close to each class's score.", "Насколько остальные слишком близки к оценке каждого класса."),
    "thresholded": T("The soft threshold after a step.", "Мягкий порог после шага."),
    "thresholded_and_scaled": T("The soft threshold after a step, and all nearer to 0.", "Мягкий порог после шага, и все веса ближе к нулю."),
    "decayed": T("A share taken off the old weights.", "Доля старых весов отнимается."),
    "finished": T("Whether training stops before pass k + 1.", "Пора ли остановиться перед эпохой k + 1."),
    "shrunk": T("The soft threshold: nearer to 0 by an amount.", "Мягкий порог: ближе к нулю на заданную величину."),
}


# --- with optviz ------------------------------------------------------------------------------------------------------------------------


def with_optviz(study: Study, language: str = "en") -> str:
    """The study as a script of optviz: what is at its default is left out, the rate never is."""
    _check_points(study)
    values = dict(study.training.values)
    table = {**WORDS, **settings_of(values)}
    given: dict[str, Any] = {n: v for n, v in values.items() if n != "data" and (n == "lr" or v != table[n].default)}
    if study.weights:
        given["weights"] = study.weights
    data, before = keywords({"": values["data"].key})[0][1:], []
    if isinstance(values["data"].make, Own):
        data, before = "data", [*_own_data(study), ""]
        if values["n"] == values["data"].size:
            given.pop("n", None)
    stops = {name: value for name, value in study.stops if value != STOPS[name].default}
    if not stops:
        run = [filled("history = ov.train(", [data, *keywords(given)], ")"), "trainer = history.trainer"]
        imports = ["import optviz as ov"]
    else:
        run = [filled("study = Study(", [data, *keywords(given | stops)], ")"), "trainer = study.trainer()",
               "trainer.run(stop=lambda: stopped(study, trainer) is not None)"]
        imports = ["import optviz as ov"] * bool(before) + ["from optviz.ending import stopped", "from optviz.study import Study"]
    title = documented(getattr(SAYS["with_optviz"], language), "")
    return "\n".join([title, "", *imports, "", *before, *run, *_report("trainer.rows[trainer.passes]", language), ""])


def _own_data(study: Study) -> list[str]:
    """The whole of a visitor's own data, as optviz is given them."""
    data = study["data"]
    make = data.make
    _check_count((make.columns + max(make.outputs, 1)) * data.size)
    X, y = as_given(data)
    held = [] if make.held is None else [f"held={np.frombuffer(make.held, bool).tolist()}"]
    named = [f"labels={data.labels}"] if data.labels and list(data.labels) != sorted(set(y)) else []  # not those that the points tell
    return [filled("X = [", [repr(row) for row in X], "]"), filled("y = [", [repr(v) for v in y], "]"),
            filled("data = ov.dataset(", ["X", "y", f'kind="{data.kind}"', *named, *held], ")")]


def _check_points(study: Study) -> None:
    """Refuse a script of points that cannot be learned from."""
    if (text := lacking(study.trainer())) is not None:
        raise Refused(text)


def _check_count(count: int) -> None:
    """Refuse a script that would be nothing but numbers."""
    if count > MOST_NUMBERS:
        raise Refused(T(f"the script would have to hold {count} numbers; make the data or the network smaller: {MOST_NUMBERS} are the most",
                        f"в программе пришлось бы записать чисел: {count}; уменьшите данные или сеть: самое большее {MOST_NUMBERS}"))


def _report(row: str, language: str) -> list[str]:
    """The last line of a script: the losses that it came to."""
    said = [getattr(SAYS[name], language) for name in ("training", "validation")]
    return [f'print("{said[0]}: {{:.6g}}, {said[1]}: {{:.6g}}".format(*map(float, {row}[:2])))']


# --- a rule's own source, for points of a plane -------------------------------------------------------------------------------------------


class _Simple(ast.NodeTransformer):
    """Without checks, which a script needs no more, and without images, which it does not know."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return node.args[1] if isinstance(node.func, ast.Attribute) and node.func.attr == "check" else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(None) if node.id == "image" else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Constant) else node


def _simple() -> Callable[[ast.stmt], list[ast.stmt]]:
    """Keeps of a function, statement by statement, what is left without images; nothing after its return."""
    over = False

    def keep(statement: ast.stmt) -> list[ast.stmt]:
        nonlocal over
        if over or ast.unparse(statement).startswith("plane("):
            return []
        kept = [_Simple().visit(statement)]
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "not None":
            kept = statement.body
        over = isinstance(kept[-1], ast.Return)
        return kept
    return keep


class _Rules(Book):
    """A book that knows NumPy, too: data and weights are drawn by it."""

    def note(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and value is np:
            return
        if getattr(value, "__module__", "") == "math":
            self.numbers[name] = f"{name} = math.{name}"
        elif isinstance(value, np.ndarray):
            self.numbers[name] = f"{name} = np.array({value.tolist()})"
        else:
            super().note(name, value)

    def function(self, f: Callable[..., Any], idea: T | None = None, keep: Callable[[ast.stmt], list[ast.stmt]] | None = None,
                 name: str = "") -> dict[str, list[str]]:
        return super().function(f, idea or SAYS.get(name or f.__name__), keep or _simple(), name)

    def call(self, f: Callable[..., Any], name: str, idea: T | None, given: Mapping[str, str], settings: Mapping[str, Any]) -> str:
        """A call of a rule under a name: what it needs of what is given, and of its own settings."""
        needs = self.function(f, idea, None, name)
        args, named = list[str](), False
        for n in (n for names in needs.values() for n in names):
            named |= n not in given
            args.append(f"{n}={given[n] if n in given else repr(settings[n])}" if named else given[n])
        return f"{name}({', '.join(args)})"


# --- as plain torch -----------------------------------------------------------------------------------------------------------------------

#: What stands around the rules; a line that ends in `#? word` is there where the word holds.
FRAME = """
def batch_norm(x, gain, shift, known, seen):
    <doc>
    if known is None:
        known = x.mean(0), x.var(0, correction=0)
        if seen is not None:
            seen.append([moment.detach() for moment in known])
    mean, variance = known
    return (x - mean) / torch.sqrt(variance + 1e-5) * gain + shift


def layer_norm(x, gain, shift):
    <doc>
    mean, variance = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * gain + shift


def objective(theta<found>):
    <doc>
    x, y, masks = batch  #? dropout
    x, y = batch  #? not dropout
    loss = cost(network(x, theta<training>), y)
    return <penalized>


def gradient(theta):
    <doc>
    theta = theta.detach().requires_grad_()
    found = []  #? batchnorm
    g = torch.autograd.grad(objective(theta, found), theta)[0]  #? batchnorm
    g = torch.autograd.grad(objective(theta), theta)[0]  #? not batchnorm
    if not seen:  #? batchnorm
        seen.extend(found)  #? batchnorm
    return disturbed(g<told>)  #? told
    return g  #? not told


def value(theta):
    <doc>
    with torch.no_grad():
        return objective(theta)


def figures():
    <doc>
    with torch.no_grad():
        out = network(inputs, theta<evaluated>)
        rows = [cost(out[part], targets[part]).item() for part in PARTS]
    decided = out.argmax(1) if out.shape[1] > 1 else (out[:, 0] > 0).long()  #? classes
    rows += [(decided == labels)[part].double().mean().item() for part in PARTS]  #? classes
    return rows
"""
FUNCTIONS = {part.partition("(")[0].removeprefix("def "): part for part in FRAME.strip().split("\n\n\n")}
LOOP = """
theta = torch.tensor(theta)
optimizer = <optimizer>  #? twin
state = [<state>]  #? not twin
updates = 0  #? counts
running = <running>  #? batchnorm
plateau = begin(torch.tensor(<lr>))  #? fed
rows = [figures()]
best, best_pass, kept = rows[0][<watched>], 0, <kept>  #? patience
for k in range(EPOCHS):
    if finished(k):  #? stops
        break  #? stops
    order, good = <order>, <kept>
    shown = <shown>  #? augmented
    <masks>  #? dropout
    for low in range(0, TRAIN, BATCH):
        at = order[low : low + BATCH]
        batch = <batch>
        seen = []  #? batchnorm
        old = theta.clone()  #? moves
        lr = <rate>  #? paced
        optimizer.param_groups[0]["lr"] = lr  #? scheduled twin
        theta.grad = gradient(theta)  #? twin
        optimizer.step()  #? plain twin
        optimizer.step(lambda: value(theta))  #? lbfgs
        theta, state = <step>  #? not twin
        theta.copy_(<moved>)  #? moved twin
        theta = <moved>  #? moved
        updates += 1  #? counts
        <spread>  #? unbiased
        running = [<remembered>]  #? batchnorm
        if not torch.isfinite(theta).all():
            break
    now = figures()
    if not (torch.isfinite(theta).all() and all(map(math.isfinite, now[:2]))):
        print("<diverged>", k + 1)
        theta = good  #? not batchnorm
        theta, running = good  #? batchnorm
        break
    rows.append(now)
    plateau = <plateau>  #? fed
    if now[<watched>] < best:  #? patience
        best, best_pass, kept = now[<watched>], k + 1, <kept>  #? patience
    elif k + 1 - best_pass >= <patience>:  #? patience
        break  #? patience
theta = kept  #? patience flat
theta, running = kept  #? patience moments
"""


def with_torch(study: Study, language: str = "en") -> str:
    """The study as a script of torch and NumPy; Refused where it would need the package's images, or too many numbers."""
    _check_points(study)
    return _Script(study, language).text()


class _Script:
    """A training in plain torch: what its rules need, and the frame around them."""

    def __init__(self, study: Study, language: str):
        if study["data"].image is not None:
            raise Refused(T(f"plain torch code does not carry the images of data={study['data'].key}; take the code with optviz",
                            f"код на чистом torch не содержит изображений data={study['data'].key}; возьмите код с optviz"))
        self.study, self.language, self.book = study, language, _Rules(language)
        self.v, self.trainer = dict(study.training.values), Trainer(study.training, weights=study.weights or None)
        self.net, self.twin = self.trainer.net, twin(study.training)
        v = self.v
        self.told = ""
        self.clips = [name for name in CLIPS if v[name] is not None]
        self.moves = [(p, own) for p, own in self.trainer.penalties if p.move is not None and not p.in_gradient(own)]
        self.charges = [(p, own) for p, own in self.trainer.penalties if p.in_gradient(own)]
        self.augmented = [(i, a) for i, (key, a) in enumerate(augmentations.items()) if v[f"augment_{key}"]]
        schedule, stops = self.trainer.schedule, [name for name, value in study.stops if value is not None and name != "stop_on"]
        holds = {"twin": self.twin, "told": self.clips, "batchnorm": v["batchnorm"] != "none", "dropout": v["dropout"] and self.net.hidden,
                 "classes": self.trainer.labels, "fed": schedule.fed, "patience": v["patience"] is not None, "stops": stops, "moves": self.moves,
                 "moved": self.moves and not self.twin, "moved twin": self.moves and self.twin,
                 "unbiased": v["batchnorm"] != "none" and v["bn_variance"] == "unbiased", "lbfgs": self.twin and v["optimizer"] == "lbfgs",
                 "augmented": self.augmented, "paced": not self.twin or self.moves or schedule.key != "constant",
                 "counts": not self.twin or (schedule.key != "constant" and not schedule.fed and v["schedule_every"] == "update"),
                 "plain twin": self.twin and v["optimizer"] != "lbfgs", "scheduled twin": self.twin and schedule.key != "constant",
                 "patience flat": v["patience"] is not None and v["batchnorm"] == "none",
                 "patience moments": v["patience"] is not None and v["batchnorm"] != "none"}
        self.facts = {word for word, it_does in holds.items() if it_does}

    def say(self, name: str) -> str:
        return getattr(SAYS[name], self.language)

    def text(self) -> str:
        """The whole script: rules first, then data, first weights, and the loop."""
        data, weights, prepared = self.data(), self.weights(), self.prepared()
        network, cost, loop = self.network(), self.cost(), self.loop()
        told = disturbance(self.book, [], self.clips) if self.clips else ""
        self.told = re.sub(r"=(\w+)", lambda found: f"={self.v[found[1]]!r}", told)
        norms = [self.part(name) for name, key in (("batch_norm", "batchnorm"), ("layer_norm", "layernorm")) if self.v[key] != "none"]
        heights = [self.part("value")] if self.book.asked or "lbfgs" in self.facts else []
        after = [*self.rate(), *self.stops(), self.part("objective"), self.part("gradient"), *heights, self.part("figures")]
        self.book.function(generator)
        parts = [*self.book.parts.values(), *norms, *prepared, network, cost, *after]
        modules = sorted(self.book.modules | {"math"})
        out = [documented(self.say("with_torch"), ""), "", *(f"import {name}" for name in modules), "", "import numpy as np", "import torch", "",
               "torch.set_default_dtype(torch.float64)", f"EPOCHS, BATCH, TRAIN = {self.v['epochs']}, {self.trainer.size}, {self.trainer.count}",
               f"PARTS = {'[slice(TRAIN), slice(TRAIN, None)]' if self.trainer.val_count else '[slice(None)] * 2'}", *self.book.numbers.values(),
               *self.sizes(), "", "", *(f"{part}\n\n" for part in parts), *data, "", *weights, "", *loop, *_report("rows[-1]", self.language), ""]
        return "\n".join(out)

    def part(self, name: str) -> str:
        """One function of the frame as this training needs it."""
        evaluated = ", running" if "batchnorm" in self.facts else ""
        training = (", seen=seen" if "batchnorm" in self.facts else "") + (", masks=masks" if "dropout" in self.facts else "")
        charges = [self.book.call(p.rule, p.key + "_penalty", p.idea, {"w": "theta * CHARGED"}, own._asdict()) for p, own in self.charges]
        words = {"found": ", seen=None" if "batchnorm" in self.facts else "", "evaluated": evaluated, "training": training, "told": self.told,
                 "penalized": " + ".join(["loss", *charges])}
        return framed(FUNCTIONS[name], self.facts, words, self.say(name))

    # --- data ---------------------------------------------------------------------------------------------------------------------------

    def data(self) -> list[str]:
        """Points, their split and their order; the targets that a loss compares outputs with."""
        v, t = self.v, self.trainer
        seed = v["seed"] if v["data_seed"] is None else v["data_seed"]
        lines = [f"# {self.say('data')}"]
        if isinstance(v["data"].make, Own):
            sample = v["data"].sample(v["n"], v["noise"], seed)
            _check_count(sample.X.size + sample.y.size)
            lines = [f"# {self.say('own')}", filled("X = np.array([", [repr(row) for row in sample.X.tolist()], "])"),
                     filled("y = np.array([", [repr(value) for value in sample.y.tolist()], "])"), *lines]
        else:
            given = {"n": str(v["n"]), "noise": repr(v["noise"]), "points": chance(seed, Draw.POINTS), "noises": chance(seed, Draw.NOISE)}
            own = {name: v[f"data_{name}"] for name in v["data"].params}
            lines.append(folded("X, y = ", self.book.call(v["data"].make, v["data"].key + "_points", v["data"].idea, given, own)))
        if isinstance(v["data"].make, Own) and v["data"].make.held is not None:
            order = np.concatenate(parted(v, v["n"], seed))
            lines.append(f"order = np.array({order.tolist()})")
        else:
            lines.append(f"order = {chance(seed, Draw.SPLIT)}.permutation(len(X))")
        lines.append("X, y = X[order], y[order]")
        if v["label_noise"] and t.labels:
            given = {"y": "y[:TRAIN]", "classes": str(len(t.labels)), "share": repr(v["label_noise"]), "rng": chance(seed, Draw.LABELS)}
            lines.append(folded("y[:TRAIN] = ", self.book.call(mislabel, "mislabel", None, given, {})))
        lines.append(f"inputs = torch.tensor({'prepared(X)' if self.prepares else 'X'})")
        if t.labels:
            lines += ["labels = torch.tensor(y)", f"targets = {self.coded('labels', 0.0)}"]
            if v["label_smoothing"]:
                lines.append(f"shown_targets = {self.coded('labels', v['label_smoothing'])}")
        else:
            lines.append("targets = torch.tensor(y)")
        return lines

    def coded(self, y: str, smoothing: float) -> str:
        """Targets of class indices: shares of each class, or signs."""
        classes = len(self.trainer.labels)
        shares = f"torch.eye({classes})[{y}]"
        if smoothing:
            shares = f"{1 - smoothing!r} * {shares} + {smoothing / classes!r}"
        if self.trainer.loss.coding == "classes":
            return shares
        signs = f"2 * {shares} - 1" if not smoothing else f"2 * ({shares}) - 1"
        return f"({signs})[:, -1:]" if self.trainer.loss.outputs(classes) == 1 else signs

    @property
    def prepares(self) -> bool:
        return self.v["features"] != RAW or bool(self.v["prepare"])

    def prepared(self) -> list[str]:
        """The function that makes a network's inputs of points."""
        if not self.prepares:
            return []
        lines = ["def prepared(X):", documented(self.say("prepared"))]
        if self.v["features"] != RAW:
            columns = feature_columns()
            lines += ["    x, y = X[:, 0], X[:, 1]", filled("X = np.stack([", [columns[name] for name in self.v["features"]], "], 1)", "    ")]
        return ["\n".join([*lines, f"    return {'X @ MATRIX + SHIFT' if self.v['prepare'] else 'X'}"])]

    def weights(self) -> list[str]:
        """The first weights, drawn in the order of the blocks; written out where no drawing finds them."""
        v, init = self.v, initializers[self.v["init"]]
        if self.study.weights or init.looks:
            _check_count(self.net.size)
            return [f"# {self.say('given')}", filled("theta = np.array([", [repr(w) for w in self.trainer.theta.tolist()], "])")]
        h, items = {name: v[f"init_{name}"] for name in init.params}, []
        for b in self.net.blocks:
            rows, columns = b.shape
            given = {"rng": "rng", "fan_in": str(rows if b.kind == "weight" else self.net.widths[b.layer]), "fan_out": str(columns)}
            if b.kind == "weight":
                items.append(self.book.call(init.rule, init.key + "_weights", init.idea, given, h) + ".ravel()")
            elif b.kind == "bias":
                items.append(self.book.call(init.bias, init.bias.__name__, None, given, h) + ".ravel()")
            else:
                value = 1.0 if b.kind.endswith("_gain") else 0.0 if b.kind.endswith("_shift") else getattr(self.net.settings[b.layer], b.kind)
                items.append(f"np.full({columns}, {value!r})")
        return [f"rng = {chance(v['seed'], Draw.WEIGHTS)}", filled("theta = np.concatenate([", items, "])")]

    def sizes(self) -> list[str]:
        """The shapes of the blocks, and what else the functions name."""
        out = [filled("SHAPES = [", [repr(b.shape) for b in self.net.blocks], "]")]
        if self.v["prepare"]:
            p = self.trainer.preparation
            _check_count(p.matrix.size)
            out += [f"# {self.say('fitted')}", filled("MATRIX = np.array([", [repr(row) for row in p.matrix.tolist()], "])"),
                    filled("SHIFT = np.array([", [repr(value) for value in p.shift[0].tolist()], "])")]
        if self.trainer.penalties:
            wanted = self.v["penalty_layers"] or range(1, len(self.net.widths))
            charged = ["ones" if b.kind == "weight" and b.layer + 1 in wanted else "zeros" for b in self.net.blocks]
            items = [f"torch.{filling}({b.at.stop - b.at.start})" for filling, b in zip(charged, self.net.blocks, strict=True)]
            out.append(filled("CHARGED = torch.cat([", items, "])"))
        return out

    # --- the network --------------------------------------------------------------------------------------------------------------------

    def network(self) -> str:
        """Numbers through the layers, line by line."""
        net, v = self.net, self.v
        names = [f"{'w' if b.kind == 'weight' else 'b' if b.kind == 'bias' else b.kind}{b.layer + 1}" for b in net.blocks]
        views = " = (p.view(s) for p, s in zip(parts, SHAPES))"
        alone = ", ".join(names) + "," * (len(names) == 1) + views
        lines = ["parts = theta.split([math.prod(shape) for shape in SHAPES])", alone if len(alone) < 96 else filled("(", names, ")" + views)]
        for layer in range(net.hidden + 1):
            k, hidden = layer + 1, layer < net.hidden
            joined = hidden and net.residual and net.widths[layer] == net.widths[layer + 1]
            lines += ["before = x"] * joined
            lines.append(f"x = x @ w{k}" + f" + b{k}" * net.bias)
            lines += self.normalized("before", layer) if hidden else []
            active = self.activated(layer)
            if lines[-1].startswith("x = x @") and len(active) == 1 and (plain := re.fullmatch(r"x = ([\w.]+)\(x\)", active[0])):
                active = [f"x = {plain[1]}({lines.pop().removeprefix('x = ')})"]
            lines += active
            lines += self.normalized("after", layer) if hidden else []
            if hidden and "dropout" in self.facts:
                kept = f"x * {1 - v['dropout']!r}" if v["dropout_form"] == "at_test" else "x"
                lines.append(f"x = {kept} if masks is None else x * masks[{layer}]")
            lines += ["x = x + before"] * joined
        parameters = ["x", "theta", *["running=None", "seen=None"] * ("batchnorm" in self.facts), *["masks=None"] * ("dropout" in self.facts)]
        body = [f"    {part}" for line in lines for part in line.splitlines()]
        return "\n".join([f"def network({', '.join(parameters)}):", documented(self.say("network")), *body, "    return x"])

    def normalized(self, place: str, layer: int) -> list[str]:
        k = layer + 1
        out = [f"x = batch_norm(x, bn_gain{k}, bn_shift{k}, running and running[{layer}], seen)"] * (self.net.batchnorm == place)
        return out + [f"x = layer_norm(x, ln_gain{k}, ln_shift{k})"] * (self.net.layernorm == place)

    def activated(self, layer: int) -> list[str]:
        """The nonlinearity; torch's own where the rule is nothing but its name."""
        a, h, lines = self.net.activations[layer], self.net.settings[layer], []
        rule = source(a.rule).body[-1]
        assert isinstance(rule, ast.Return) and rule.value is not None
        body = ast.unparse(rule.value)
        if body == "z":
            return []
        if own := re.fullmatch(r"xp\.(\w+)\(z\)", body):
            return [f"x = torch.{own[1]}(x)"]
        if (pieces := self.net.pieces(layer)) > 1:
            lines.append(f"x = x.view(len(x), -1, {pieces})")
        given = {"z": "x", **{name: f"{name}{layer + 1}" for name in a.learned}}
        return [*lines, "x = " + self.book.call(a.rule, a.key, a.idea, given, h._asdict())]

    def cost(self) -> str:
        """The loss of examples, by the rule's own formula."""
        loss, h = self.trainer.loss, self.trainer.loss_h._asdict()

        def said(**given: str) -> str:
            return self.book.call(loss.formula, loss.key + "_loss", loss.idea, given, h)
        lines = []
        if loss.margin and self.v["label_smoothing"]:
            lines.append("plus = (1 + y) / 2")
            each = f"(plus * {said(m='out')} + (1 - plus) * {said(m='-out')})"
        else:
            each = said(m="y * out") if loss.margin else said(out="out", y="y")
        lines.append(f"return {each}.{self.v['reduction']}()")
        return "\n".join(["def cost(out, y):", documented(self.say("cost")), *(f"    {line}" for line in lines)])

    # --- the loop -----------------------------------------------------------------------------------------------------------------------

    def rate(self) -> list[str]:
        """The schedule as a function of the step, where there is one."""
        schedule = self.trainer.schedule
        if schedule.fed or schedule.key == "constant":
            return []
        steps = self.v["epochs"] * (self.trainer.per_pass if self.v["schedule_every"] == "update" else 1)
        numbers = {"k": "torch.tensor(float(k))", "lr": f"torch.tensor({self.v['lr']!r})", "steps": f"torch.tensor({steps}.0)",
                   **{name: f"torch.tensor({float(self.v[f'schedule_{name}'])!r})" for name in schedule.params}}
        call = self.book.call(schedule.rule, schedule.key + "_rate", schedule.idea, numbers, {})
        return ["\n".join(["def rate(k):", documented(self.say("rate")), folded("    lr = ", call), "    return torch.nan_to_num(lr).item()"])]

    def loop(self) -> list[str]:
        """Pass after pass, batch after batch."""
        v, t = self.v, self.trainer
        schedule, watched = t.schedule, 1 if t.val_count else 0
        words = {"lr": repr(v["lr"]), "watched": str(watched), "diverged": self.say("diverged"), "patience": str(v["patience"]),
                 "kept": "(theta.clone(), running)" if "batchnorm" in self.facts else "theta.clone()"}
        words["rate"] = f"rate({'updates' if v['schedule_every'] == 'update' else 'k'})"
        if schedule.fed or schedule.key == "constant":
            words["rate"] = "plateau[0].item()" if schedule.fed else repr(v["lr"])
        words["order"] = f"{chance(v['seed'], Draw.ORDER, 'k')}.permutation(TRAIN)" if v["shuffle"] else "np.arange(TRAIN)"
        if self.augmented:
            shown = "X[order]"
            for i, a in self.augmented:
                given = {"X": shown, "amount": repr(v[f"augment_{a.key}"]), "rng": chance(v["seed"], Draw.AUGMENT, f"{len(augmentations)} * k + {i}")}
                shown = self.book.call(a.rule, a.key, a.idea, given, {})
            words["shown"] = f"torch.tensor({f'prepared({shown})' if self.prepares else shown})"
        batch = ["shown[low : low + BATCH]" if self.augmented else "inputs[at]",
                 "shown_targets[at]" if v["label_smoothing"] and t.labels else "targets[at]"]
        if "dropout" in self.facts:
            widths, p = v["layers"], v["dropout"]
            stay = f"{chance(v['seed'], Draw.DROPOUT, 'k')}.random((TRAIN, {sum(widths)})) >= {p!r}"
            scaled = f"/ {1 - p!r}" if v["dropout_form"] == "inverted" else "* 1.0"
            words["masks"] = f"masks = torch.tensor(({stay}) {scaled}).split({list(widths)}, 1)"
            batch.append("[mask[low : low + BATCH] for mask in masks]")
        words["batch"] = ", ".join(batch)
        words |= self.optimized() | self.moments()
        words["moved"] = "theta"
        for p, own in self.moves:
            given = {"new": words["moved"], "old": "old", "amount": f"lr * {own.strength!r} * CHARGED"}
            assert p.move is not None
            words["moved"] = self.book.call(p.move, p.key + "_step", SAYS[p.move.__name__], given, own._asdict())
        if schedule.fed:
            self.book.function(begin)
            settings = {name: v[f"schedule_{name}"] for name in schedule.params}
            given = {"loss": f"torch.tensor(now[{watched}])", "state": "plateau"}
            words["plateau"] = self.book.call(schedule.rule, schedule.key + "_rate", schedule.idea, given, settings)
        return [laid(line) for line in framed(LOOP.strip(), self.facts, words).splitlines()]

    def optimized(self) -> dict[str, str]:
        """torch's own optimizer, or the package's step with what it remembers."""
        o, v = self.trainer.optimizer, self.v
        if self.twin:
            return {"optimizer": self.twin.removeprefix("lambda p: ").replace("(p", "([theta]", 1)}
        name, settings = self.book.step(o, o.options({n: v[n] for n in o.params}))
        named = [f"{n}=lr" if n == "lr" else f"{n}={0.0 if v[n] is None else v[n]!r}" for n in settings]
        theta = self.trainer.theta
        return {"step": f"{name}(gradient, theta, state, torch.tensor(updates + 1.0), {', '.join(named)})",
                "state": ", ".join(remembered(np.asarray(s, float), theta) for s in self.trainer.state)}

    def moments(self) -> dict[str, str]:
        """How the running moments of batch normalization follow those of a batch."""
        if self.trainer.running is None:
            return {}
        widths, b = [m.mean.shape[-1] for m in self.trainer.running], self.v["bn_momentum"]
        spread = "spread * " if "unbiased" in self.facts else ""
        moved = f"({1 - b!r} * mean + {b!r} * m, {1 - b!r} * variance + {b!r} * {spread}s)"
        return {"running": "[" + ", ".join(f"(torch.zeros({w}), torch.ones({w}))" for w in widths) + "]",
                "spread": "spread = len(at) / max(len(at) - 1, 1)", "remembered": f"{moved} for (mean, variance), (m, s) in zip(running, seen)"}

    def stops(self) -> list[str]:
        """The function that asks the study's conditions before every pass, where there are any."""
        if "stops" not in self.facts:
            return []
        s, at = self.study, 1 if self.study["stop_on"] == "val" and self.trainer.val_count else 0
        plateau = s["stop_plateau"]
        late, early = (f"min(row[{at}] for row in rows[{part}])" for part in (f"-{plateau}:", f":-{plateau}"))
        said = {"stop_passes": f"k >= {s['stop_passes']}", "stop_loss": f"rows[-1][{at}] < {s['stop_loss']!r}",
                "stop_accuracy": f"rows[-1][{2 + at}] >= {s['stop_accuracy']!r}",
                "stop_plateau": f"(k >= {plateau} and {late} >= {early} * {1 - BETTER!r})"}
        asked = [text for name, text in said.items() if s[name] is not None and not (name == "stop_accuracy" and not self.trainer.labels)]
        return ["\n".join(["def finished(k):", documented(self.say("finished")), folded("    return ", " or ".join(asked) or "False")])]


def laid(line: str) -> str:
    """A statement of the loop; one that is too long is folded."""
    statement = re.match(r"(\s*[\w., ]+ = )(.*)", line)
    return folded(statement[1], statement[2]) if statement else line


def chance(seed: int, draw: Draw, moment: str = "0") -> str:
    """The generator that the training itself draws from."""
    return f"generator({seed}, {int(draw)}, {moment})"


def feature_columns() -> dict[str, str]:
    """Each feature as an expression of x and y, out of their table's own source."""
    assigned = [node for node in ast.parse(inspect.getsource(preparing)).body if isinstance(node, ast.AnnAssign)]
    table = next(node.value for node in assigned if ast.unparse(node.target) == "FEATURES")
    assert isinstance(table, ast.Dict)
    return {name: ast.unparse(rule.body) for name, rule in zip(preparing.FEATURES, table.values, strict=True) if isinstance(rule, ast.Lambda)}


def remembered(value: np.ndarray, theta: np.ndarray) -> str:
    """What an optimizer remembers before its first step, as torch makes it."""
    if value.shape == theta.shape and (value == theta).all() and np.ptp(theta):
        return "theta.clone()"
    if value.ndim == 2 and value.shape[0] == value.shape[1] and (value == np.eye(len(value))).all():
        return f"torch.eye({len(value)})"
    if np.ptp(value):
        raise TypeError("a first memory is one number, the weights, or the identity")
    return f"torch.full({value.shape}, {float(value.flat[0])!r})"
