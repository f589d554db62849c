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
    for n, m in ((11, 3), (11, 4), (7, 2)):
        s, even = passes("balanced", n=n, count=1500)
        share, groups = s.group.mean(), s.group[np.array(even)]
        assert all(abs(groups[:, i:i + m].sum(1) - m * share).max() < 1 for i in range(n - m + 1)), "its share, to one example"
        assert groups.mean(0) == pytest.approx(share, abs=0.05), "any place is of any class, and so the batch's gradient is right on average"
        theta = np.array([0.5, 0.0])
        told = np.mean([s.gradients(theta, p[:m]).mean(1) for p in even], 0)
        assert told == pytest.approx(s.gradient(theta), abs=0.03)
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


def test_class_balanced_batches_vary_less_still():
    v = result(presets["variance"].spec)
    ratio = v.measured[2, 1:38] / v.measured[1, 1:38]
    assert ratio.max() < 0.8 and ratio.mean() == pytest.approx(0.6, rel=0.15)


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
    assert one == pytest.approx(0.0013, rel=0.5) and max(seed[0][-1] / seed[0][0] for seed in runs) < 0.01
    assert some == pytest.approx(0.26, rel=0.15) and full == pytest.approx(0.76, abs=0.01)


def test_update_for_update_the_full_batch_is_exact():
    runs = excess("one_update")
    assert {len(e) for e in runs[0]} == {401}
    early = np.median([[e[10] for e in seed] for seed in runs], 0)
    assert early.max() < 1.5 * early.min()
    one, some, full = at_end(runs, 2)
    assert one == pytest.approx(0.014, rel=0.15) and some == pytest.approx(0.0004, rel=0.15) and full < 1e-12
    over = presets["one_update"].spec.at(axis="passes")
    assert over.counts == [400, 50, 10], "after as many passes"


def test_a_sum_diverges_where_the_mean_does_not():
    p = presets["sum"].spec
    s = p.sum
    most = np.linalg.eigvalsh(s.hessian(s.minimum))[-1]
    assert (round(2 / most, 2), round(2 / most / 40, 3)) == (1.43, 0.036)
    assert p.descents()[0].loss[-1] > 1e4 and p.at(reduction="mean").descents()[0].loss[-1] < p.descents()[0].loss[0]
    calm, wild = (p.at(reduction="mean", lr=lr).descents()[0].loss for lr in (1.38, 1.48))
    assert calm[-1] < calm[0] and wild[-1] > 3 * wild[0]
    for chart in shown(p).charts[2:]:
        assert chart.y.log and chart.y.low <= p.descents()[0].loss[0] and chart.y.high >= p.descents()[0].loss[-1], "no curve leaves its chart"


def test_the_running_estimate_is_nearer_than_one_loss():
    def off(of, memory):
        runs = [presets["running"].spec.at(seed=seed, memory=memory).descents()[0] for seed in range(12)]
        return np.median([np.sqrt(np.mean((getattr(run, of) - run.loss)[len(run.loss) // 2:] ** 2)) for run in runs])
    assert off("running", 0.05) == pytest.approx(0.04, rel=0.15) and off("batch_loss", 0.05) == pytest.approx(0.3, rel=0.15)
    assert off("running", 0.01) == pytest.approx(0.4, rel=0.15) and off("running", 1.0) == pytest.approx(off("batch_loss", 0.05), rel=0.05)


@pytest.mark.parametrize(("key", "first", "second", "ratio"), [("replacement", 1, 0, 7), ("sorted", 0, 1, 4), ("sorted", 1, 2, 1.45)])
def test_an_order_hurts(key, first, second, ratio):
    late = at_end(excess(key), 2)
    assert late[first] / late[second] == pytest.approx(ratio, rel=0.15)


def test_what_a_pass_does():
    _, drawn = passes("replacement", n=40, count=400)
    assert np.mean([1 - len(set(p)) / 40 for p in drawn]) == pytest.approx(1 / 3, rel=0.15)
    swings = [np.ptp(run.theta[-100:, 1].reshape(10, 10), 1).mean() for run in presets["sorted"].spec.descents()]
    assert swings[0] > 2 * max(swings[1:]), "there and back within every pass"


def test_hard_examples_are_quick_and_go_astray():
    runs = excess("hard")
    per_pass = len(updates.sizes_of_pass(40, 8))
    hard, shuffled = np.median([[e[per_pass] for e in seed] for seed in runs], 0)
    assert hard / shuffled == pytest.approx(1 / 3, rel=0.15)
    hard, shuffled = at_end(runs, 2)
    assert hard > 30 * shuffled


def test_an_outlier_is_shown_most():
    p = presets["outlier"].spec

    def off(outlier):
        now = p.at(outlier=outlier)
        return np.array([[run.theta[-51::10, 0] - now.sum.minimum[0] for run in now.at(seed=seed).descents()] for seed in range(10)])
    hard, shuffled = off(True).transpose(1, 0, 2)  # seeds, and the ends of the last passes
    assert np.median(hard) == pytest.approx(-0.6, rel=0.15) and hard[0] == pytest.approx(-0.6, abs=0.15), "at the opening, and on average"
    assert hard.min() > -0.9 and hard.max() < -0.4 and abs(shuffled).max() < 0.1 and abs(off(False)).max() < 0.2, "it has settled, whatever the seed"


def test_noise_frees_and_too_much_never_settles(freed):
    sigmas, rates = list(escape.SIGMAS), list(escape.RATES)
    for e in (freed, escape.escaped(seed=1, steps=300), escape.escaped(seed=2, steps=300)):
        free, loud = e.free[:, rates.index(0.03)], sigmas.index(12.0)
        assert [free[sigmas.index(sigma)] for sigma in (1.0, 4.0, 6.0)] == pytest.approx([0, 1 / 4, 2 / 3], abs=0.05)
        assert e.free[loud, rates.index(0.1)] == pytest.approx(0.5, abs=0.06) and e.rest[loud, rates.index(0.1)] < 0.02
        assert e.rest[loud, rates.index(0.01)] == pytest.approx(0.25, abs=0.06)


def test_what_noise_throws_far_is_in_sight_or_counted():
    p = presets["too_much"].spec
    e, chart = result(p), shown(p).charts[0]
    inside = np.all([(s.low <= v) & (v <= s.high) for s, v in zip((chart.x, chart.y), e.points[:, -1], strict=True)], 0)
    assert (chart.x.low, chart.x.high) == (-4, 4) and 0.85 < inside.mean() < 1
    free, rest = int(256 * e.free_then[-1]), int(256 * e.rest_then[-1])
    assert chart.note.en == f"At the end {free} are nearer to the best minimum, {rest} within 0.3 of it, {256 - inside.sum()} out of sight."
    assert shown(presets["escape"].spec).charts[0].x.low == -2


def test_the_cliff_throws_and_clipping_holds():
    c = result(presets["cliff"].spec)
    assert c.lengths[0, 0].max() == pytest.approx(16.4, abs=0.1) and c.bound == pytest.approx(0.4) and c.lengths[0, 1].max() <= 0.4 + 1e-12
    cosine = (c.before * c.after).sum(2) / np.sqrt((c.before**2).sum(2) * (c.after**2).sum(2))
    assert cosine[:, 1] == pytest.approx(1), "in the same direction"
    assert c.points[1] == pytest.approx(c.points[1][[0, 0, 0]], abs=0.06), "momentum's three trails are one"
    assert np.hypot(*c.before[1, 0]).max() == pytest.approx(0.5, rel=0.02), "it meets nothing to clip"
    above = shown(presets["cliff"].spec).charts[:3]
    assert {(chart.x.low, chart.x.high, chart.y.low, chart.y.high) for chart in above} == {(c.points[:, :, 0].min(), 3.0, -3.0, 3.0)} and above[0].x.low < -15
    raised = result(presets["cliff"].spec.at(limit=5.0))
    assert raised.lengths[0, 1].max() == pytest.approx(4.0), "and with a larger limit the throw is as long as that"
    w = result(presets["whose"].spec)
    assert (w.lengths[2].max(-1) / w.bound).round().tolist() == [28, 28, 28]
    assert w.lengths[:2, 1:].max(-1) / w.bound == pytest.approx(np.outer([1, 10], [1, math.sqrt(2)]), rel=0.05)


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


def test_what_carries_a_claim_is_in_the_first_row():
    for key in ("one_pass", "one_update", "sum", "running", "replacement", "sorted", "hard", "outlier"):
        s = shown(presets[key].spec)
        assert s.columns == 3 and [c.key for c in s.charts[:3]] == ["data", "parameters", "sees" if key == "running" else "loss"]
    assert [c.key for c in shown(presets["escape"].spec).charts[:3]] == ["seeds", "free", "rest"]


def test_only_the_end_of_a_trail_is_strong():
    p = presets["sorted"].spec
    lines = [m for m in shown(p).charts[1].marks if type(m).__name__ == "Line"]
    assert len(lines) == 2 * len(p.runs)
    for run, whole, end in zip(p.descents(), lines[::2], lines[1::2], strict=True):
        assert whole.alpha < 0.5 < end.alpha and len(whole.x) == 201 and end.x.shape[1] < 20
        np.testing.assert_array_equal(end.x[-1], run.theta[-end.x.shape[1]:, 0])
        np.testing.assert_array_equal(end.x[0], run.theta[0, 0])


def test_the_lab_speaks_one_russian():
    sizes = VIEWS["descent"]["batches"]
    assert sizes.text((1, 8, None)) == ov.T("1, 8, all", "1, 8, все") and sizes.parse("batches", "1, 8, все") == (1, 8, None)
    said = "".join(p.name.ru + p.do.ru + p.see.ru for p in presets.values()) + (PAGE.parent.parent / "assets/text/batches.ru.md").read_text("utf-8")
    assert "эпох" in said and not re.search(r"\bпроход|\bзёрен|\bтрое|\ball\b", said)


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
