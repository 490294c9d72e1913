"""`skewless init` describes a table so that `skewless run` pushes a model, without an edit."""

import csv
import random

import pytest

from pipeline import cli

pytestmark = [pytest.mark.e2e, pytest.mark.long]


def penguins(path):
    """Write a table of three species, with some values missing."""
    rng = random.Random(1)
    species = {"Adelie": (39, 18, 3700), "Chinstrap": (49, 18, 3733), "Gentoo": (47, 15, 5076)}
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["id", "species", "island", "bill length", "bill depth", "mass", "sex"])
        for number in range(344):
            kind = rng.choice(["Adelie", *species])
            length, depth, mass = species[kind]
            writer.writerow(
                [
                    *(f"N{number}", kind, rng.choice(["Biscoe", "Dream"])),
                    *(round(rng.gauss(length, 3), 1), round(rng.gauss(depth, 1), 1)),
                    *(int(rng.gauss(mass, 300)), rng.choice(["male", "female", "NA"])),
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


@pytest.mark.parametrize(("write", "label"), [(penguins, "species"), (sixty_rows, "churned")])
def test_a_drafted_dataset_runs_to_a_pushed_model(tmp_path, write, label):
    table, folder = tmp_path / "table.csv", tmp_path / "drafted"
    write(table)
    assert cli.main(["init", str(table), "--label", label, "-o", str(folder)]) == 0
    assert cli.main(["run", str(folder), "--output", str(tmp_path / "runs")]) == 0
    assert (tmp_path / "runs" / "drafted" / "serving" / "1" / "saved_model.pb").is_file()
