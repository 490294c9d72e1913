"""Writes the tables of the shipped datasets `support` and `deliveries`, whose truth is known.

`python scripts/example_tables.py` writes schemas/support/tickets.csv and
schemas/deliveries/deliveries.csv. The rows depend only on this file. `team_shares` and
`log_minutes` are the truth: no model does better than they do.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
ROWS = 4_000
SPREAD = 0.2  # standard deviation of the logarithm of a delivery's minutes

TEAMS = ("billing", "technical", "account", "sales")
CHANNELS, PLANS = ("mail", "chat", "phone"), ("free", "team", "enterprise")
PRODUCTS = ("editor", "viewer", "api", "mobile", "desktop")
CITIES, VEHICLES = ("Aachen", "Bremen", "Chemnitz", "Dresden"), ("bicycle", "scooter", "van")


def team_shares(channel: str, plan: str, product: str, months: int, seats: int) -> list[float]:
    """Return the probability of each team for a ticket."""
    logits = [
        1.0 * (channel == "phone") + 0.3 * math.log(seats) + 1.5 * (plan == "team" and months < 12),
        1.2 * (product in ("api", "desktop")) + 2.0 * (product == "mobile" and channel == "chat"),
        0.2 + 1.8 * (plan == "free" and months > 24) + 1.2 * (plan == "team" and channel == "mail"),
        1.8 * (plan == "free" and months < 9) + 1.5 * (channel == "mail" and seats > 2),
    ]
    weights = [math.exp(2 * logit) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def log_minutes(city: str, vehicle: str, kilometres: float, kilograms: float, hour: int) -> float:
    """Return the mean logarithm of a delivery's minutes."""
    slow = {"bicycle": 0.5, "scooter": 0.2, "van": 0.0}[vehicle]
    rush = 0.4 * (hour in (7, 8, 16, 17, 18)) * (vehicle == "van")
    town = {"Aachen": 0.0, "Bremen": 0.1, "Chemnitz": -0.1, "Dresden": 0.25}[city]
    return 2.0 + 0.7 * math.log(kilometres) + slow + rush + town + 0.01 * kilograms


def tickets() -> Iterator[tuple[object, ...]]:
    """Yield a header and the rows of tickets.csv."""
    yield "ticket", "channel", "plan", "product", "months", "seats", "team"
    chance = random.Random(1)
    for number in range(ROWS):
        row = (
            chance.choice(CHANNELS),
            chance.choice(PLANS),
            chance.choice(PRODUCTS),
            chance.randrange(60),
            int(chance.paretovariate(1)),
        )
        team = chance.choices(TEAMS, team_shares(*row))[0]
        yield (10_000 + number, *_with_gaps(row, chance), team)


def deliveries() -> Iterator[tuple[object, ...]]:
    """Yield a header and the rows of deliveries.csv."""
    yield "delivery", "city", "vehicle", "kilometres", "kilograms", "hour", "minutes"
    chance = random.Random(2)
    for number in range(ROWS):
        row = (
            chance.choice(CITIES),
            chance.choice(VEHICLES),
            round(0.3 + chance.lognormvariate(1, 0.8), 2),
            round(chance.expovariate(0.2), 1),
            chance.randrange(6, 22),
        )
        minutes = math.exp(log_minutes(*row) + chance.gauss(0, SPREAD))
        yield (50_000 + number, *_with_gaps(row, chance), round(minutes, 1))


def _with_gaps(row: Sequence[object], chance: random.Random) -> list[object]:
    """Leave out some values, which the answer depends on all the same."""
    return ["" if chance.random() < 0.02 else value for value in row]


def main() -> None:
    """Write both tables."""
    for path, rows in (
        (SCHEMAS / "support" / "tickets.csv", tickets()),
        (SCHEMAS / "deliveries" / "deliveries.csv", deliveries()),
    ):
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
