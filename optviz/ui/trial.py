"""The regularization lab: a grid of networks in lockstep, or an experiment and what it found."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from ..core import Refused, T, short
from ..grid import MOST, SEEDS, Grid, Lockstep, Varied, advance, axes, band
from ..race import Race
from ..regular.findings import findings
from ..regular.several import seeds_from
from ..regular.weights import trench
from ..regular_sheets import SHEETS, bands
from ..render.network_exhibit import WallExhibit, wall_exhibit
from ..render.network_wire import pack_wall
from ..render.words import WALL
from ..sheet import Sheet
from ..study import LOOK, Study
from ..trial import FIRST, GRID, OWN_NAMES, Trial, numbers_of, opened, script
from ..wall import Cell, Wall, wall_scene
from .controls import Desk, Example, Lens, examples
from .export import exports
from .frame import put
from .jobs import brief, work
from .network import wall
from .sheet import files, sheet_stage
from .text import language, plain, say

SLICE = 0.3  # seconds of training between two looks at the visitor
WAIT = 15.0  # seconds of training before an export
RUN, FRAMES, WHY, GO = "trial-run", "trial-frames", "trial-why", "trial-go"


# --- the grid -----------------------------------------------------------------------------------------------------------------------------


def under_way(grid: Grid) -> Lockstep | None:
    """The grid's trainings of this visit, begun anew when another grid is asked for; None where they cannot begin."""
    known, run = st.session_state.get(RUN, (None, None))
    key = grid.at(study=grid.study.at(**{name: setting.default for name, setting in LOOK.items()}), seeds=SEEDS.default)
    if known != key:
        st.session_state.pop(WHY, None)
        try:
            run = Lockstep(grid)
        except Refused as refusal:
            st.session_state[WHY] = refusal.text
            st.session_state.pop(RUN, None)
            return None
        st.session_state[RUN] = key, run
        st.session_state[FRAMES] = []
    return run


def after(desk: Desk[Trial], event: dict[str, Any]) -> None:
    """What a visitor did on the wall: more passes, one, all over again, another look, or a cell to open."""
    trial = desk.spec
    run = under_way(trial.grid)
    if isinstance(event.get("look"), dict):
        look = {name: value for name, value in event["look"].items() if name in LOOK}
        desk.edit(lambda t: t.at(study=t.study.at(**look)))
    elif event.get("reset") == "seed":
        desk.edit(lambda t: t.at(study=t.study.reseeded()))
    elif run is None:
        return
    elif "open" in event:
        if type(k := event["open"]) is int and 0 <= k < len(run.studies):
            st.session_state[GO] = "boundary", run.studies[k]
    elif "reset" in event:
        st.session_state.pop(RUN)
    elif "lack" in event:
        st.session_state[FRAMES] = _counts(event["lack"], run)
    elif "more" in event or "step" in event:
        st.session_state[FRAMES] = _counts(event["more"], run) if "more" in event else [len(cell.snapshots) for cell in run.cells]
        try:
            run.take(brief(advance, run.trainers, SLICE, 1 if "step" in event else None))
            st.session_state.pop(WHY, None)
        except Refused as refusal:
            st.session_state[WHY] = refusal.text


def _counts(told: Any, run: Lockstep) -> list[int]:
    """How many frames of each cell are there, as the page says."""
    fine = isinstance(told, list) and len(told) == len(run.cells) and all(type(k) is int and k >= 0 for k in told)
    return told if fine else []


def grid_stage(desk: Desk[Trial], take: int) -> None:
    """Every network of the grid as far as it has come; the stage asks for more when it plays."""
    grid = desk.spec.grid
    run = under_way(grid)
    if (why := st.session_state.get(WHY)) is not None:
        st.warning(plain(say(why)), icon=":material/info:")
    if run is None:
        return
    frames = st.session_state.get(FRAMES) or [0] * len(run.cells)
    first = [min(k, len(cell.snapshots)) for k, cell in zip(frames, run.cells, strict=True)]
    scene = wall_scene(walled(grid, run), first, look=dict(grid.study.look))
    wall(partial(pack_wall, scene, language(), {name: say(text) for name, text in WALL.items()}, take), "trial-wall", partial(after, desk))


def walled(grid: Grid, run: Lockstep) -> Wall:
    """The grid's networks with what stands before its rows and above its columns."""
    rows, columns = grid.heads()
    heads = [T(f"{row.en}, {column.en}", f"{row.ru}, {column.ru}") for row in rows for column in columns]
    return Wall([Cell(*cell) for cell in zip(heads, run.studies, run.cells, strict=True)], len(columns), rows, columns)


def grid_band(trial: Trial) -> None:
    """What comes of every cell over many seeds."""
    grid = trial.grid
    if grid.seeds < 2:
        return
    about = T(f"Training every network from {grid.seeds} seeds", f"Обучаем каждую сеть, зёрен: {grid.seeds}")
    found = work("band", about, band, tuple(study.at(**{name: p.default for name, p in LOOK.items()}) for study in grid.cells()),
                 tuple(seeds_from(grid.study.training, grid.seeds).tolist()))
    if found is None:
        return
    (rows, columns), across = grid.heads(), axes[grid.columns.key].name
    figures = [(found.loss_train, T("loss on training", "потеря на обучении")), (found.loss_val, T("loss on validation", "потеря на проверке"))]
    if found.accuracy_val is not None:
        figures = [(found.accuracy_train, T("right on training", "верных на обучении")),
                   (found.accuracy_val, T("right on validation", "верных на проверке"))]
    sheet_stage(Sheet([bands(rows, columns, across, values, name, f"band-{k}") for k, (values, name) in enumerate(figures)]), "trial-band")


def axes_panel(desk: Desk[Trial]) -> None:
    """What runs down the rows and along the columns, and from how many seeds."""
    grid = desk.spec.grid
    names = {key: T(axis.name.en.rstrip(" =:"), axis.name.ru.rstrip(" =:")) for key, axis in axes.items()}
    for name, label in (("rows", T("Down the rows", "По строкам")), ("columns", T("Along the columns", "По столбцам"))):
        left, right = st.columns([2, 3])
        axis: Varied = getattr(grid, name)
        other = getattr(grid, "columns" if name == "rows" else "rows").key

        def turned(trial: Trial, key: str, name: str = name) -> Trial:
            return trial.at(grid=trial.grid.at(**{name: Varied(key, axes[key].values)}))

        def valued(trial: Trial, text: str, name: str = name, key: str = axis.key) -> Trial:
            return trial.at(grid=trial.grid.at(**{name: Varied(key, axes[key].parse(text))}))
        with left:
            desk.choose(name, say(label), {key: said for key, said in names.items() if key != other}, axis.key, turned)
        with right:
            text = ", ".join("none" if v is None else short(v) if isinstance(v, float) else str(v) for v in axis.values)
            st.text_input(say(T(f"Values, at most {MOST}", f"Значения, не больше {MOST}")), **desk.bound(f"{name}-values", text, valued, about=axis))
    desk.note()
    desk.slider("seeds", say(T("Seeds of the band below (1: none)", "Зёрен для полосы внизу (1 — без неё)")), SEEDS, grid.seeds,
                lambda trial, value: trial.at(grid=trial.grid.at(seeds=value)))


# --- experiments ----------------------------------------------------------------------------------------------------------------------------


def experiment(trial: Trial, take: int) -> None:
    """What an experiment finds on this network: the claim with its numbers, and the charts."""
    finding = trial.finding
    assert finding is not None
    result = work("experiment", finding.name, finding.experiment, trial.study.training, **trial.own)
    if result is None:
        return
    sheet_stage(SHEETS[finding.experiment](result), "trial-sheet", take=take)
    if finding.experiment is trench:
        label = T("Open the surface in the Descent lab", "Открыть поверхность в лаборатории спуска")
        if st.button(say(label), icon=":material/open_in_new:", key="trial-open"):
            st.session_state[GO] = "descent", Race.from_query(result.query, [])


def numbers_panel(desk: Desk[Trial]) -> None:
    """The experiment's own numbers."""
    trial = desk.spec
    for name, p in numbers_of(trial.about).items():
        desk.setting(f"own-{name}", say(OWN_NAMES[name]), p, trial.number(name), partial(_numbered, name))


def _numbered(name: str, trial: Trial, value: Any) -> Trial:
    return trial.at(numbers={name: value})


# --- the page -------------------------------------------------------------------------------------------------------------------------------


def trial_panel(desk: Desk[Trial]) -> None:
    """The grid and every claim, in the order of a lecture."""
    table = {GRID: Example(T("Do not shrink the network, strengthen λ", "Не уменьшайте сеть, усильте λ"),
                           T("Play, and compare the columns; then the rows.", "Запустите и сравните столбцы, затем строки."),
                           T("At λ = 0 twenty neurons learn the wrong labels, too, and have 81 % right on validation (mean of 10 seeds); at "
                             "λ = 0.01 they have 90 %, more than 3 neurons at any λ.",
                             "При λ = 0 двадцать нейронов заучивают и неверные метки: на проверке верных 81 % (среднее по 10 зёрнам); при "
                             "λ = 0,01 — 90 %, больше, чем у 3 нейронов при любом λ."), FIRST)}
    table |= {key: Example(finding.name, finding.do, finding.see, opened(finding)) for key, finding in findings.items()}
    examples(desk, table, lambda trial: trial.about)


def take_home(desk: Desk[Trial]) -> None:
    """At the page's end: the export of the grid, trained to its end first, or of an experiment's charts."""
    trial = desk.spec
    if trial.finding is not None:
        files("regularization", trial.to_query(), f"regularization-{trial.about}", trial.finding.name,
              {name: partial(script, trial) for name in ("optviz", "torch")})
        return

    def whole() -> WallExhibit:
        run = under_way(trial.grid)
        if run is None:
            raise Refused(st.session_state[WHY])
        with st.spinner(say(T("Training to the end …", "Обучаем до конца…"))):
            run.take(brief(advance, run.trainers, WAIT))
        name = T(f"{trial.study['data'].name.en} · {len(run.cells)} networks", f"{trial.study['data'].name.ru} · сетей: {len(run.cells)}")
        return wall_exhibit(walled(trial.grid, run), "regularization", trial.to_query(), f"regularization-{trial.study['data'].key}", name, {})
    exports(whole)


def study_desk(desk: Desk[Trial]) -> Desk[Study]:
    """The controls of the network that all is about."""
    return Lens(desk, "study", lambda trial: trial.study, lambda trial, study: trial.at(study=study))


def gone() -> None:
    """Another lab, if a click asked for it."""
    if (to := st.session_state.pop(GO, None)) is not None:
        page, spec = to
        put(page, spec, push=True, fresh=True)
        st.switch_page(f"pages/{page}.py")
