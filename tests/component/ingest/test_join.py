"""The examples of spans, joined, are those of their files read at once."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.examples import iter_batches, row_groups
from components.ingest.counts import Counts
from components.ingest.ingest import ingest
from components.ingest.join import SpanExamples, join_spans
from schemas.columns import Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.sources.csv import Csv
from schemas.spans import Span
from schemas.splits.hash import Hash
from schemas.splits.options import SPLITS
from schemas.splits.time import Time
from schemas.tasks.binary import Binary

pytestmark = pytest.mark.component

COLUMNS = (Column("n", "INT", True), Column("t", "BYTES", False))
LABEL = Binary.model_validate({"name": "y", "equals": {"column": "t", "values": ["a"]}})
HASH = Hash(key=("n",))


@pytest.fixture
def make(tmp_path):
    """Make examples of texts, one for each file; `whole` is False for those of a span."""

    def make(name, *texts, splits=HASH, whole=False, label=LABEL):
        paths = []
        for i, text in enumerate(texts):
            paths.append(str(tmp_path / f"{name}-{i}.csv"))
            (tmp_path / f"{name}-{i}.csv").write_text(text)
        output = str(tmp_path / name)
        ingest(
            source=Csv(path="*.csv"),
            paths=paths,
            columns=COLUMNS,
            splits=splits,
            label=label,
            settings=Examples(),
            output=output,
            whole=whole,
        )
        return output

    return make


def rows(first, count, text="a"):
    return "n,t\n" + "".join(f"{i},{text}\n" for i in range(first, first + count))


def joined(tmp_path, splits=HASH, **spans):
    named = [SpanExamples(Span(int(n[1:]), None, "", n[1:]), uri) for n, uri in spans.items()]
    output = str(tmp_path / "joined")
    counts = join_spans(
        named,
        source=Csv(path="{SPAN}.csv"),
        paths=sorted(map(str, tmp_path.glob("*.csv"))),
        columns=COLUMNS,
        splits=splits,
        label=LABEL,
        output=output,
    )
    return output, counts


def values(uri, split):
    batches = list(iter_batches(uri, split))
    return sorted(map(tuple, (row.values() for row in pa.Table.from_batches(batches).to_pylist())))


def test_rows_rejects_and_counts_are_those_of_all_files(make, tmp_path):
    texts = rows(0, 300) + "x,a\n", rows(300, 200, "b")
    output, counts = joined(tmp_path, s1=make("one", texts[0]), s2=make("two", texts[1]))
    whole = make("whole", *texts, whole=True)
    for split in SPLITS:
        assert values(output, split) == values(whole, split)
    assert counts == Counts.read(output)
    assert counts.model_copy(update={"read_by_span": {}}) == Counts.read(whole)
    assert counts.read_by_span == {"1": 301, "2": 200}
    assert pq.read_table(os.path.join(output, "rejects"))["line"].to_pylist() == [302]


def test_files_are_linked_in_the_order_of_spans(make, tmp_path):
    spans = {f"s{n}": make(f"span{n}", rows(100 * n, 100)) for n in (9, 10)}
    output, _ = joined(tmp_path, **spans)
    names = [os.path.basename(group.path) for group in row_groups(output, "train")]
    assert names == [f"span-{n:010}-examples-00000-of-00001.parquet" for n in (9, 10)]
    for name, span in zip(names, spans.values(), strict=True):
        own = os.path.join(span, "Split-train", name[-len("examples-00000-of-00001.parquet") :])
        assert os.path.samefile(os.path.join(output, "Split-train", name), own)


def test_a_span_may_lack_training_rows_if_others_have_them(make, tmp_path):
    borders = Time(column="n", eval_from="100", test_from="150")
    spans = {f"s{n}": make(f"span{n}", rows(100 * n, 100), splits=borders) for n in (0, 1)}
    _, counts = joined(tmp_path, borders, **spans)
    assert counts.examples == {"train": 100, "eval": 50, "test": 50}


def test_spans_that_lack_training_rows_together_are_refused(make, tmp_path):
    borders = Time(column="n", eval_from="100", test_from="150")
    only = make("only", rows(100, 100) + "x,a\n", splits=borders)
    with pytest.raises(DataError, match=r"no training example is left of 101 records") as caught:
        joined(tmp_path, borders, s1=only)
    assert "1 not_an_integer" in caught.value.what
    assert caught.value.where == "{SPAN}.csv"


def test_a_label_that_occurs_in_no_span_is_refused(make, tmp_path):
    spans = {f"s{n}": make(f"span{n}", rows(100 * n, 100, "b")) for n in (1, 2)}
    with pytest.raises(DataError, match="is 0 in every row"):
        joined(tmp_path, **spans)


def test_examples_without_counts_and_a_folder_that_is_not_empty_are_refused(make, tmp_path):
    own = make("one", rows(0, 100))
    os.remove(os.path.join(own, "counts.json"))
    with pytest.raises(DataError, match="span 1 have no counts"):
        joined(tmp_path, s1=own)
    (tmp_path / "joined").mkdir()
    (tmp_path / "joined" / "file").touch()
    with pytest.raises(DataError, match="not empty"):
        joined(tmp_path, s1=own)
