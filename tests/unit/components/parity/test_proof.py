"""The proof as a file and as text."""

import pytest

from components.parity.proof import (
    FILE_NAME,
    Difference,
    PathFailure,
    PathResult,
    Proof,
    QuestionResult,
    describe,
)


def difference(**changes):
    fields = {
        "path": "Python: transform_features",
        "row": "test row 7",
        "content": {"fare": "12.5", "company": r"'Bl\x00e'", "miles": "missing"},
        "feature": "fare_z_score",
        "expected": "0.25",
        "got": "0.5",
        "relative": 1.0,
    }
    return Difference.model_validate(fields | changes)


def result(path, question, differing):
    return QuestionResult(
        serving_path=path,
        question=question,
        rows=1231,
        values=2462,
        differing=differing,
        largest=8e-7,
    )


def sum_of(result):
    return PathResult(
        name=result.serving_path,
        cannot_carry="nothing",
        questions=1,
        failed=0,
        rows=result.rows,
        refused=0,
        values=result.values,
        differing=result.differing,
        largest=result.largest,
    )


def proof_of(differences=(), failures=()):
    results = (
        result("Python", "transform_features", len(differences)),
        result("C API", "raw_columns", 0),
    )
    return Proof(
        proven=not differences and not failures,
        real_rows=1000,
        real_by_split={"test": 900, "eval": 100, "train": 0},
        adversarial_rows=231,
        relative_tolerance=1e-6,
        serving_paths=tuple(map(sum_of, results)),
        questions=results,
        failures=tuple(failures),
        differences=tuple(differences),
    )


def test_a_proof_is_read_as_it_was_written(tmp_path):
    nan = difference(expected="nan", got="inf", relative=None)
    proof = proof_of([difference(), nan], [PathFailure(path="C API", reason="ended by SIGSEGV")])
    proof.write(str(tmp_path))

    assert Proof.read(str(tmp_path)) == proof
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_the_text_of_a_proof_is_one_line():
    assert describe(proof_of()) == (
        "serving gives what training computed: "
        "1,000 real rows (900 test, 100 eval) and 231 adversarial ones, "
        "2 serving paths, 4,924 values"
    )


def test_a_difference_is_reported_with_row_feature_and_both_values():
    assert describe(proof_of([difference()])).splitlines() == [
        (
            "serving would not give what training computed "
            "(1,000 real rows (900 test, 100 eval) and 231 adversarial ones):"
        ),
        "  Python: 1 of 2,462 values differ",
        "",
        "  feature       expected  got  relative  row         path",
        "  fare_z_score  0.25      0.5  1         test row 7  Python: transform_features",
        "",
        r"  test row 7: fare=12.5, company='Bl\x00e', miles=missing",
    ]


def test_many_differences_are_cut_short_and_each_row_is_shown_once():
    many = [difference(row=f"test row {i // 2}", feature=f"f{i}") for i in range(20)]
    text = describe(proof_of(many))

    assert f"… and 12 more in {FILE_NAME}" in text
    assert "f7" in text
    assert "f8" not in text
    assert text.count("fare=12.5") == 4


def test_a_failure_is_reported_with_its_reason():
    text = describe(
        proof_of(failures=[PathFailure(path="C API", reason="first line\nsecond line")])
    )

    assert text.splitlines()[1:] == [
        "  C API gave no answer:",
        "    first line",
        "    second line",
    ]


def test_unknown_content_is_refused():
    with pytest.raises(ValueError, match="unknown key 'colour'"):
        difference(colour="red")
