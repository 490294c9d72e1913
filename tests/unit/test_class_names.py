"""A class's name says what it is wherever it is read: no two rooms have one of the same name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("schemas", "components", "pipeline")


def rooms_by_class() -> dict[str, set[str]]:
    """Return the rooms, which are folders such as components/parity, that define each class."""
    rooms = defaultdict(set)
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            room = "/".join(path.relative_to(ROOT).parent.parts[:2])
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    rooms[node.name].add(room)
    return rooms


def test_no_class_name_is_in_two_rooms():
    rooms = rooms_by_class()
    assert "components/parity" in rooms["ServingPath"]
    assert {name: sorted(where) for name, where in rooms.items() if len(where) > 1} == {}
