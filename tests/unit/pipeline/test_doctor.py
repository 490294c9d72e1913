"""Each check shows what is in use and what to do about it."""

import re
from pathlib import Path

import pytest

from pipeline import cli, doctor
from pipeline.doctor import GIB, LINES, Check

CURRENT, COMPATIBLE = LINES


def test_lines_by_python():
    assert doctor.line_for((3, 10)) is COMPATIBLE
    assert doctor.line_for((3, 13)) is CURRENT
    assert doctor.line_for((3, 11)) is None


def test_a_python_without_a_line_is_bad():
    check = doctor.check_line((3, 11), None)
    assert (check.verdict, check.expected) == ("bad", "3.10, 3.12, 3.13")


@pytest.mark.parametrize(
    ("libc", "line", "verdict"),
    [
        (("glibc", "2.36"), COMPATIBLE, "ok"),
        (("glibc", "2.36"), CURRENT, "bad"),
        (("glibc", "2.41"), CURRENT, "ok"),
        (("glibc", "2.4"), CURRENT, "bad"),
        (("", ""), COMPATIBLE, "bad"),
    ],
)
def test_glibc(libc, line, verdict):
    assert doctor.check_glibc(libc, line).verdict == verdict


@pytest.mark.parametrize(
    ("version", "verdict"), [("2.16.2", "ok"), ("2.17.0", "bad"), (None, "bad")]
)
def test_a_library_fits_its_range(version, verdict):
    assert doctor.check_library("tensorflow", version, "<2.17,>=2.16.2").verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(1, "bad"), (3, "warn"), (8, "ok")])
def test_memory(free, verdict):
    assert doctor.check_memory(free * GIB).verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(0.5, "bad"), (3, "warn"), (8, "ok")])
def test_disk(tmp_path, free, verdict):
    assert doctor.check_disk(tmp_path, int(free * GIB)).verdict == verdict


def test_a_processor_without_avx_is_bad(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert doctor.check_processor(frozenset({"sse2"}), 2).verdict == "bad"
    assert doctor.check_processor(frozenset({"sse2", "avx"}), 2).verdict == "ok"
    assert doctor.check_processor(None, 2).verdict == "ok"


def test_the_ranges_are_those_the_package_asks_for():
    ranges = doctor.required_ranges()
    assert set(doctor.LIBRARIES) <= set(ranges)


def test_it_shows_every_library_and_its_verdict(capsys):
    code = cli.main(["doctor"])
    out = capsys.readouterr().out
    for name in (*doctor.LIBRARIES, "python", "libc", "memory", "disk"):
        assert f" {name} " in out
    assert code == (1 if "\nbad " in f"\n{out}" else 0)


def test_what_is_bad_fails_the_command_and_says_what_to_do(monkeypatch, capsys):
    bad = Check("tfx", "1.0", ">=1.16", "bad", "rebuild it")
    monkeypatch.setattr(doctor, "check_all", lambda output: iter([bad]))
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad  tfx  1.0  >=1.16",
        "bad: tfx: rebuild it",
    ]


def test_make_has_the_targets_in_remedies():
    root = Path(doctor.__file__).parents[1]
    targets_named = set(
        re.findall(r"`make (\w+)`", Path(doctor.__file__).read_text(encoding="utf-8"))
    )
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.M)
    assert targets_named
    assert targets_named <= set(targets)
