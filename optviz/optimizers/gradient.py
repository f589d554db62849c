"""The gradient itself, its memory (momentum) and its view ahead (Nesterov)."""

from ..core import Choice, T
from .base import decay, optimizer, rate


@optimizer(T("Gradient descent (SGD)", "Градиентный спуск (SGD)"),
           T("Step against the gradient.", "Шаг против градиента."), lr=rate(1e-3))
def sgd(grad, x, state, h, t, xp):
    """Robbins & Monro 1951, A Stochastic Approximation Method."""
    g = grad(x)
    return x - h.lr * g, ()


@optimizer(T("Momentum", "Импульс"),
           T("A velocity gathers the gradients, so that steps add up along a valley and cancel across it.",
             "Вектор скорости накапливает градиенты: вдоль оврага шаги складываются, поперёк — гасят друг друга."),
           state="v", lr=rate(1e-3), momentum=decay(0.9))
def momentum(grad, x, state, h, t, xp):
    """Polyak 1964, Some methods of speeding up the convergence of iteration methods."""
    (v,) = state
    g = grad(x)
    v = h.momentum * v + g
    return x - h.lr * v, (v,)


@optimizer(T("Momentum, averaged", "Импульс, скользящее среднее"),
           T("The velocity is an average of gradients: the same path needs a rate 1/(1−γ) times larger.",
             "Вектор скорости — скользящее среднее градиентов: тот же путь получается при скорости обучения, большей в 1/(1−γ) раз."),
           state="v", lr=rate(1e-2), momentum=decay(0.9))
def momentum_ema(grad, x, state, h, t, xp):
    """Polyak 1964, written with an exponential moving average."""
    (v,) = state
    g = grad(x)
    v = h.momentum * v + (1 - h.momentum) * g
    return x - h.lr * v, (v,)


@optimizer(T("Momentum, rate inside", "Импульс, α внутри накопления"),
           T("The learning rate enters the velocity: the velocity remembers old rates when a schedule changes them.",
             "Скорость обучения входит в импульс: если расписание меняет её, импульс ещё помнит прежние значения."),
           state="v", lr=rate(1e-3), momentum=decay(0.9), velocity=Choice("new", ("new", "old")))
def momentum_lr_inside(grad, x, state, h, t, xp):
    """Sutskever et al. 2013, On the importance of initialization and momentum in deep learning."""
    (v,) = state
    g = grad(x)
    if h.velocity == "old":  # as some slides number their steps: the point moves before the velocity hears of the gradient
        v_old = v
        v = h.momentum * v + h.lr * g
        return x - v_old, (v,)
    v = h.momentum * v + h.lr * g
    return x - v, (v,)


@optimizer(T("Nesterov", "Метод Нестерова"),
           T("Look where the velocity is about to carry you, and correct by the gradient there.",
             "Взять градиент там, куда вынесет инерция, и по нему поправить движение."),
           state="v", lr=rate(1e-3), momentum=decay(0.9), form=Choice("lr_inside", ("lr_inside", "ema")))
def nesterov(grad, x, state, h, t, xp):
    """Nesterov 1983, A method of solving a convex programming problem with convergence rate O(1/k²)."""
    (v,) = state
    if h.form == "ema":
        ahead = x - h.lr * h.momentum * v
        g = grad(ahead)
        v = h.momentum * v + (1 - h.momentum) * g
        return x - h.lr * v, (v,)
    ahead = x - h.momentum * v
    g = grad(ahead)
    v = h.momentum * v + h.lr * g
    return x - v, (v,)


@optimizer(T("Nesterov, as torch has it", "Метод Нестерова в записи torch"),
           T("The same method seen from the look-ahead point: its iterates are where Nesterov looks.",
             "Тот же метод, записанный из точки «взгляда вперёд»: его шаги — точки, куда смотрит Нестеров."),
           state="v", lr=rate(1e-3), momentum=decay(0.9))
def nesterov_torch(grad, x, state, h, t, xp):
    """Sutskever et al. 2013, rewritten at the look-ahead point as torch.optim.SGD(nesterov=True) does."""
    (v,) = state
    g = grad(x)
    v = h.momentum * v + g
    return x - h.lr * (g + h.momentum * v), (v,)
