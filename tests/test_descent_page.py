"""The Descent lab without a browser: its words, its controls, and every preset in both languages."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

import optviz
from optviz import optimizers, outcome, schedules, surfaces
from optviz.cli import REGISTRIES
from optviz.core import POSITIVE, Choice, Param, Range, Refused, T, number_of, rounded, short
from optviz.names import NAMES, WORDS, name_of, places
from optviz.presets import preset_of, presets
from optviz.race import TABLE, Entrant, Race
from optviz.run import COMMON
from optviz.ui.text import plain, unbroken

PAGE = Path(__file__).parent.parent / "pages" / "descent.py"
pytestmark = pytest.mark.usefixtures("scanned")


def lab(query="", language="en", *opened):
    """The page at a query, run once; with some headings opened from the first."""
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params.setdefault(name, []).append(value)
    at.query_params["lang"] = language
    at.session_state["controls-open"] = {f"descent-{key}" for key in opened}
    return at.run()


def spec(at) -> Race:
    return at.session_state["frame-specs"]["descent"]


def widget(at, kind, key):
    """The newest widget of a key: one whose value was changed from elsewhere is made anew under another number."""
    (found,) = [w for w in getattr(at, kind) if w.key.rpartition("-")[0] == f"descent-{key}"]
    return found


def results(at):
    """The rows of the table under the stage."""
    (found,) = [e.proto for e in at.get("bidi_component") if e.proto.component_name == "optviz.table"]
    return json.loads(found.json if isinstance(found.json, str) else found.json.decode())["rows"]


def unfold(at, *keys):
    """The page with some headings opened, all at once."""
    for key in keys:
        at.button(key=f"heading-descent-{key}").click()
    return at.run()


def read(element):
    """What a visitor reads of a text whose signs are escaped."""
    return element.value.replace("\\", "").replace("\u2060", "")


def kept(at):
    """The keys that the session holds, of widgets and our own."""
    return {key for key in at.session_state if key.startswith("descent-")}


# --- words and numbers -----------------------------------------------------------------------------------------------------------------


def test_every_parameter_and_word_has_a_name():
    for owner in (*optimizers.values(), *schedules.values()):
        for name, p in owner.params.items():
            assert isinstance(name_of(owner, name), T)
            assert not isinstance(p, Choice) or set(p.choices) <= set(WORDS)
    assert all(name in NAMES for s in surfaces.values() for name, _ in s.params) and set(TABLE["scatter"].choices) <= set(WORDS)
    owners = [owner for registry in REGISTRIES.values() for owner in registry.values() if isinstance(getattr(owner, "params", None), dict)]
    known = {n for owner in owners for n in (*owner.params, *(f"{owner.key}.{n}" for n in owner.params))}
    assert set(NAMES) <= known | {n for s in surfaces.values() for n, _ in s.params} | set(COMMON)


@pytest.mark.parametrize("p", {p for o in (*optimizers.values(), *schedules.values()) for p in o.params.values() if isinstance(p, Param)}
                         | {p for p in TABLE.values() if isinstance(p, Param) and p.high < 1e9})
def test_a_slider_stops_at_round_numbers_that_can_be_told_apart(p):
    stops = places(p)
    assert stops == tuple(sorted(set(stops))) and 2 <= len(stops) <= 260 and (p.low, p.high) == (stops[0], stops[-1])
    assert len({short(v) for v in stops}) == len(stops) and all(p.allowed.holds(float(v)) for v in stops[1:-1])
    for value in stops:
        assert len(short(value)) <= 9


def test_numbers_read_well():
    assert [short(v) for v in (0.02, 1e-8, 2.5e-7, 0.00068, 300, 1e4, 0.123456789, 0)] == \
        ["0.02", "10⁻⁸", "2.5·10⁻⁷", "0.00068", "300", "10000", "0.123457", "0"]
    assert [short(v) for v in (-1.5, -1e-8)] == ["−1.5", "−1·10⁻⁸"]
    assert [number_of(t) for t in ("1e9", "0,5", "−3", "10^-3", "2·10⁻³", "-10⁻⁸", " 1 000", *map(short, (0.0857, 1e-12, 2.5e-7)))] == \
        [1e9, 0.5, -3, 1e-3, 2e-3, -1e-8, 1000, 0.0857, 1e-12, 2.5e-7]
    for text, range_, whole, told in (("abc", Range(), False, "give a number such as 0.05 or 1e-3"), ("inf", Range(), False, "give a number"),
                                      ("2.7", Range(1, 20), True, "a whole number from 1 up to 20"), ("0", POSITIVE, False, "above 0")):
        with pytest.raises(Refused, match=re.escape(f"“{text}” cannot be used here; ") + f".*{told}"):
            number_of(text, range_, whole)
    assert [rounded(v) for v in (123456, 0.123456, -0.00012345, 5e9, 1.23456e-12)] == ["123456", "0.123", "−0.000123", "5·10⁹", "1.23·10⁻¹²"]


# --- the page --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("key", presets)
def test_every_preset_opens_in_both_languages(key, language):
    folds = ("view", "noise", "crowd", *(f"entrant{i}" for i in range(len(presets[key].race.entrants))))
    at = lab(presets[key].race.to_query(), language, *folds)
    assert not at.exception and not at.warning and spec(at) == presets[key].race  # looking changes nothing
    assert len(at.select_slider) + len(at.text_input) > 2 * len(folds), "what is under the headings is there"
    assert at.title[0].value == {"en": "Descent", "ru": "Спуск"}[language]
    assert len(results(at)) == len(presets[key].race.entrants)


def test_a_preset_is_chosen():
    at = lab()
    widget(at, "selectbox", "preset").select("cliff").run()
    assert spec(at) == presets["cliff"].race and told(at) == ["cliff"]


def test_the_presets_are_walked_through_in_their_order():
    at, keys = lab(), list(presets)

    def press(key, becomes, n):
        at.button(key=f"descent-{key}").click().run()
        assert spec(at) == presets[becomes].race and widget(at, "selectbox", "preset").value == becomes
        assert any(f"{n} / {len(keys)}" in m.value for m in at.markdown)
    for n in range(2, len(keys) + 1):
        press("next", keys[n - 1], n)
    press("next", keys[0], 1)
    press("previous", keys[-1], len(keys))
    press("previous", keys[-2], len(keys) - 1)
    assert at.button(key="descent-next").help == "Next example" and lab("", "ru").button(key="descent-next").help == "Следующий пример"


def test_from_a_race_of_ones_own_the_first_and_the_last_preset_are_a_click_away():
    for key, n in (("next", 0), ("previous", -1)):
        at = lab("optimizer=sgd")
        assert any(f"– / {len(presets)}" in m.value for m in at.markdown)
        at.button(key=f"descent-{key}").click().run()
        assert spec(at) == list(presets.values())[n].race


def test_the_ravine_is_turned_by_its_one_slider():
    at = lab(presets["rotation"].race.to_query())
    widget(at, "select_slider", "surface-angle").set_value(45.0).run()
    assert not at.exception and spec(at) == presets["rotation"].race.with_parameter("angle", 45.0) and told(at) == ["rotation"]


def test_no_line_ends_within_a_number_and_its_sign():
    assert unbroken("from 98 % at α = 0.01, a = b, x ≤ 3 and % alone; a − b") == "from 98\u00a0% at α\u00a0=\u00a00.01, a\u00a0=\u00a0b, x\u00a0≤\u00a03 and % alone; a − b"


def told(at):
    """The presets whose lesson is on the page."""
    return [key for key, preset in presets.items() if any(unbroken(preset.see.en) in m.value for m in at.markdown)]


def test_a_lesson_is_told_for_as_long_as_the_race_is_its_own_and_can_be_begun_again():
    at = lab()
    assert told(at) == ["valley"] and widget(at, "selectbox", "preset").value == "valley"
    unfold(at, "entrant0", "view")
    widget(at, "text_input", "entrant0-sgd-lr-exact").set_value("0.0012").run()
    widget(at, "text_input", "start0").set_value("1.0").run()
    assert told(at) == ["valley"] and spec(at) != presets["valley"].race
    at.button(key="descent-again").click().run()
    assert told(at) == ["valley"] and spec(at) == presets["valley"].race
    widget(at, "selectbox", "add").select("bfgs").run()
    assert told(at) == ["valley"] and widget(at, "selectbox", "preset").value == "valley" and any(":primary[Changed.]" in m.value for m in at.markdown)
    at.button(key="descent-next").click().run()
    assert told(at) == [list(presets)[list(presets).index("valley") + 1]] and not any("Changed." in m.value for m in at.markdown)
    widget(at, "text_input", "formula").set_value("x^2 + 3*y^2").run()
    assert told(at) == [] and widget(at, "selectbox", "preset").value is None, "another story is no change of this one"
    assert told(lab("surface=himmelblau&optimizer=sgd")) == [] and told(lab("surface=himmelblau&optimizer=sgd&crowd=20")) == ["luck"]


@pytest.mark.parametrize(("language", "words"), [("en", "settled in the minimum at step 11"), ("ru", "пришёл в минимум на шаге 11")])
def test_what_happened_to_each_is_told(language, words):
    at = lab("surface=bowl&start=1,1&steps=50&optimizer=sgd:lr=0.15&optimizer=adam:lr=0.1,muted=1&optimizer=momentum:lr=3", language)
    race = spec(at)
    (shown,) = [m for m in at.markdown if words in read(m)]
    for row, line in zip(outcome.solve(race).rows, read(shown).splitlines(), strict=True):
        assert getattr(row.verdict.text, language) in line.replace("  ", " ") and "foreground=" in line
    assert not at.exception and not any("settled" in m.value for m in lab("surface=bowl&optimizer=", language).markdown)


@pytest.mark.parametrize("key", presets)
def test_no_two_presets_are_taken_for_each_other(key):
    assert preset_of(presets[key].race).key == key
    assert preset_of(presets[key].race.at(start=(1.01, 1.01), noise=0.1, seed=5)).key == key


@pytest.mark.parametrize("key", optimizers)
def test_every_optimizer_and_option_can_be_opened(key):
    at = lab(Race("bowl", entrants=[Entrant(key, clip_norm=1.0)]).to_query(), "ru", "entrant0")
    assert not at.exception
    for name, p in optimizers[key].params.items():
        if isinstance(p, Choice):
            for word in p.choices:
                widget(at, "selectbox", f"entrant0-{key}-{name}").select(word).run()
                assert not at.exception and spec(at).entrants[0][name] == word


@pytest.mark.parametrize("key", schedules)
def test_every_schedule_can_be_opened(key):
    at = lab("optimizer=sgd", "en", "entrant0")
    widget(at, "selectbox", "entrant0-sgd-schedule").select(key).run()
    assert not at.exception and spec(at).entrants[0].schedule == key


def test_sliders_fields_and_buttons_change_the_spec():
    at = unfold(lab("surface=ravine&optimizer=sgd:lr=0.0833&optimizer=adam:lr=40"), "entrant0")
    slider = widget(at, "select_slider", "entrant0-sgd-lr")
    assert slider.value == 0.0833 and "0.0833" in slider.options
    slider.set_value(0.09).run()
    assert spec(at).entrants[0]["lr"] == 0.09 and widget(at, "text_input", "entrant0-sgd-lr-exact").value == "0.09"
    widget(at, "text_input", "entrant0-sgd-lr-exact").set_value("9,12345·10⁻²").run()
    assert spec(at).entrants[0]["lr"] == 0.0912345 == widget(at, "select_slider", "entrant0-sgd-lr").value
    widget(at, "checkbox", "entrant0-sgd-clip_norm-on").check().run()
    assert spec(at).entrants[0]["clip_norm"] == 1.0
    widget(at, "select_slider", "entrant0-sgd-clip_norm").set_value(0.5).run()
    assert spec(at).entrants[0]["clip_norm"] == 0.5
    at.button(key="descent-entrant0-sgd-copy").click().run()
    assert [e.optimizer for e in spec(at).entrants] == ["sgd", "sgd", "adam"]
    at.button(key="descent-entrant1-sgd-mute").click().run()
    assert [e.muted for e in spec(at).entrants] == [False, True, False]
    at.button(key="descent-entrant1-sgd-reset").click().run()
    assert spec(at).entrants[1] == Entrant("sgd", lr=surfaces["ravine"].recommended_lr("sgd"), muted=True)
    at.button(key="descent-entrant1-sgd-remove").click().run()
    assert [e.optimizer for e in spec(at).entrants] == ["sgd", "adam"] and spec(at).entrants[1]["lr"] == 40
    widget(at, "selectbox", "add").select("bfgs").run()
    assert [e.optimizer for e in spec(at).entrants] == ["sgd", "adam", "bfgs"] and widget(at, "selectbox", "add").value is None
    widget(at, "select_slider", "surface-b").set_value(100.0).run()
    assert spec(at).surface.settings["b"] == 100.0 and not at.exception


def test_start_box_noise_and_crowd():
    at = unfold(lab("optimizer=sgd"), "view", "noise", "crowd")
    widget(at, "text_input", "start0").set_value("0.5").run()
    widget(at, "text_input", "box01").set_value("7.0").run()
    widget(at, "select_slider", "steps").set_value(500).run()
    widget(at, "select_slider", "noise").set_value(0.5).run()
    before = spec(at)["seed"]
    at.button(key="descent-another").click().run()
    assert spec(at).start == (0.5, 2.0) and spec(at).box[0] == (-2.0, 7.0) and spec(at)["steps"] == 500 and spec(at)["noise"] == 0.5
    assert spec(at)["seed"] == before + 1
    old = spec(at)
    widget(at, "text_input", "box01").set_value("-9.0").run()
    assert spec(at) == old and "x0 < x1" in read(at.warning[0]) and not at.exception
    assert widget(at, "text_input", "box01").value == "7"  # the field shows what is


def test_a_bad_formula_leaves_the_last_good_picture():
    at = lab()
    (field,) = at.text_input
    field.set_value("x^2 + z").run()
    assert spec(at) == presets["valley"].race and "character 7" in read(at.warning[0]) and at.text_input[0].value == "x^2 + z"
    at.text_input[0].set_value("x^2 + 3*sin(y)^2").run()
    assert spec(at).surface.formula == "x^2 + 3*sin(y)^2" and not at.warning and not at.exception
    assert at.text_input[0].value == "x^2 + 3*sin(y)^2"
    widget(at, "selectbox", "preset").select("luck").run()
    assert at.text_input[0].value == ""


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("query", ["optimizer=", "surface=moon&start=a&optimizer=adam:lr=fast&nonsense=1", "formula=x%2B", "formula=1/x&start=0,0&crowd=50",
                                   "optimizer=sgd:lr=1e300&crowd=20", "formula=x%2By&optimizer=sgd&steps=10000", "&".join(["optimizer=adam"] * 16)])
def test_odd_queries_open(query, language):
    assert not lab(query, language, "view", "noise", "crowd").exception


@pytest.mark.parametrize("lr", [0.09999999, 0.1000000001, 0.1, 1e-9, 1234567.8])
def test_a_value_that_prints_like_a_stop_of_its_slider_stays_what_it_is(lr):
    at = lab(f"optimizer=sgd:lr={lr}", "en", "entrant0", "noise")
    assert spec(at).entrants[0]["lr"] == lr == widget(at, "select_slider", "entrant0-sgd-lr").value


def test_a_long_visit_stays_small():
    at = unfold(lab("optimizer=sgd"), "entrant0")
    sizes = set()
    for k in range(1, 6):
        widget(at, "text_input", "entrant0-sgd-lr-exact").set_value(str(k / 1000)).run()
        at.text_input[0].set_value(f"x^2 + {k}*y^2").run()
        assert spec(at).entrants[0]["lr"] == k / 1000 and spec(at).surface.formula == f"x^2 + {k}*y^2"
        sizes.add(len(kept(at)))
    assert len(sizes) == 1, sizes


def test_what_is_about_to_be_mended_stays_until_it_is_about_something_else():
    at = unfold(lab("optimizer=sgd"), "view")
    at.text_input[0].set_value("x^2 +").run()
    widget(at, "text_input", "start0").set_value("0.5").run()
    assert at.text_input[0].value == "x^2 +" and not at.warning
    widget(at, "selectbox", "preset").select("luck").run()
    assert at.text_input[0].value == ""


@pytest.mark.parametrize("formula", ["x + * y", "__x__ + $z$", "x <b>y</b>", "x :material/home: -> y", "[x](y) ~~z~~ `y`"])
def test_a_refusal_prints_what_was_typed(formula):
    at = lab()
    at.text_input[0].set_value(formula).run()
    (warning,) = at.warning
    assert warning.value == plain(read(warning))
    for sign in "*_$<[`~":
        assert warning.value.count(sign) == warning.value.count("\\" + sign)


@pytest.mark.parametrize("act", ["remove", "mute", "copy", "reset", "exact"])
@pytest.mark.parametrize("last", ["sgd", "adam"])
def test_what_was_drawn_for_another_line_up_does_nothing(last, act):
    """A second click, and a slider that is still moved, come while the first click is on its way."""
    at = lab(f"optimizer=sgd:lr=0.1&optimizer={last}:lr=0.2", "en", "entrant0", "entrant1")
    one = spec(at).at(entrants=spec(at).entrants[:1])
    at.session_state["frame-specs"]["descent"] = one
    if act == "exact":
        widget(at, "text_input", f"entrant1-{last}-lr-exact").set_value("0.7").run()
    else:
        at.button(key=f"descent-entrant{int(act == 'mute')}-{'sgd' if act != 'mute' else last}-{act}").click().run()
    assert not at.exception and spec(at) == one


def test_hiding_on_the_stage_leaves_alone_who_has_no_trail_there(monkeypatch):
    def sometimes(run, **how):
        if run.optimizer == "adam":
            raise Refused(T("no", "нет"))
        return optviz.descend(run, **how)
    lab("optimizer=")  # on its own, without an app, what knows Streamlit can't be imported
    from optviz.ui.race import after
    monkeypatch.setattr(outcome, "descend", sometimes)
    race = Race("bowl", (0.777, 0.444), [Entrant("sgd"), Entrant("adam", muted=True), Entrant("momentum", muted=True)])
    assert [e.muted for e in after(race, {"muted": [0]}).entrants] == [True, True, False]


# --- the fair race ---------------------------------------------------------------------------------------------------------------------


def headings(at):
    return [b.label for b in at.button if b.key.startswith("heading-descent-entrant")]


def test_a_search_that_was_cut_short_does_not_tune_another_race():
    at = lab("surface=bowl&optimizer=sgd:lr=0.01&steps=20")
    asked = lab("surface=ravine&optimizer=sgd:lr=0.01&steps=20")
    from optviz.ui import fair  # its components can be declared when a page has run
    at.session_state["fair-asked"] = fair._question(spec(asked))
    at.run()
    assert not spec(at).tuned and at.button(key="fair-race")
    at.session_state["fair-asked"] = fair._question(spec(at))
    at.run()
    assert spec(at).tuned


@pytest.mark.parametrize(("language", "fair", "mark", "back", "how"), [
    ("en", "Fair race", "· tuned", "Back to the untuned rates", "within the tolerance"),
    ("ru", "Честная гонка", "· подобрана", "Вернуть прежние скорости", "в допуске")])
def test_one_click_tunes_and_one_goes_back(language, fair, mark, back, how):
    at = lab("surface=ravine&steps=60&optimizer=sgd:lr=0.001&optimizer=adam:lr=0.002", language)
    before = spec(at)
    assert at.button(key="fair-race").label == fair and not any(mark in h for h in headings(at))
    at.button(key="fair-race").click().run()
    tuned = spec(at)
    assert not at.exception and at.button(key="descent-fair-back").label == back and all(mark in h for h in headings(at))
    assert [e.untuned for e in tuned.entrants] == [0.001, 0.002] and tuned.untuned() == before
    rows = outcome.solve(tuned).rows
    assert all(a.loss < b.loss for a, b in zip(rows, outcome.solve(before).rows, strict=True)) and rows[0].reached is not None
    unfold(at, "search")
    (figure,) = at.get("plotly_chart")
    assert '"log"' in figure.proto.spec and sum(how in m.value for m in at.markdown) == 1
    unfold(at, "entrant0")
    widget(at, "text_input", "entrant0-sgd-lr-exact").set_value("0.003").run()  # a rate of one's own is not a tuned one
    assert mark not in headings(at)[0] and mark in headings(at)[1] and spec(at).tuned and not at.exception
    at.button(key="descent-fair-back").click().run()
    assert spec(at) == before.with_entrant(0, lambda e: e.at(lr=0.003)) and at.button(key="fair-race").label == fair
    assert not at.get("plotly_chart") and not at.exception


def test_a_link_with_tuned_rates_opens_and_says_when_they_are_old():
    at = unfold(lab("surface=ravine&steps=60&noise=0.1&optimizer=sgd:lr=0.07,untuned=0.001&optimizer=adam:lr=0.3"), "search")
    (again,) = [b for b in at.button if b.label == "Tune again"]
    assert not at.exception and any("same 32 draws of the noise" in m.value for m in at.markdown) and len(at.get("plotly_chart")) == 1
    again.click().run()
    assert [e.untuned for e in spec(at).entrants] == [0.001, 0.3] and not [b for b in at.button if b.label == "Tune again"]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("query", ["surface=saddle&optimizer=sgd&optimizer=adam", "formula=x%2By&optimizer=sgd&noise=3", "formula=sqrt(x)&optimizer=sgd&steps=1",
                                   "surface=bowl&start=0,0&optimizer=sgd&optimizer=bfgs", "formula=1e12*x^4%2By^4&start=1,1&optimizer=sgd&optimizer=adam"])
def test_odd_races_are_tuned_truthfully(query, language):
    at = lab(query, language, "search")
    at.button(key="fair-race").click().run()
    assert not at.exception and spec(at).tuned and len(at.get("plotly_chart")) == 1


def test_where_nothing_can_be_tuned_one_sentence_says_so():
    at = lab("formula=1e200*x^4%2By^4&start=3,1&optimizer=sgd&steps=20")
    before = spec(at)
    at.button(key="fair-race").click().run()
    assert spec(at) == before and "diverges" in read(at.warning[0]) and at.button(key="fair-race").label == "Fair race" and not at.exception
