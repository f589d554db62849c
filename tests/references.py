"""Independent references: the surfaces written out again for torch, with the published minima."""

import math

import torch

SQRT, EXP, SIN, COS, TANH = torch.sqrt, torch.exp, torch.sin, torch.cos, torch.tanh
PI = math.pi


def hill(x, w, at, height):
    return height * EXP(-((x - at) ** 2 + w**2) / 0.2)


def rotated(x, y):
    p = torch.stack([x, y])
    turn = torch.tensor([[math.cos(PI / 4), math.sin(PI / 4)], [-math.sin(PI / 4), math.cos(PI / 4)]], dtype=x.dtype)
    u = turn @ p.reshape(2, -1)
    return ((u.T @ torch.diag(torch.tensor([1.0, 100.0], dtype=x.dtype))) * u.T).sum(1).reshape(x.shape) / 2


def plateau(x, y):
    r = 10 * SQRT(x**2 + y**2) + 0.01
    return -SIN(r) / r + 0.01 * r**2


FORMULAS = {
    "bowl": lambda x, y: x**2 + y**2,
    "ravine": lambda x, y: x**2 + 10 * y**2,
    "rotated_ravine": rotated,
    "saddle": lambda x, y: x**2 - y**2,
    "bounded_saddle": lambda x, y: SIN(x) + y**2,
    "monkey_saddle": lambda x, y: x**3 - 3 * x * y**2,
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "distill_rosenbrock": lambda x, y: (1 - x) ** 2 + 20 * (3 * y - x**2) ** 2,
    "beale": lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "rastrigin": lambda x, y: 20 + x**2 - 10 * COS(2 * PI * x) + y**2 - 10 * COS(2 * PI * y),
    "ackley": lambda x, y: -20 * EXP(-0.2 * SQRT((x**2 + y**2) / 2)) - EXP((COS(2 * PI * x) + COS(2 * PI * y)) / 2) + 20 + math.e,
    "six_hump_camel": lambda x, y: (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2,
    "three_hump_camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "levy_13": lambda x, y: SIN(3 * PI * x) ** 2 + (x - 1) ** 2 * (1 + SIN(3 * PI * y) ** 2) + (y - 1) ** 2 * (1 + SIN(2 * PI * y) ** 2),
    "styblinski_tang": lambda x, y: sum(v**4 - 16 * v**2 + 5 * v for v in (x, y)) / 2,
    "two_wells": lambda x, y: x**2 + y**2 + hill(x, y, 1, -2) + hill(x, y, -1, -3),
    "local_minimum": lambda x, y: hill(x, 1.4 * y, 1, -2) + hill(x, 1.4 * y, -1, -6) + x**2 + (1.4 * y) ** 2,
    "plateau": plateau,
    "hills": lambda x, y: hill(x, 1.4 * y, 1, 2) + hill(x, 1.4 * y, -1, 6) + hill(x, 1.4 * y + 1, 1, -2) + x**2 + (1.4 * y) ** 2,
    "cliff": lambda x, y: 0.3 * (1 - x) * (1 - (1 + TANH(15 * (x - 1))) / 2) + 4 * (1 + TANH(15 * (x - 1))) - 0.01 * x + 0.1 * y**2,
}

#: key -> (places, values) as printed; None where a table gives no value. How close is set by the digits printed.
MINIMA = {
    "bowl": [((0, 0), 0)], "ravine": [((0, 0), 0)], "rotated_ravine": [((0, 0), 0)], "bounded_saddle": [((-PI / 2, 0), -1)],
    "rosenbrock": [((1, 1), 0)], "distill_rosenbrock": [((1, 1 / 3), 0)], "beale": [((3, 0.5), 0)],
    "himmelblau": [((3, 2), 0), ((-2.805118, 3.131313), 0), ((-3.779310, -3.283186), 0), ((3.584428, -1.848127), 0)],
    "rastrigin": [((0, 0), 0)], "ackley": [((0, 0), 0)],
    "six_hump_camel": [((0.0898, -0.7126), -1.0316), ((-0.0898, 0.7126), -1.0316)],
    "three_hump_camel": [((0, 0), 0), ((1.748, -0.874), 0.2986), ((-1.748, 0.874), 0.2986)],
    "levy_13": [((1, 1), 0)], "styblinski_tang": [((-2.9035, -2.9035), -78.332)],
    "two_wells": [((-0.936, 0), -2.0631), ((0.905, 0), -1.0927)], "local_minimum": [((-0.968, 0), -5.0323), ((0.905, 0), -1.0927)],
    "plateau": [((0, 0), -0.99998)], "hills": [((0.900, -0.653), -0.1588), ((0.042, -0.001), 0.0483)],
}
COUNTS = {"bowl": 1, "saddle": 0, "monkey_saddle": 0, "bounded_saddle": 1, "rosenbrock": 1, "himmelblau": 4, "six_hump_camel": 6,
          "three_hump_camel": 3, "styblinski_tang": 4, "two_wells": 2, "local_minimum": 2, "hills": 2, "rastrigin": 81}
CUSPS = {"ackley": (0, 0), "plateau": (0, 0)}
