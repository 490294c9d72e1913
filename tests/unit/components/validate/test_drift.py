import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from components.validate.drift import (
    chance_of_jensen_shannon,
    chance_of_l_infinity,
    explain_by_chance,
    measured,
)
from components.validate.findings import Drift, Finding


def drift(value: float, chance: float) -> Drift:
    return Drift(
        column="fare", split="eval", measure="L_INFTY", value=value, threshold=0.05, chance=chance
    )


def finding(kind: str = "COMPARATOR_L_INFTY_HIGH", split: str = "eval") -> Finding:
    return Finding(
        split=split,
        environment="TRAINING",
        column="fare",
        severity="error",
        kind=kind,
        what="drift from train",
        expected="at most 0.05",
        seen="0.1",
        fix="",
    )


def dataset(column: str, rows: int, values: int) -> statistics_pb2.DatasetFeatureStatistics:
    return text_format.Parse(
        f"""num_examples: {rows} features {{
          path {{ step: "{column}" }}
          string_stats {{ common_stats {{ num_non_missing: {rows} }} unique: {values} }}
        }}""",
        statistics_pb2.DatasetFeatureStatistics(),
    )


def test_measured_keeps_values_below_the_threshold_with_what_chance_gives() -> None:
    anomalies = text_format.Parse(
        """drift_skew_info { path { step: "pay" }
             drift_measurements { type: L_INFTY value: 0.01 threshold: 0.05 } }
           drift_skew_info { path { step: "fare" }
             drift_measurements {
               type: JENSEN_SHANNON_DIVERGENCE value: 0.2 threshold: 0.1 } }""",
        anomalies_pb2.Anomalies(),
    )
    now, then = dataset("pay", 100, 4), dataset("pay", 900, 4)
    fare, pay = measured(anomalies, split="eval", current=now, train=then)
    assert (fare.column, fare.measure, fare.value) == ("fare", "JENSEN_SHANNON_DIVERGENCE", 0.2)
    assert fare.chance == 0.0  # without statistics nothing is excused
    assert (pay.column, pay.split, pay.value, pay.threshold) == ("pay", "eval", 0.01, 0.05)
    assert pay.chance == pytest.approx(3.2905 * 0.5 * (1 / 100 + 1 / 900) ** 0.5)


def test_drift_within_chance_is_a_warning_that_says_so() -> None:
    (mild,) = explain_by_chance([finding()], [drift(0.1, chance=0.27)])
    assert mild.severity == "warning"
    assert mild.seen == "0.1; in so few rows chance alone gives up to 0.27"


def test_drift_beyond_chance_stays_an_error() -> None:
    assert list(explain_by_chance([finding()], [drift(0.1, chance=0.02)])) == [finding()]


def test_only_drift_is_excused() -> None:
    other = finding(kind="FLOAT_TYPE_SMALL_FLOAT")
    elsewhere = finding(split="test")
    assert list(explain_by_chance([other, elsewhere], [drift(0.1, chance=0.9)])) == [
        other,
        elsewhere,
    ]


def test_l_infinity_of_samples_of_one_source_stays_under_its_chance() -> None:
    random = np.random.default_rng(0)
    bound = chance_of_l_infinity(45, 210)
    shares = [random.binomial(45, 0.5) / 45 - random.binomial(210, 0.5) / 210 for _ in range(4000)]
    passed = np.mean(np.abs(shares) > bound)
    assert 0 < passed <= 0.004
    assert bound == pytest.approx(0.2703, abs=1e-4)


@pytest.mark.parametrize("buckets", [2, 12])
def test_jensen_shannon_of_samples_of_one_source_stays_under_its_chance(buckets: int) -> None:
    random = np.random.default_rng(0)
    even = np.full(buckets, 1 / buckets)
    p = random.multinomial(400, even, 40_000) / 400
    q = random.multinomial(1600, even, 40_000) / 1600
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.where(x > 0, x * np.log2(x / middle), 0).sum(1) for x in (p, q)]
    passed = np.mean((halves[0] + halves[1]) / 2 > chance_of_jensen_shannon(400, 1600, buckets))
    assert 0 < passed <= 0.004


def test_chance_shrinks_with_rows_and_never_passes_one() -> None:
    assert chance_of_l_infinity(1_000_000, 1_000_000) < 0.003
    assert chance_of_l_infinity(1, 1) == 1.0
    assert chance_of_jensen_shannon(1, 1, 40) == 1.0
