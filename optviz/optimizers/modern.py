"""After Adam: signs, beliefs, looks ahead and around, and methods that choose their own rate."""

from ..core import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Param, T
from .adaptive import adam
from .base import EPS_PLACE, WEIGHT_DECAY, decay, dot, every, norm, norm1, optimizer, rate, ratio, tiny


@optimizer(T("SignSGD", "SignSGD"),
           T("Every coordinate steps equally far; only the signs of the gradient count.",
             "Все координаты сдвигаются на одинаковый шаг; от градиента берутся только знаки."), lr=rate(1e-3))
def signsgd(grad, x, state, h, t, xp):
    """Bernstein et al. 2018, signSGD: Compressed Optimisation for Non-Convex Problems (arXiv:1802.04434)."""
    g = grad(x)
    return x - h.lr * xp.sign(g), ()


@optimizer(T("Lion", "Lion"),
           T("The sign of a momentum: found by a program that searched for optimizers.",
             "Знак импульса: метод нашла программа, искавшая оптимизаторы."),
           state="m", lr=rate(1e-4), beta1=decay(0.9), beta2=decay(0.99), weight_decay=WEIGHT_DECAY)
def lion(grad, x, state, h, t, xp):
    """Chen et al. 2023, Symbolic Discovery of Optimization Algorithms (arXiv:2302.06675)."""
    (m,) = state
    g = grad(x)
    u = xp.sign(h.beta1 * m + (1 - h.beta1) * g)
    m = h.beta2 * m + (1 - h.beta2) * g
    return (1 - h.lr * h.weight_decay) * x - h.lr * u, (m,)


@optimizer(T("AdaBelief", "AdaBelief"),
           T("Adam that divides by how far the gradient strays from its expectation: a long step where it is believed.",
             "Adam, который делит на отклонение градиента от ожидаемого: где градиент предсказуем, шаг длинный."),
           state="m s", lr=rate(1e-3), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-16))
def adabelief(grad, x, state, h, t, xp):
    """Zhuang et al. 2020, AdaBelief Optimizer (arXiv:2010.07468)."""
    m, s = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    s = h.beta2 * s + (1 - h.beta2) * (g - m) * (g - m) + h.eps
    m_hat = m / (1 - h.beta1**t)
    s_hat = s / (1 - h.beta2**t)
    return x - h.lr * m_hat / (xp.sqrt(s_hat) + h.eps), (m, s)


@optimizer(T("Yogi", "Yogi"),
           T("Adam whose second moment changes by no more than (1−β₂)g² a step: it does not forget a large gradient at once.",
             "Adam, у которого второй момент за шаг меняется не более чем на (1−β₂)g² и не забывает большой градиент сразу."),
           state="m v", init=lambda x, h, xp: [0 * x + h.initial_accumulator] * 2,
           lr=rate(1e-2), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-3), initial_accumulator=tiny(1e-6))
def yogi(grad, x, state, h, t, xp):
    """Zaheer et al. 2018, Adaptive Methods for Nonconvex Optimization (NeurIPS), with Adam's bias correction."""
    m, v = state
    g = grad(x)
    m = h.beta1 * m + (1 - h.beta1) * g
    v = v - (1 - h.beta2) * xp.sign(v - g * g) * g * g
    m_hat = m / (1 - h.beta1**t)
    v_hat = v / (1 - h.beta2**t)
    return x - h.lr * m_hat / (xp.sqrt(v_hat) + h.eps), (m, v)


@optimizer(T("Adan", "Adan"),
           T("Adam with a third average, of the gradient's change: Nesterov's look ahead without a second gradient.",
             "Adam с третьим средним — изменения градиента: взгляд вперёд по Нестерову без второго градиента."),
           state="m d v g_old", symbols={"d": r"\Delta", "change": "c", "d_hat": r"\hat{\Delta}"},
           lr=rate(1e-3), beta1=decay(0.98), beta2=decay(0.92), beta3=decay(0.99), eps=tiny(1e-8), weight_decay=WEIGHT_DECAY)
def adan(grad, x, state, h, t, xp):
    """Xie et al. 2022, Adan: Adaptive Nesterov Momentum Algorithm (arXiv:2208.06677)."""
    m, d, v, g_old = state
    g = grad(x)
    change = xp.where(t < 2, 0, g - g_old)
    m = h.beta1 * m + (1 - h.beta1) * g
    d = h.beta2 * d + (1 - h.beta2) * change
    u = g + h.beta2 * change
    v = h.beta3 * v + (1 - h.beta3) * u * u
    m_hat = m / (1 - h.beta1**t)
    d_hat = d / (1 - h.beta2**t)
    v_hat = v / (1 - h.beta3**t)
    g_old = g
    return (x - h.lr * (m_hat + h.beta2 * d_hat) / (xp.sqrt(v_hat) + h.eps)) / (1 + h.lr * h.weight_decay), (m, d, v, g_old)


@optimizer(T("Lookahead", "Lookahead"),
           T("Fast weights run with Adam; every k steps slow weights go part of the way, and the fast ones return to them.",
             "Быстрые веса обновляет Adam; каждые k шагов медленные проходят часть пути, и быстрые возвращаются к ним."),
           state="m v slow", init=lambda x, h, xp: [0 * x, 0 * x, x], symbols={"slow": r"\phi", "fast": r"\tilde{\theta}", "alpha": r"\kappa"},
           lr=rate(1e-3), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-8), eps_place=EPS_PLACE,
           k=Param(5, 1, 50, allowed=COUNT, whole=True), alpha=Param(0.5, 0.0, 1.0, allowed=SHARE))
def lookahead(grad, x, state, h, t, xp):
    """Zhang et al. 2019, Lookahead Optimizer: k steps forward, 1 step back (arXiv:1907.08610)."""
    m, v, slow = state
    fast, (m, v) = adam(grad, x, (m, v), h, t, xp)
    slow = xp.where(every(h.k, t, xp), slow + h.alpha * (fast - slow), slow)
    return xp.where(every(h.k, t, xp), slow, fast), (m, v, slow)


@optimizer(T("SAM", "SAM"),
           T("Climb a little first and take the gradient there, so that sharp minima are avoided.",
             "Сначала шагнуть вверх по градиенту и взять градиент там: так метод обходит острые минимумы."),
           symbols={"up": r"\theta^{\uparrow}", "g_up": r"g^{\uparrow}"},
           lr=rate(1e-3), rho=Param(0.05, 1e-3, 1.0, log=True, allowed=NOT_NEGATIVE), eps=tiny(1e-12))
def sam(grad, x, state, h, t, xp):
    """Foret et al. 2021, Sharpness-Aware Minimization (arXiv:2010.01412)."""
    g = grad(x)
    up = x + h.rho * g / (norm(g) + h.eps)
    g_up = grad(up)
    return x - h.lr * g_up, ()


@optimizer(T("Prodigy", "Prodigy"),
           T("Estimates how far the solution is and sets Adam's rate from it: no rate to tune.",
             "Оценивает расстояние до решения и по нему выбирает шаг Adam: скорость обучения настраивать не нужно."),
           state="m v s start r d", init=lambda x, h, xp: [0 * x, 0 * x, 0 * x, x, 0 * x[0], h.d0 + 0 * x[0]],
           symbols={"start": r"\theta_0", "d0": "d_0", "d_coef": r"\kappa"}, exact=True,
           lr=rate(1.0), beta1=decay(0.9), beta2=decay(0.999), eps=tiny(1e-8),
           d0=Param(1e-6, 1e-9, 1.0, log=True, allowed=POSITIVE), d_coef=Param(1.0, 0.1, 10.0, log=True, allowed=POSITIVE))
def prodigy(grad, x, state, h, t, xp):
    """Mishchenko & Defazio 2024, Prodigy: An Expeditiously Adaptive Parameter-Free Learner (arXiv:2306.06101)."""
    m, v, s, start, r, d = state
    g = grad(x)
    eta = h.lr * d
    beta3 = h.beta2**0.5
    r = beta3 * r + d / h.d0 * eta * dot(g, start - x)
    s = beta3 * s + d / h.d0 * eta * g
    m = h.beta1 * m + (1 - h.beta1) * d * g
    v = h.beta2 * v + (1 - h.beta2) * d * d * g * g
    d = xp.maximum(d, h.d_coef * ratio(r, norm1(s), xp))
    return x - eta * ratio(m, xp.sqrt(v) + d * h.eps, xp), (m, v, s, start, r, d)


@optimizer(T("Schedule-free SGD", "SGD без расписания"),
           T("An average of the iterates takes the place of a decaying rate; gradients are taken between the two.",
             "Среднее итераций заменяет убывание шага; градиент берётся между средним и текущей точкой."),
           state="z", init=lambda x, h, xp: [x], symbols={"y": "y"}, lr=rate(1.0), momentum=decay(0.9))
def schedule_free(grad, x, state, h, t, xp):
    """Defazio et al. 2024, The Road Less Scheduled (arXiv:2405.15682)."""
    (z,) = state
    y = (1 - h.momentum) * z + h.momentum * x
    g = grad(y)
    z = z - h.lr * g
    return x + (z - x) / t, (z,)
