"""A step of its own for each coordinate: AdaGrad, its descendants up to Adam, and Adam's family."""

from typing import Any

from ..core import NOT_NEGATIVE, POSITIVE, Choice, Param, Range, T
from .base import EPS_PLACE, decay, divisor, optimizer, rate, rms, tiny

_ADAM: dict[str, Any] = {"lr": rate(1e-3), "beta1": decay(0.9), "beta2": decay(0.999), "eps": tiny(1e-8)}
_S = {"alpha": r"\beta", "s": "G"}


@optimizer(T("AdaGrad", "AdaGrad"),
           T("Divide by the root of all squared gradients so far: rare coordinates take larger steps, and every step fades.",
             "Делить на корень из суммы квадратов прошлых градиентов: по редким координатам шаги крупнее, но со временем все затухают."),
           state="s", init=lambda x, h, xp: [0 * x + h.initial_accumulator_value], symbols=_S | {"lr_decay": r"\delta", "lr_t": r"\alpha_t"},
           lr=rate(1e-2), lr_decay=Param(0.0, 0.0, 1.0, allowed=NOT_NEGATIVE), eps=tiny(1e-10), eps_place=EPS_PLACE,
           initial_accumulator_value=Param(0.0, 0.0, 10.0, allowed=NOT_NEGATIVE))
def adagrad(grad, x, state, h, t, xp):
    """Duchi, Hazan & Singer 2011, Adaptive Subgradient Methods (JMLR 12)."""
    (s,) = state
    g = grad(x)
    s = s + g * g
    lr_t = h.lr / (1 + (t - 1) * h.lr_decay)
    return x - lr_t * g / divisor(s, h, xp), (s,)


@optimizer(T("RMSProp", "RMSProp"),
           T("Divide by the recent size of the gradient: AdaGrad that forgets, so that steps do not fade.",
             "Делить на недавнюю величину градиента: AdaGrad с забыванием, шаги не затухают."),
           state="s", symbols=_S, exact=True, lr=rate(1e-2), alpha=decay(0.99), eps=tiny(1e-8), eps_place=EPS_PLACE)
def rmsprop(grad, x, state, h, t, xp):
    """Tieleman & Hinton 2012, Lecture 6.5 of Neural Networks for Machine Learning."""
    (s,) = state
    g = grad(x)
    s = h.alpha * s + (1 - h.alpha) * g * g
    return x - h.lr * g / divisor(s, h, xp), (s,)


@optimizer(T("RMSProp, centred", "RMSProp, центрированный"),
           T("Divide by the spread of the gradient about its mean: a steady gradient then means large steps.",
             "Делить на разброс градиента вокруг среднего: при ровном градиенте шаги велики."),
           state="s m", symbols=_S | {"spread": r"\sigma^2"}, lr=rate(1e-2), alpha=decay(0.99), eps=tiny(1e-8), eps_place=EPS_PLACE)
def rmsprop_centered(grad, x, state, h, t, xp):
    """Graves 2013, Generating Sequences With Recurrent Neural Networks (arXiv:1308.0850)."""
    s, m = state
    g = grad(x)
    s = h.alpha * s + (1 - h.alpha) * g * g
    m = h.alpha * m + (1 - h.alpha) * g
    spread = xp.clip(s - m * m, min=0)
    return x - h.lr * g / divisor(spread, h, xp), (s, m)


@optimizer(T("AdaDelta", "AdaDelta"),
           T("Scale the gradient by the ratio of recent steps to recent gradients: the units come out right without a rate.",
             "Умножать градиент на отношение недавних шагов к недавним градиентам: размерность шага верна и без скорости обучения."),
           state="s d", symbols={"s": "G", "d": r"\Delta", "delta": r"\delta", "rho": r"\rho"}, lr=rate(1.0), rho=decay(0.9), eps=tiny(1e-6),
           eps_place=Choice("inside", ("inside", "outside")))
def adadelta(grad, x, state, h, t, xp):
    """Zeiler 2012, ADADELTA: An Adaptive Learning Rate Method (arXiv:1212.5701)."""
    s, d = state
    g = grad(x)
    s = h.rho * s + (1 - h.rho) * g * g
    delta = g * divisor(d, h, xp) / divisor(s, h, xp)
    d = h.rho * d + (1 - h.rho) * delta * delta
    return x - h.lr * delta, (s, d)


@optimizer(T("Adam, uncorrected", "Adam без поправки"),
           T("Momentum divided as in RMSProp; both averages start at zero, so the first steps are too long.",
             "Импульс с делением, как в RMSProp; оба средних стартуют с нуля, поэтому первые шаги слишком длинны."),
           state="m v", **_ADAM, eps_place=EPS_PLACE)
def adam_uncorrected(grad, x, state, h, t, xp):
    """Kingma & Ba 2015 (arXiv:1412.6980), without the correction of section 3."""
    m, v = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    return x - h.lr * m / divisor(v, h, xp), (m, v)


@optimizer(T("Adam", "Adam"),
           T("Momentum with a step for each coordinate, and a correction for starting both averages at zero.",
             "Импульс со своим шагом по каждой координате и поправкой на нулевой старт обоих средних."),
           state="m v", **_ADAM, eps_place=EPS_PLACE)
def adam(grad, x, state, h, t, xp):
    """Kingma & Ba 2015, Adam: A Method for Stochastic Optimization (arXiv:1412.6980)."""
    m, v = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    m_hat = m / (1 - h.beta1**t)
    v_hat = v / (1 - h.beta2**t)
    return x - h.lr * m_hat / divisor(v_hat, h, xp), (m, v)


@optimizer(T("AMSGrad", "AMSGrad"),
           T("Adam that divides by the largest second moment so far: a rare large gradient is not forgotten.",
             "Adam, который делит на наибольший второй момент за всё время: редкий большой градиент не забывается."),
           state="m v v_max", **_ADAM, eps_place=EPS_PLACE)
def amsgrad(grad, x, state, h, t, xp):
    """Reddi, Kale & Kumar 2018, On the Convergence of Adam and Beyond (arXiv:1904.09237), with torch's bias correction."""
    m, v, v_max = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    v_max = xp.maximum(v_max, v)
    m_hat = m / (1 - h.beta1**t)
    v_hat = v_max / (1 - h.beta2**t)
    return x - h.lr * m_hat / divisor(v_hat, h, xp), (m, v, v_max)


@optimizer(T("AdamW", "AdamW"),
           T("Adam with the weights shrunk directly, not through the gradient that Adam rescales.",
             "Adam, в котором веса затухают напрямую, а не через градиент, который Adam перемасштабирует."),
           state="m v", **_ADAM, eps_place=EPS_PLACE, weight_decay=Param(1e-2, 0.0, 1.0, allowed=NOT_NEGATIVE))
def adamw(grad, x, state, h, t, xp):
    """Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization (arXiv:1711.05101)."""
    m, v = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    m_hat = m / (1 - h.beta1**t)
    v_hat = v / (1 - h.beta2**t)
    shrunk = (1 - h.lr * h.weight_decay) * x
    return shrunk - h.lr * m_hat / divisor(v_hat, h, xp), (m, v)


@optimizer(T("AdaMax", "AdaMax"),
           T("Adam that divides by the largest recent gradient instead of the root of its mean square.",
             "Adam, который делит на наибольший из недавних градиентов, а не на корень из среднего квадрата."),
           state="m u", lr=rate(2e-3), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-8))
def adamax(grad, x, state, h, t, xp):
    """Kingma & Ba 2015 (arXiv:1412.6980), section 7.1."""
    m, u = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    u = xp.maximum(h.beta2 * u, xp.abs(g) + h.eps)
    m_hat = m / (1 - h.beta1**t)
    return x - h.lr * m_hat / u, (m, u)


@optimizer(T("Nadam", "Nadam"),
           T("Adam with Nesterov's look ahead folded into its first moment.",
             "Adam, в первый момент которого встроен взгляд вперёд по Нестерову."),
           state="m v mu_product", init=lambda x, h, xp: [0 * x, 0 * x, 1 + 0 * x[0]],
           symbols={"mu_product": r"\Pi", "momentum_decay": r"\psi", "ahead": r"\tilde{m}"},
           lr=rate(2e-3), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-8), eps_place=EPS_PLACE,
           momentum_decay=Param(4e-3, 0.0, 1.0, allowed=NOT_NEGATIVE), form=Choice("warming", ("warming", "printed")))
def nadam(grad, x, state, h, t, xp):
    """Dozat 2016, Incorporating Nesterov Momentum into Adam."""
    m, v, mu_product = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    v_hat = v / (1 - h.beta2**t)
    if h.form == "printed":
        m_hat = m / (1 - h.beta1**t)
        ahead = h.beta1 * m_hat + (1 - h.beta1) / (1 - h.beta1**t) * g
        return x - h.lr * ahead / divisor(v_hat, h, xp), (m, v, mu_product)
    mu = h.beta1 * (1 - 0.5 * 0.96 ** (t * h.momentum_decay))
    mu_next = h.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * h.momentum_decay))
    mu_product = mu_product * mu
    ahead = mu_next / (1 - mu_product * mu_next) * m + (1 - mu) / (1 - mu_product) * g
    return x - h.lr * ahead / divisor(v_hat, h, xp), (m, v, mu_product)


@optimizer(T("RAdam", "RAdam"),
           T("Adam that trusts its second moment only once enough gradients stand behind it.",
             "Adam, который доверяет второму моменту лишь тогда, когда за ним стоит достаточно градиентов."),
           state="m v", **_ADAM, symbols={"rho_max": r"\rho_\infty"})
def radam(grad, x, state, h, t, xp):
    """Liu et al. 2020, On the Variance of the Adaptive Learning Rate and Beyond (arXiv:1908.03265), with torch's threshold 5."""
    m, v = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    m_hat = m / (1 - h.beta1**t)
    rho_max = 2 / (1 - h.beta2) - 1
    rho = rho_max - 2 * t * h.beta2**t / (1 - h.beta2**t)
    r = xp.clip((rho - 4) * (rho - 2) * rho_max / ((rho_max - 4) * (rho_max - 2) * rho), min=0) ** 0.5
    l = (1 - h.beta2**t) ** 0.5 / (xp.sqrt(v) + h.eps)
    return x - h.lr * xp.where(rho > 5, r * l, 1) * m_hat, (m, v)


@optimizer(T("Rprop", "Rprop"),
           T("Only the sign of the gradient counts: a step grows while the sign stays and shrinks when it flips.",
             "Важен только знак градиента: шаг растёт, пока знак прежний, и сокращается при его смене."),
           state="g_old s", init=lambda x, h, xp: [0 * x, 0 * x + h.lr],
           symbols={"eta1": r"\eta^-", "eta2": r"\eta^+", "step_size1": r"\Delta_{\min}", "step_size2": r"\Delta_{\max}",
                    "s": r"\Delta", "agree": "a"},
           lr=rate(1e-2), eta1=Param(0.5, 0.01, 0.99, allowed=Range(0, 1, True, True)),
           eta2=Param(1.2, 1.01, 3.0, allowed=Range(1.0, open_low=True)),
           step_size1=Param(1e-6, 1e-9, 1e-2, log=True, allowed=NOT_NEGATIVE), step_size2=Param(50.0, 0.1, 100.0, log=True, allowed=POSITIVE))
def rprop(grad, x, state, h, t, xp):
    """Riedmiller & Braun 1993, A direct adaptive method for faster backpropagation learning; the variant of torch, which never steps back."""
    g_old, s = state
    g = grad(x)
    agree = g * g_old
    s = xp.where(agree > 0, h.eta2 * s, xp.where(agree < 0, h.eta1 * s, s))
    s = xp.clip(xp.clip(s, min=h.step_size1), max=h.step_size2)
    g_old = xp.where(agree < 0, 0, g)
    return x - s * xp.sign(g_old), (g_old, s)


@optimizer(T("ASGD", "ASGD"),
           T("SGD with a rate that decays as theory asks; its average (not drawn) is what theory praises.",
             "SGD с убыванием шага по теории; теория хвалит среднее его траектории (здесь показана сама траектория)."),
           symbols={"lambd": r"\lambda", "alpha": r"\kappa", "eta": r"\eta"},
           lr=rate(1e-2), lambd=Param(1e-4, 0.0, 1.0, allowed=NOT_NEGATIVE), alpha=Param(0.75, 0.0, 1.0, allowed=NOT_NEGATIVE))
def asgd(grad, x, state, h, t, xp):
    """Polyak & Juditsky 1992, Acceleration of stochastic approximation by averaging."""
    g = grad(x)
    eta = h.lr / (1 + h.lambd * h.lr * (t - 1)) ** h.alpha
    return (1 - h.lambd * eta) * x - eta * g, ()


@optimizer(T("Adafactor", "Adafactor"),
           T("Steps relative to the size of the parameters, with the update's own size capped; no first moment to store.",
             "Шаги относительно величины параметров, сам шаг ограничен; первый момент не хранится."),
           state="v", symbols={"eps1": r"\varepsilon_1", "eps2": r"\varepsilon_2", "beta2_decay": r"\tau", "excess": r"\kappa"}, exact=True,
           lr=rate(1e-2), beta2_decay=Param(-0.8, -2.0, 0.0, allowed=Range(high=0.0)), eps1=tiny(2.0**-52), eps2=tiny(1e-3),
           d=Param(1.0, 0.1, 10.0, log=True, allowed=POSITIVE), weight_decay=Param(0.0, 0.0, 1.0, allowed=NOT_NEGATIVE))
def adafactor(grad, x, state, h, t, xp):
    """Shazeer & Stern 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost (arXiv:1804.04235)."""
    (v,) = state
    g = grad(x)
    v = v + t**h.beta2_decay * (g * g - v)
    rho = xp.where(h.lr * t**0.5 < 1, h.lr, t**-0.5)
    size = xp.clip(rms(x), min=h.eps2) * rho
    u = g / xp.sqrt(xp.clip(v, min=h.eps1 * h.eps1))
    excess = xp.clip(rms(u) / h.d, min=1)
    u = u / excess
    return (1 - h.lr * h.weight_decay) * x - size * u, (v,)
