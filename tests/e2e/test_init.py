"""`skewless init` describes a table so that `skewless run` pushes a model, without an edit."""

import csv
import datetime
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import cli

pytestmark = [pytest.mark.e2e, pytest.mark.long]


def penguins(path):
    """Write a table of three species; some rows have no species, and a column has no value."""
    rng = random.Random(1)
    species = {"Adelie": (39, 18, 3700), "Chinstrap": (49, 18, 3733), "Gentoo": (47, 15, 5076)}
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        names = ["id", "species", "island", "bill length", "bill depth", "mass", "sex", "notes"]
        writer.writerow(names)
        for number in range(344):
            kind = rng.choice(["Adelie", *species])
            length, depth, mass = species[kind]
            writer.writerow(
                [
                    *(f"N{number}", kind if number % 30 else "NA", rng.choice(["Biscoe", "Dream"])),
                    *(round(rng.gauss(length, 3), 1), round(rng.gauss(depth, 1), 1)),
                    *(int(rng.gauss(mass, 300)), rng.choice(["male", "female", "NA"]), ""),
                ]
            )


def sixty_rows(path):
    """Write a table that is too small to learn much from."""
    rng = random.Random(2)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "churned"])
        for _ in range(60):
            writer.writerow([rng.gauss(0, 1), rng.choice("xy"), rng.choice("01")])


def orders(path):
    """Write a Parquet file in the order of its times, with dates, lists and a boolean label."""
    rng = random.Random(3)
    start = datetime.datetime(2024, 1, 1)  # noqa: DTZ001 - the file's times have no zone
    rows = []
    for number in range(500):
        tags = rng.sample(["red", "blue", "sale", "new"], rng.randrange(4))
        rows.append(
            {
                "ordered": start + datetime.timedelta(hours=7 * number),
                "born": datetime.date(1950 + rng.randrange(50), 1 + number % 12, 1),
                "tags": tags,
                "views": [rng.randrange(9) for _ in range(rng.randrange(4))],
                "weights": [rng.random()],
                "amount": rng.lognormvariate(3, 1),
                "bought": ("sale" in tags) + rng.gauss(0, 0.4) > 0.5,
            }
        )
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize(
    ("write", "name", "label"),
    [
        (penguins, "table.csv", "species"),
        (sixty_rows, "table.csv", "churned"),
        (orders, "table.parquet", "bought"),
    ],
)
def test_a_drafted_dataset_runs_to_a_pushed_model(tmp_path, write, name, label):
    table, folder = tmp_path / name, tmp_path / "drafted"
    write(table)
    assert cli.main(["init", str(table), "--label", label, "-o", str(folder)]) == 0
    assert cli.main(["run", str(folder), "--output", str(tmp_path / "runs")]) == 0
    assert (tmp_path / "runs" / "drafted" / "serving" / "1" / "saved_model.pb").is_file()
