"""What is printed beside a schedule says the same as the schedule: the formula with its numbers, and torch's line."""

import ast
import math
import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import optviz as ov
from optviz.render.schedule_lines import TORCH, formula, printed, torch_lines, unfolded

STEPS, LR = 120, 0.3
LOSSES = np.abs(np.random.default_rng(0).normal(size=STEPS)) * np.geomspace(1, 0.2, STEPS)
GIVEN = [*((key, {}) for key in ov.schedules), ("warm_restarts", {"T_0": 8, "T_mult": 2, "eta_min": 0.01}), ("polynomial", {"total_iters": 50, "power": 2.3}),
         ("cosine", {"T_max": 40, "eta_min": 0.02}), ("multistep", {"milestone1": 60, "milestone2": 20, "gamma": 0.3}),
         ("linear", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 0}), ("warmup_cosine", {"warmup": 0}), ("plateau", {"patience": 2, "min_lr": 0.01}),
         ("step", {"step_size": 1, "gamma": 0.99999}), ("exponential", {"gamma": 0.99999}), ("cosine", {"T_max": 12345})]


def rates_of(schedule, params, warmup):
    return schedule.rates(STEPS, LR, LOSSES if schedule.fed else None, warmup, **params)


@pytest.mark.parametrize("warmup", [0, 25])
@pytest.mark.parametrize(("key", "params"), GIVEN, ids=str)
def test_torchs_lines_make_the_same_rates(key, params, warmup):
    schedule = ov.schedules[key]
    np.testing.assert_allclose(torch_rates(schedule, params, warmup), rates_of(schedule, params, warmup), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("key", ov.schedules)
def test_torch_takes_the_ends_of_every_parameter(key):
    schedule = ov.schedules[key]
    for name, p in schedule.params.items():
        for value in (p.low, p.high):
            if p.allowed.holds(value) and torch_lines(schedule, LR, {name: value}, STEPS) is not None:
                np.testing.assert_allclose(torch_rates(schedule, {name: value}, 0), rates_of(schedule, {name: value}, 0), rtol=1e-9, atol=1e-12,
                                           err_msg=f"{name}={value}")


def torch_rates(schedule, params, warmup):
    """What the printed lines set, step by step."""
    *setup, each = torch_lines(schedule, LR, params, STEPS, warmup)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    space = {"optimizer": optimizer, **vars(lr_scheduler)}
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch's SequentialLR uses its own deprecated argument
        for line in setup:
            exec(line, space)
        for k in range(STEPS):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            exec(each, space | {"k": k, "loss": LOSSES[k]})
    return rates


@pytest.mark.parametrize(("key", "params"), [(key, params) for key, params in GIVEN if key != "plateau"], ids=str)
def test_the_printed_formula_is_the_rule(key, params):
    for lines, exactly in ((unfolded, 1e-9), (printed, 1e-3)):
        names = {"k": np.arange(STEPS), "xp": np, "math": math, "abs": abs}
        for name, value in lines(ov.schedules[key], LR, params, STEPS):
            names[name] = eval(compile(ast.fix_missing_locations(ast.Expression(value)), "", "eval"), names)
        np.testing.assert_allclose(np.broadcast_to(names["rate"], STEPS), rates_of(ov.schedules[key], params, 0), rtol=exactly, atol=1e-12 / 1e-9 * exactly)


def test_formulas_read_as_a_lecture_writes_them():
    def said(key, warmup=0, **params):
        return ", ".join(formula(ov.schedules[key], 0.1, params, 300, warmup))
    assert said("constant") == r"\alpha_k = 0.1"
    assert said("step", gamma=0.5) == r"\alpha_k = 0.1 \cdot 0.5^{\left\lfloor \frac{k}{100} \right\rfloor}"
    assert said("cosine") == r"\alpha_k = 0.05\,\left(1 + \cos\left(\pi\,\frac{k}{300}\right)\right)"
    assert said("sqrt") == r"\alpha_k = 0.1\,\left(k + 1\right)^{-0.5}"
    assert said("cosine", 20).startswith(r"\alpha_k = \begin{cases} \frac{k + 1}{21}\,\alpha'_0, & k < 20")
    assert r"\frac{k}{280}" in said("cosine", 20) and "0.01" in said("plateau", min_lr=0.01)
    assert said("exponential", gamma=0.99999) == r"\alpha_k = 0.1 \cdot 0.99999^{k}"
    assert r"\frac{k}{12345}" in said("cosine", T_max=12345) and "10^{-9}" not in said("warm_restarts", T_mult=2)
    assert "> 10^{-8}" in said("plateau")
    assert said("warm_restarts").endswith(r"n = \left\lfloor \frac{k}{50} \right\rfloor")


def test_every_schedule_has_a_line_unless_torch_cannot_begin_at_nothing():
    assert set(TORCH) == {key for key, s in ov.schedules.items() if not s.fed}
    assert torch_lines(ov.schedules["warmup_cosine"], LR, {"start_factor": 0.0}, STEPS) is None
    assert torch_lines(ov.schedules["triangular"], LR, {"base_factor": 0.0}, STEPS, 10) is None
    assert torch_lines(ov.schedules["one_cycle"], LR, {"pct_start": 0.0}, STEPS, 10) is None
    assert torch_lines(ov.schedules["one_cycle"], LR, {"pct_start": 1.0}, STEPS) is None
    assert "div_factor=1.0," in torch_lines(ov.schedules["one_cycle"], LR, {"div_factor": 1.0}, STEPS)[0]
    assert torch_lines(ov.schedules["triangular"], LR, {"base_factor": 0.0}, STEPS) is not None
