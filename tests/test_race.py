"""A race is its URL: what goes out comes back, whatever a visitor puts in between."""

import math
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optviz as ov
from optviz.race import LOOK, MOST_ENTRANTS, TABLE, Entrant, Race, entrant_on, entrant_table

HERE = pathlib.Path(__file__).parent
OWN = ["x^2 + 3*sin(y)", "x/y + 1e-3", "max(x, y)", "log(x) + y^2"]


def drawn(draw, table):
    """Some settings of a table, from their ranges."""
    return {name: draw(st.sampled_from(p.choices) if hasattr(p, "choices") else st.integers(max(int(p.low), 1), int(p.high)) if p.whole else
                       st.floats(p.low, p.high).filter(p.allowed.holds))
            for name, p in table.items() if draw(st.booleans())}


@st.composite
def entrants(draw):
    o, k = draw(st.sampled_from(list(ov.optimizers))), draw(st.sampled_from(list(ov.schedules)))
    return Entrant(o, k, draw(st.booleans()), draw(st.none() | st.floats(0, 1e3)), **drawn(draw, entrant_table(ov.optimizers[o], ov.schedules[k])))


@st.composite
def races(draw):
    """Any race that can be: every surface, optimizer and schedule, with settings drawn from their ranges."""
    s = draw(st.sampled_from([*ov.surfaces, *map(ov.surface, OWN)]))
    s = ov.surfaces[s].at(**drawn(draw, dict(ov.surfaces[s].params))) if isinstance(s, str) else s
    sides = st.tuples(st.floats(-5, 0), st.floats(1, 9))
    start = draw(st.tuples(st.floats(0.1, 5), st.floats(0.1, 5)) | st.none())
    return Race(s, start, draw(st.lists(entrants(), max_size=4) | st.none()), draw(st.tuples(sides, sides) | st.none()), **drawn(draw, {**TABLE, **LOOK}))


@settings(max_examples=60)
@given(races())
def test_query_round_trip(race):
    notes: list[ov.T] = []
    assert Race.from_query(race.to_query(), notes) == race and notes == []
    assert Race.from_query("?" + race.to_query()) == race and hash(Race.from_query(race.to_query())) == hash(race)
    assert len(race.runs) == len(race.entrants) and race.starts.shape == (2, race["crowd"])


def test_a_race_without_a_query_is_the_default_one():
    assert Race.from_query("") == Race() and [e.optimizer for e in Race().entrants] == ["sgd", "momentum", "nesterov", "rmsprop", "adam"]
    assert all(e["lr"] == ov.surfaces["rosenbrock"].recommended_lr(e.optimizer) for e in Race().entrants)
    assert Race.from_query("optimizer=").entrants == ()


def same_run(race, run):
    """True where a race of one does what a single run does."""
    (mine,) = race.runs
    return (mine.surface, mine.optimizer, mine.start, mine.steps, mine.schedule, mine.settings) == \
        (run.surface, run.optimizer, run.start, run.steps, run.schedule, run.settings)


@pytest.mark.parametrize("query", (HERE / "old_links.txt").read_text().split())
def test_old_links_open_as_a_race_of_one(query):
    notes: list[ov.T] = []
    race = Race.from_query(query, notes)
    assert notes == [] and same_run(race, ov.Run.from_query(query)) and Race.from_query(race.to_query()) == race


@settings(max_examples=80)
@given(races().filter(lambda race: race.entrants))
def test_the_query_of_a_single_run_opens_as_a_race_of_one(race):
    run = race.runs[0]
    notes: list[ov.T] = []
    assert same_run(Race.from_query(run.to_query(), notes), run) and notes == []


@pytest.mark.parametrize(("bad", "named"), [
    ("surface=moon", "moon"), ("formula=x%2B", "the formula"), ("formula=x%2Bz", "'z'"), ("formula=__import__('os').system('ls')", "__import__"),
    ("surface_q=3", "surface_q"), ("box=3,2,1,0", "a box"), ("box=1,2", "box='1,2'"), ("box=a,b,c,d", "box="), ("box=1e400,2,3,4", "box=inf"),
    ("start=1", "start"), ("start=1e400,1", "start=inf"), ("start=nan,1", "start=nan"), ("start=one,two", "start="), ("start=1e200,1", "start="),
    ("steps=0", "steps='0'"), ("steps=1e9", "steps='1e9'"), ("steps=2.5", "steps"), ("noise=-1", "noise"), ("noise=nan", "noise"), ("seed=1.5", "seed"),
    ("crowd=501", "crowd"), ("scatter=spiral", "scatter"), ("spread=0", "spread"), ("tolerance=0", "tolerance"), ("view=side", "view"),
    ("yaw=inf", "yaw"), ("pitch=91", "pitch"), ("zoom=0", "zoom"), ("at=-1", "at="), ("explain=3", "explain=3"), ("foo=3", "foo"), ("b%00=1", "b"),
    ("optimizer=adamm", "adamm"), ("optimizer=adam:lr=fast", "lr='fast'"), ("optimizer=adam:beta1=7", "beta1='7'"), ("optimizer=adam:foo=3", "foo"),
    ("optimizer=adam:schedule=zig", "zig"), ("optimizer=adam:eps_place=under", "eps_place"), ("optimizer=adam:lr=1e400", "lr='1e400'"),
    ("optimizer=adam:lr", "lr=''"), ("optimizer=adam:schedule_gamma=1", "schedule_gamma"), ("optimizer=sgd:momentum=0.9", "momentum"),
    ("optimizer=adam:untuned=nan", "untuned='nan'"), ("optimizer=adam:untuned=-1", "untuned='-1'"), ("optimizer=adam:untuned=fast", "untuned='fast'")])
def test_what_cannot_be_used_falls_back_by_itself_and_is_named(bad, named):
    good = Race("ravine", (3.0, 2.0), [Entrant("sgd", lr=0.05)], noise=0.2, steps=70)
    notes: list[ov.T] = []
    fields = [f for f in good.to_query().split("&") if f.split("=")[0] != bad.split("=")[0] or bad.startswith("optimizer")]
    race = Race.from_query("&".join([*fields, bad]), notes)
    assert len(notes) == 1 and named in notes[0].en and len(notes[0].en) < 1500
    assert any("а" <= c <= "я" for c in notes[0].ru)
    other = {"surface": Race.from_query("&".join(fields), []).surface, "formula": good.surface}.get(bad.split("=")[0], good.surface)
    assert race.surface == other and race.entrants[0] == good.entrants[0]
    for name in ("noise", "steps"):
        assert race[name] == (good[name] if not bad.startswith(name) else TABLE[name].default)
    if "adam:" in bad:
        assert race.entrants[1] == entrant_on(good.surface, "adam")
    with pytest.raises(ov.Refused):
        Race.from_query("&".join([*fields, bad]))


def test_a_bad_box_does_not_take_the_formula_with_it():
    notes: list[ov.T] = []
    race = Race.from_query("formula=x^2%2By^4&box=3,2,1,0&optimizer=sgd", notes)
    assert race.surface.formula == "x^2+y^4" and len(notes) == 1
    notes.clear()
    race = Race.from_query("formula=log(x)&box=-3,-1,0,1&optimizer=sgd", notes)  # nowhere finite there
    assert race.surface.key == "rosenbrock" and len(notes) == 1


@pytest.mark.parametrize("absurd", [
    "&".join(["optimizer=adam"] * 150), "&".join(["optimizer=adam"] * 500), "&".join(f"a{i}=1" for i in range(150)),
    "surface=" + "ab" * 500_000, "formula=" + "x%2B" * 250_000 + "x", "formula=" + "(" * 900 + "x" + ")" * 900, "formula=9^9^9^9^9", "formula=x^(10^400)",
    "formula=" + "-" * 900 + "x", "optimizer=adam:" + ",".join(["lr=1"] * 100_000), "optimizer=adam:" + "beta1=" * 100_000, "optimizer=adam:" + ",".join(f"a{i}=1" for i in range(100_000)), "start=" + "1," * 100_000,
    "steps=" + "9" * 100_000, "%" * 1000, "&" * 1_000_000, "=" * 1000, "💥=💥", "optimizer=💥:💥=💥", "formula=𝐱^2", "start=٣,٤", "steps=1_0", "at=", "box=,,,"])
def test_absurd_queries_are_read_in_good_time(absurd):
    notes: list[ov.T] = []
    race = Race.from_query(absurd, notes)
    assert len(race.entrants) <= MOST_ENTRANTS and Race.from_query(race.to_query()) == race
    assert sum(len(n.en) + len(n.ru) for n in notes) < 400_000


@settings(max_examples=120)
@given(st.lists(st.tuples(st.sampled_from(["v", "surface", "formula", "box", "optimizer", "start", "steps", "lr", "beta1", "schedule", "seed", "crowd", "surface_b", "at"]),
                          st.one_of(st.text(max_size=12), st.sampled_from(["adam", "adam:lr=1", "sgd:schedule=step,lr=2,schedule_gamma=.1", "ravine", "1,2", "1e999",
                                                                           "-1", "x^2", "sqrt(x)", "0,1,0,1", "noam", "💥", "%00", ""]))), max_size=8))
def test_no_query_raises_when_notes_are_taken(pairs):
    race = Race.from_query("&".join(f"{k}={v}" for k, v in pairs), [])
    assert Race.from_query(race.to_query()) == race


def test_an_own_formula_keeps_the_box_it_is_looked_at_in():
    race = Race(ov.surface("x^2 + y^4"), entrants=[Entrant("sgd")]).at(box=((-1, 2), (0, 5)))
    assert race.surface.box == race.box and Race.from_query(race.to_query()) == race
    with pytest.raises(ov.Refused, match="finite nowhere"):
        Race(ov.surface("log(x)")).at(box=((-2, -1), (0, 1)))
    changed = race.at(start=(0.5, 1.0)).with_formula("x^2 + 2*y^4")
    assert (changed.box, changed.start) == (race.box, (0.5, 1.0))
    assert math.isfinite(changed.with_formula("log(x - 1)").surface.value(*changed.with_formula("log(x - 1)").start))
    assert Race("beale").with_formula("x*y").box == ov.surface("x*y").box


def test_on_keeps_a_rate_of_ones_own_and_moves_a_recommended_one():
    ravine, beale = ov.surfaces["ravine"], ov.surfaces["beale"]
    race = Race(ravine, (1.0, 1.0), [entrant_on(ravine, "sgd"), Entrant("sgd", lr=0.0123), entrant_on(ravine, "adam", beta1=0.5)], at=7)
    there = race.on(beale)
    assert [e["lr"] for e in there.entrants] == [beale.recommended_lr("sgd"), 0.0123, beale.recommended_lr("adam")]
    assert there.entrants[2]["beta1"] == 0.5 and (there.start, there.box, there["at"]) == (beale.start, beale.box, None)
    assert race.with_parameter("b", 30.0).on(beale) == there
    assert there.on(ravine).entrants == race.entrants
    assert math.isfinite(Race().on(ov.surface("sqrt(x)")).surface.value(*Race().on(ov.surface("sqrt(x)")).start))


def test_another_optimizer_or_schedule_keeps_only_what_means_the_same():
    rms = Entrant("rmsprop", "step", alpha=0.8, lr=0.3, schedule_gamma=0.5, clip_norm=2.0)
    assert rms.at(optimizer="lookahead")["alpha"] == 0.5 and rms.at(optimizer="lookahead")["lr"] == 0.3
    assert rms.at(schedule="multistep")["schedule_gamma"] == 0.5 and rms.at(schedule="exponential")["schedule_gamma"] == 0.99
    assert rms.at(optimizer="sgd")["clip_norm"] == 2.0 and Entrant("momentum", momentum=0.7).at(optimizer="nesterov")["momentum"] == 0.7
    assert rms.recommended(ov.surfaces["bowl"]) == entrant_on(ov.surfaces["bowl"], "rmsprop")


def test_a_tuned_rate_remembers_the_one_before_until_another_is_set():
    e = Entrant("adam", lr=0.1, beta1=0.8)
    tuned = e.at(lr=0.83, untuned=0.1)
    assert tuned.word() == "adam:lr=0.83,beta1=0.8,untuned=0.1" and tuned != e.at(lr=0.83)
    assert tuned.at(beta1=0.5).untuned == tuned.at(schedule="cosine").untuned == tuned.at(muted=True).untuned == 0.1
    assert tuned.at(lr=0.83).untuned is tuned.at(optimizer="sgd").untuned is tuned.recommended(ov.surfaces["bowl"]).untuned is None
    for order in ("lr=0.83,untuned=0.1", "untuned=0.1,lr=0.83"):
        assert Race.from_query(f"optimizer=adam:{order},beta1=0.8").entrants == (tuned,)


def test_a_fair_race_and_the_way_back():
    race = Race("bowl", entrants=[Entrant("sgd", lr=0.01), Entrant("sgd", lr=0.02), Entrant("adam", lr=0.1)])
    fair = race.fair([0.5, None, 0.1])
    assert [(e["lr"], e.untuned) for e in fair.entrants] == [(0.5, 0.01), (0.02, None), (0.1, 0.1)]
    assert fair.tuned and not race.tuned and fair.untuned() == race and race.untuned() == race
    assert fair.fair([0.4, 0.3, None]).untuned() == race  # tuned again, what is remembered is still what a person chose
    assert fair.on(ov.surfaces["beale"]) == race.on(ov.surfaces["beale"]) and fair.at(start=(1.0, 1.0)).tuned


def test_impossible_races_are_refused():
    for wrong in ({"start": (1e200, 0.0)}, {"start": ([1, 2], 0.0)}, {"start": 3}, {"entrants": [Entrant("sgd")] * 17}, {"box": ((1, 0), (0, 1))}, {"box": 3},
                  {"steps": 10**5}, {"crowd": 501}, {"zoom": 0}, {"tilt": 0}, {"surface": "moon"}, {"nonsense": 1}):
        with pytest.raises(ov.Refused):
            Race(**wrong)
    for wrong in ({"lr": np.ones(3)}, {"noise": 1.0}, {"untuned": np.ones(2)}, {"untuned": math.inf}, {"untuned": "1"}, {"optimizer": "moon"}, {"schedule": "moon"}):
        with pytest.raises(ov.Refused):
            Entrant(**{"optimizer": "sgd", **wrong})
    with pytest.raises(ov.Refused, match="finite"):
        Race(ov.surface("sqrt(x)"), (-1.0, 0.0))


# --- the crowd ----------------------------------------------------------------------------------------------------------------------------


def test_a_cloud_lies_around_the_start_and_is_seeded():
    race = Race("beale", (2.0, 1.7), crowd=500, spread=0.1, seed=3)
    off = (race.starts - np.array([[2.0], [1.7]])) / (0.1 * 9.0)
    assert abs(off.mean(axis=1)).max() < 4 / math.sqrt(500) and abs(off.std(axis=1) - 1).max() < 0.15
    np.testing.assert_array_equal(race.starts, race.at(steps=7).starts)
    np.testing.assert_array_equal(race.starts[:, :20], race.at(crowd=20).starts)
    assert (race.starts != race.at(seed=4).starts).all()
    np.testing.assert_allclose(race.at(spread=0.2).starts - race.at(spread=0.1).starts, race.starts - np.array([[2.0], [1.7]]), atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 10, 37, 500])
def test_a_grid_lies_inside_the_box_evenly(n):
    race = Race("rosenbrock", crowd=n, scatter="grid")
    (x0, x1), (y0, y1) = race.box
    x, y = race.starts
    assert x.shape == (n,) and ((x > x0) & (x < x1) & (y > y0) & (y < y1)).all() and len({*zip(x, y, strict=True)}) == n
    np.testing.assert_array_equal(race.starts, race.at(seed=9, start=(0.0, 0.0)).starts)
    for values in (x, y):
        gaps = np.diff(np.unique(values.round(12)))
        assert np.ptp(gaps) < 1e-9 if len(gaps) else True


def test_whose_step_is_explained_stays_so_when_places_change():
    race = Race("bowl", None, [Entrant(key) for key in ("sgd", "adam", "lion")], explain=1)
    def whose(r):
        return None if r["explain"] is None else r.entrants[r["explain"]].optimizer
    assert [whose(r) for r in (race.doubled(0), race.doubled(1), race.without(0), race.without(2), race.without(1))] == ["adam"] * 4 + [None]
    assert [e.optimizer for e in race.doubled(1).entrants] == ["sgd", "adam", "adam", "lion"]
