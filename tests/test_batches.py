"""Gradient noise and batches: the engine against closed forms and torch, the claims of the presets, the URL, the page."""

import math
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.batch_sheets import chosen, moments, shown, started
from optviz.batches import cliff, escape, sums, updates, variance
from optviz.batches.orders import orders
from optviz.batches.presets import opening, presets, shown_by
from optviz.batches.sampling import VIEWS, Sampling, quick, result
from optviz.chance import Draw, generator
from optviz.render.frames import frames
from optviz.render.picture import Look
from optviz.render.sheet_picture import SheetPicture
from optviz.render.sheet_wire import pack_sheet

KINDS = ("line", "logistic")


# --- finite sums ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_torchs(kind):
    s, theta = sums.drawn(kind, 12, seed=3), np.array([[0.7, -30.0], [-0.4, 50.0]])
    x, y = torch.tensor(s.x), torch.tensor(s.y)

    def losses(t):
        z = t[0] * x + t[1]
        return 0.5 * (z - y) ** 2 if kind == "line" else torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    for k in range(2):
        own = torch.tensor(theta[:, k])
        np.testing.assert_allclose(s.losses(theta)[:, k], losses(own), rtol=1e-12, atol=1e-12)
        each = torch.autograd.functional.jacobian(losses, own).numpy()
        np.testing.assert_allclose(s.gradients(theta)[:, :, k], each.T, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(s.gradients(theta[:, k], [3, 3, 5]), each.T[:, [3, 3, 5]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_minimum_is_where_the_gradient_ends(kind):
    s = sums.drawn(kind, 60)
    np.testing.assert_allclose(s.gradient(s.minimum), 0, atol=1e-10)
    np.linalg.cholesky(s.hessian(s.minimum))
    if kind == "line":
        np.testing.assert_allclose(s.minimum, np.polyfit(s.x, s.y, 1), rtol=1e-9)
    apart = sums.drawn("logistic", 20, spread=0.0)
    assert apart.minimum is None and apart.least == 0


# --- orders: what a pass shows ----------------------------------------------------------------------------------------------------------


def passes(order, n=12, count=3, kind="logistic", theta=(0.5, 0.0), **given):
    s = sums.drawn(kind, n, **given)
    return s, [orders[order].rule(s, np.array(theta), generator(7, Draw.ORDER, k)) for k in range(count)]


def test_shuffled_and_not_as_torchs_loader_does():
    _, mixed = passes("shuffled")
    assert all(sorted(p) == list(range(12)) for p in mixed) and len({tuple(p) for p in mixed}) == 3
    _, fixed = passes("fixed")
    data = torch.utils.data.TensorDataset(torch.arange(12))
    plain = torch.utils.data.DataLoader(data, batch_size=5, shuffle=False)
    assert [b.tolist() for (b,) in plain] == [fixed[0][i:i + 5].tolist() for i in (0, 5, 10)] == [fixed[2][i:i + 5].tolist() for i in (0, 5, 10)]
    assert [len(b) for (b,) in torch.utils.data.DataLoader(data, batch_size=5, shuffle=True)] == updates.sizes_of_pass(12, 5) == [5, 5, 2]
    again = torch.utils.data.RandomSampler(data, replacement=True)
    _, drawn = passes("replacement", count=400)
    assert len(list(again)) == len(drawn[0]) == 12
    missed = np.mean([1 - len(set(p)) / 12 for p in drawn])
    assert missed == pytest.approx((1 - 1 / 12) ** 12, abs=0.01)


def test_sorted_balanced_and_hard():
    s, (first, *_) = passes("sorted")
    assert s.group[first].tolist() == [0] * 6 + [1] * 6
    line, (first, *_) = passes("sorted", kind="line")
    assert (np.diff(line.x[first]) > 0).all()
    for kind in KINDS:
        s, even = passes("balanced", kind=kind)
        assert all(sorted(p) == list(range(12)) for p in even) and len({tuple(p) for p in even}) == 3
        assert all(abs(s.group[p[i:i + 4]].sum() - 2) == 0 for p in even for i in (0, 4, 8))
    s, often = passes("hard", count=2000, outlier=True)
    losses = s.losses(np.array([0.5, 0.0]))
    np.testing.assert_allclose(np.bincount(np.concatenate(often), minlength=12) / 24000, losses / losses.sum(), atol=0.01)
    assert orders["hard"].rule(s, np.array([1e8, -1e8]), generator(0, Draw.ORDER)).shape == (12,)


# --- updates ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("kind", "order", "size"), [("line", "fixed", 5), ("logistic", "shuffled", 1), ("logistic", "replacement", 4), ("line", "hard", 12)])
def test_a_run_is_torchs(kind, order, size, reduction):
    s = sums.drawn(kind, 12)
    run = updates.descended(s, (0.3, -0.2), size, order, 0.02, 9, reduction, 0.3, seed=2)
    theta = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    optimizer, (x, y) = torch.optim.SGD([theta], lr=0.02), map(torch.tensor, (s.x, s.y))
    lost = torch.nn.MSELoss(reduction=reduction) if kind == "line" else torch.nn.BCEWithLogitsLoss(reduction=reduction)
    sizes = updates.sizes_of_pass(12, size)
    for k in range(9):
        batch = run.batches[k]
        assert len(batch) == sizes[k % len(sizes)] and run.seen[k + 1] - run.seen[k] == len(batch)
        optimizer.zero_grad()
        out = lost(theta[0] * x[batch] + theta[1], y[batch]) * (0.5 if kind == "line" else 1)
        out.backward()
        mean = out.item() / (1 if reduction == "mean" else len(batch))
        assert run.batch_loss[k] == pytest.approx(mean, rel=1e-12)
        optimizer.step()
        np.testing.assert_allclose(run.theta[k + 1], theta.detach(), rtol=1e-12)


def test_updates_of_a_pass_and_the_three_names():
    assert [len(updates.sizes_of_pass(40, m)) for m in (1, 8, 40)] == [40, 5, 1]
    assert [updates.called(m, 40).ru.split(":")[0] for m in (1, 8, 40)] == ["SGD", "мини-пакет", "полный пакет"]


def test_the_running_estimate_is_its_sum():
    losses, memory = np.random.default_rng(0).uniform(0, 5, 30), 0.2
    q = updates.running(losses, memory, 3.0)
    for k in range(30):
        assert q[k] == pytest.approx((1 - memory) ** k * 3.0 + sum(memory * (1 - memory) ** (k - 1 - j) * losses[j] for j in range(k)))


def test_the_full_batch_diverges_from_two_over_the_greatest_eigenvalue():
    s = sums.drawn("line")
    limit = 2 / np.linalg.eigvalsh(s.hessian(s.minimum))[-1]
    for scale, reduction in ((1, "mean"), (1 / s.n, "sum")):
        calm, wild = (updates.descended(s, (-1.0, -1.5), 40, "fixed", share * limit * scale, 400, reduction) for share in (0.99, 1.01))
        assert calm.loss[-1] < calm.loss[0] < wild.loss[-1]
    gone = updates.descended(s, (-1.0, -1.5), 40, "fixed", 1e6, 20)
    assert gone.diverged_at and np.isfinite(gone.theta).all() and np.isfinite(gone.loss).all() and (gone.theta[gone.diverged_at:] == gone.theta[-1]).all()


# --- variance -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_variance_follows_its_laws(kind):
    s = sums.drawn(kind, 20)
    v = variance.variances(s, (0.0, 0.0), 4000)
    one = np.cov(s.gradients(np.zeros(2)), ddof=0).trace()
    np.testing.assert_allclose(v.laws, [one / v.sizes, one / v.sizes * (20 - v.sizes) / 19], rtol=1e-12)
    np.testing.assert_allclose(v.measured[0], v.laws[0], rtol=0.1)
    np.testing.assert_allclose(v.measured[1][:-1], v.laws[1][:-1], rtol=0.1)
    assert v.measured[1][-1] < 1e-25
    assert (v.measured[2][1:-1] < v.measured[1][1:-1]).mean() > 0.7, "balanced batches know more"


def test_two_of_three_by_counting_all_pairs():
    g = np.array([[1.0, 4.0, -2.0], [0.0, 3.0, 5.0]])
    pairs = [(g[:, a] + g[:, b]) / 2 - g.mean(1) for a in range(3) for b in range(3) if a != b]
    one = ((g - g.mean(1)[:, None]) ** 2).sum(0).mean()
    assert np.mean([p @ p for p in pairs]) == pytest.approx(variance.law(one, 3, np.array([2]))[1, 0])


# --- noise that frees ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def freed():
    return result(presets["escape"].spec)


def test_every_pair_is_the_run_it_says(freed):
    i, j = list(escape.SIGMAS).index(4.0), list(escape.RATES).index(0.03)
    assert freed.free[i, j] == freed.free_then[-1] and freed.rest[i, j] == freed.rest_then[-1], "the same noise for the same seeds"
    one = ov.descend("two_wells", "sgd", freed.bad, 300, lr=0.03, noise=np.full(1, 4.0), member=np.array([17]), record="end")
    np.testing.assert_array_equal(one.points[:, -1, 0], freed.points[:, -1, 17])
    assert (freed.free[0] == 0).all() and freed.free_then[0] == 0 and np.hypot(*(freed.points[:, 0] - np.array(freed.bad)[:, None])).max() == 0
    s = freed.surface
    assert s.value(*freed.best) < s.value(*freed.bad)


# --- clipping -----------------------------------------------------------------------------------------------------------------------------


def test_what_clipping_leaves_of_a_gradient_and_of_a_step():
    c = cliff.clipped(0.1, 0.05, 0.9, 80)
    before, after = np.hypot(c.before[:, :, 0], c.before[:, :, 1]), np.hypot(c.after[:, :, 0], c.after[:, :, 1])
    np.testing.assert_allclose(after[:, 0], before[:, 0], rtol=1e-9)
    np.testing.assert_allclose(after[:, 1], np.minimum(before[:, 1], 0.05), rtol=1e-9)
    np.testing.assert_allclose(c.after[:, 2], np.clip(c.before[:, 2], -0.05, 0.05), rtol=1e-9)
    longest = c.lengths.max(-1) / c.bound
    assert longest[0, 1] <= 1 + 1e-9 and math.sqrt(2) * 0.99 < longest[0, 2] <= math.sqrt(2) + 1e-9
    assert 9.5 < longest[1, 1] <= 10 and longest[1, 2] <= 10 * math.sqrt(2)
    assert (longest[2] > 20).all() and longest[2, 1] == pytest.approx(longest[2, 0], rel=0.01)


# --- what the presets claim -----------------------------------------------------------------------------------------------------------------


def excess(key, count=12, **changes):
    """The loss above the least of each run of a preset, from several seeds."""
    p = presets[key].spec.at(**changes)
    return [[run.loss - p.sum.least for run in p.at(seed=seed).descents()] for seed in range(count)]


def at_end(runs, part=10):
    """The median over the seeds of the mean over the last part, for each run."""
    return np.median([[e[-max(len(e) // part, 1):].mean() for e in seed] for seed in runs], 0)


def test_one_pass_is_one_update_or_forty():
    runs = excess("one_pass")
    assert [len(e) - 1 for e in runs[0]] == [40, 5, 1]
    one, some, full = np.median([[e[-1] / e[0] for e in seed] for seed in runs], 0)
    assert one < 0.01 < some < 0.4 and full == pytest.approx(0.76, abs=0.01)


def test_update_for_update_the_full_batch_is_exact():
    runs = excess("one_update")
    assert {len(e) for e in runs[0]} == {401}
    early = np.median([[e[10] for e in seed] for seed in runs], 0)
    assert early.max() < 1.5 * early.min()
    one, some, full = at_end(runs, 2)
    assert one == pytest.approx(0.014, abs=0.003) and some == pytest.approx(0.0004, abs=0.0001) and full < 1e-12


def test_a_sum_diverges_where_the_mean_does_not():
    p = presets["sum"].spec
    s = p.sum
    most = np.linalg.eigvalsh(s.hessian(s.minimum))[-1]
    assert (round(2 / most, 2), round(2 / most / 40, 3)) == (1.43, 0.036)
    assert p.descents()[0].loss[-1] > 1e4 and p.at(reduction="mean").descents()[0].loss[-1] < p.descents()[0].loss[0]


def test_the_running_estimate_is_nearer_than_one_loss():
    run = presets["running"].spec.descents()[0]
    late = slice(len(run.loss) // 2, None)
    assert np.std((run.running - run.loss)[late]) == pytest.approx(0.04, abs=0.005) and np.std((run.batch_loss - run.loss)[late]) > 0.25


@pytest.mark.parametrize(("key", "first", "second", "ratio"), [("replacement", 1, 0, 4), ("sorted", 0, 1, 3), ("sorted", 1, 2, 1.3)])
def test_an_order_hurts(key, first, second, ratio):
    late = at_end(excess(key), 2)
    assert late[first] > ratio * late[second]


def test_hard_examples_are_quick_and_go_astray():
    runs = excess("hard")
    per_pass = len(updates.sizes_of_pass(40, 8))
    hard, shuffled = np.median([[e[per_pass] for e in seed] for seed in runs], 0)
    assert hard < shuffled / 2.5
    hard, shuffled = at_end(runs, 2)
    assert hard > 30 * shuffled


def test_an_outlier_is_shown_most():
    p = presets["outlier"].spec

    def off(outlier):
        now = p.at(outlier=outlier)
        return np.median([[run.theta[-100:, 0].mean() - now.sum.minimum[0] for run in now.at(seed=seed).descents()] for seed in range(10)], 0)
    hard, shuffled = off(True)
    assert hard == pytest.approx(-1.0, abs=0.2) and abs(shuffled) < 0.05 and abs(off(False)).max() < 0.15


def test_noise_frees_and_too_much_never_settles(freed):
    free, sigmas = freed.free[:, list(escape.RATES).index(0.03)], list(escape.SIGMAS)
    assert free[sigmas.index(1.0)] == 0 and free[sigmas.index(4.0)] == pytest.approx(1 / 4, abs=0.05) and free[sigmas.index(6.0)] == pytest.approx(2 / 3, abs=0.05)
    loud, rates = sigmas.index(12.0), list(escape.RATES)
    assert freed.free[loud, rates.index(0.1)] == pytest.approx(0.5, abs=0.06) and freed.rest[loud, rates.index(0.1)] < 0.02
    assert freed.rest[loud, rates.index(0.01)] > 0.25


def test_the_cliff_throws_and_clipping_holds():
    c = result(presets["cliff"].spec)
    assert c.lengths[0, 0].max() == pytest.approx(16.4, abs=0.1) and c.bound == pytest.approx(0.4) and c.lengths[0, 1].max() <= 0.4 + 1e-12
    w = result(presets["whose"].spec)
    assert (w.lengths[2].max(-1) / w.bound).round().tolist() == [28, 28, 28]


# --- the spec and its URL ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", presets)
def test_a_preset_goes_through_the_url_and_is_known_again(key):
    spec = presets[key].spec
    assert Sampling.from_query(spec.to_query()) == spec and shown_by(spec) == key and opening(spec.to_query()) == spec
    assert hash(spec) == hash(Sampling.from_query(spec.to_query()))


HOSTILE = ["view=x", "batches=0", "batches=1,2,3,4,5", "batches=__import__('os')", "batches=", "orders=", "orders=shuffled,evil", "lr=nan", "lr=1e999",
           "n=1e9", "n=-1", "n=12.5", "passes=31", "spread=inf", "slope=1e308", "memory=2", "seed=-1", "kind=<script>", "outlier=yes", "wings=1",
           "view=escape&sigma=-1", "view=escape&steps=1e6", "view=cliff&limit=0", "view=cliff&momentum=1", "view=variance&draws=1e9",
           "batches=1,2,3,4&orders=shuffled,fixed", "batches=" + "9" * 5000, "lr=0&" * 300]


@pytest.mark.parametrize("query", HOSTILE, ids=lambda q: q[:40])
def test_what_cannot_be_used_is_noted_and_falls_back(query):
    notes = []
    p = Sampling.from_query(query, notes)
    assert len(notes) >= 1 and all(note.en and re.search("[а-яё]", note.ru) for note in notes)
    with pytest.raises(ov.Refused):
        Sampling.from_query(query)
    assert Sampling.from_query(p.to_query()) == p


@pytest.mark.parametrize("p", [
    Sampling(n=2, batches=(None,)), Sampling(n=2, kind="logistic", spread=0.0), Sampling(lr=1e6, reduction="sum"), Sampling(lr=0.0, spread=0.0),
    Sampling(kind="logistic", slope=1000.0, intercept=-1000.0, outlier=True, orders=("hard",)), Sampling(spread=100.0, batches=(200,)),
    Sampling("variance", n=2), Sampling("variance", n=5, spread=0.0, slope=1.5, intercept=0.5), Sampling("cliff", lr=100.0, limit=1e6, momentum=0.99),
    Sampling("cliff", lr=1e-9, steps=1), Sampling("escape", sigma=1000.0, lr=10.0, steps=10)], ids=str)
def test_absurd_settings_give_a_picture(p):
    s = shown(p)
    assert len(pack_sheet(s, "ru", {})) < 2e6
    picture = SheetPicture(s, Look(size=(960, 700)))
    assert all(np.isfinite(pixels).all() for pixels in frames(picture, [0.0, picture.steps]))


# --- the sheets ---------------------------------------------------------------------------------------------------------------------------------


def test_the_three_axes_count_the_same_run():
    said = {axis: moments(p, p.descents()) for axis in ("updates", "passes", "examples") for p in [Sampling(batches=(10, None), axis=axis, passes=4)]}
    assert said["updates"][0] == list(range(17)) and [k[-1] for k in said["updates"][1]] == [16, 16]
    labels, (ten, full) = said["passes"]
    at = [labels.index(k) for k in range(5)]
    assert ten[at].tolist() == [0, 4, 8, 12, 16] and full[at].tolist() == [0, 1, 2, 3, 4]
    labels, (ten, full) = said["examples"]
    assert (labels[0], labels[-1]) == (0, 160) and ten[labels.index(70)] == 7 and full[labels.index(79)] == 1


def test_arrows_are_steps_and_a_click_is_a_start():
    p = Sampling(batches=(8,), passes=2)
    run, chart = p.descents()[0], shown(p).charts[1]
    assert "5 times as long" in chart.note.en and "в 5 раз" in chart.note.ru
    each, batch, whole = (m for m in chart.marks if type(m).__name__ == "Arrows")
    for k in (0, 3, 9):
        np.testing.assert_allclose([batch.dx[k, 0], batch.dy[k, 0]], 5 * (run.theta[k + 1] - run.theta[k]), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(each.dx[k, run.batches[k]].mean(), batch.dx[k, 0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(each.dx[k].mean(), whole.dx[k, 0], rtol=1e-9, atol=1e-12)
    assert started(p, 0.51234, -1.5).start == (0.512, -1.5)
    pair = chosen(Sampling("escape"), len(escape.RATES) * 2 + 3)
    assert (pair["sigma"], pair["lr"]) == (escape.SIGMAS[2], escape.RATES[3])


@pytest.mark.parametrize("key", presets)
def test_every_preset_is_a_sheet_of_moments(key):
    p = presets[key].spec
    s = shown(p)
    assert len(s.moments) > 1 and quick(p) == (p.view in ("descent", "cliff"))
    data = pack_sheet(s, "ru", {})
    assert len(data) < 600_000
    picture = SheetPicture(s, Look(size=(960, 700), language="ru"))
    first, last = (pixels.copy() for pixels in frames(picture, [0.0, picture.steps]))
    assert (first != last).any()


# --- the page -------------------------------------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parent.parent / "pages" / "batches.py"


def lab(query="", language="en"):
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params[name] = value
    at.query_params["lang"] = language
    return at.run()


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize("view", VIEWS)
def test_every_setting_has_a_control_in_both_languages(view, monkeypatch):
    lab("view=cliff")  # a component is registered while a page runs
    monkeypatch.setattr("optviz.ui.batches.work", lambda place, about, function, p: function(p))  # a process beside the app needs an app
    for language in ("en", "ru"):
        at = lab(urlencode({"view": view}), language)
        folds = [b for b in at.button if b.key == "heading-batches-data"]
        for fold in folds:
            fold.click()
        at.run()
        assert not at.exception
        kinds = ("selectbox", "select_slider", "checkbox", "number_input", "text_input", "button_group")
        assert {*VIEWS[view]} <= {w.key.removeprefix("batches-").rpartition("-")[0] for kind in kinds for w in getattr(at, kind)}
        labels = [w.label for kind in kinds for w in getattr(at, kind)]
        assert all((re.search("[а-яё]", label, re.I) is not None) == (language == "ru") for label in labels)


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize("text", ["0", "1 8", "1, 2, 3, 4, 5", "x; import os", "-3", "1e3", "201"])
def test_sizes_that_cannot_be_are_answered_in_one_sentence(text):
    at = lab()
    (field,) = [w for w in at.text_input if w.key.startswith("batches-batches")]
    before = at.session_state["frame-specs"]["batches"]
    field.set_value(text).run()
    assert not at.exception and len(at.warning) == 1 and at.session_state["frame-specs"]["batches"] == before


def count(page, text):
    expect(page.locator(".count")).to_have_text(re.compile(text))


def test_a_visitor_plays_passes_begins_elsewhere_and_lets_noise_free(visit):
    page = visit("/batches?lang=en")
    count(page, "^pass 1 of 1$")
    expect(page.locator("figcaption")).to_have_count(4)
    stage = page.locator("section[role=application]")
    stage.focus()
    page.keyboard.press("Home")
    count(page, "^pass 0 of 1$")
    page.keyboard.press("Space")
    count(page, "^pass 1 of 1$")
    page.locator("canvas[role=img]").nth(1).click(position={"x": 120, "y": 60})
    page.wait_for_url(re.compile("slope="))
    sizes = page.get_by_label("Batch sizes")
    sizes.fill("2, all")
    sizes.press("Enter")
    page.wait_for_url(re.compile("batches=2,all"))
    expect(page.get_by_text("mini-batch: 2").first).to_be_visible()


def test_noise_that_frees_is_computed_beside_the_app_in_russian(visit):
    page = visit("/batches?view=escape&lang=ru")
    count(page, "^шаг 300 из 300$")
    page.locator("canvas[role=img]").nth(2).click(position={"x": 200, "y": 120})
    page.wait_for_url(re.compile("sigma="))
    assert not re.search("seeds|escape", page.locator("section[role=application]").inner_text())
