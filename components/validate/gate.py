"""The gate: findings and counts of rejected records → go on, or a refusal that says why.

Nothing is learnt from data that a person would not have wanted. A refusal says what, where,
expected and seen, and what to change; a person may let everything through, and is named in the
run's summary as having done so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components import progress
from components.validate import table
from components.validate.files import FINDINGS
from components.validate.findings import RULE, SEVERITIES, Finding, Findings
from schemas.columns import SERVING, TRAINING
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.validation import Validation

if TYPE_CHECKING:
    from components.ingest.counts import Counts

_SHOWN = 30
_ALLOW = "--allow-anomalies"
# Without a rule among the findings, and with one: what they contradict, and what may be changed.
_WORDS = {
    False: ("schema.pbtxt says", "widen the schema"),
    True: ("schema.pbtxt and validation.rules say", "widen the schema or the rules"),
}
_NEXT_LINE = "\n" + " " * 13  # under the text that DataError puts behind its labels


@dataclass(frozen=True)
class Refusal:
    """One reason not to go on.

    Attributes:
      what: what is wrong, with its table.
      where: the files that hold all of it.
      expected: the limit that was passed.
      remedy: what to change, without the choice to let it through.
      notes: a line for each thing that is let through when a person chooses so.
    """

    what: str
    where: str
    expected: str
    remedy: str
    notes: tuple[str, ...]


def check(
    *,
    found: Findings,
    findings_dir: str,
    counts: Counts | None,
    examples: str,
    validation: Validation,
    allow_anomalies: bool,
) -> None:
    """Stop at findings or rejected records that `validation` does not allow.

    Args:
      found: what validation found.
      findings_dir: the folder of findings.json.
      counts: what ingest read and rejected; None where that is not known.
      examples: the examples' folder, with the rejected records.
      validation: the limits.
      allow_anomalies: a person chose to go on: what would have stopped the run is noted instead.

    Raises:
      DataError: the data are refused.
    """
    refused = (
        refuse_findings(found.findings, findings_dir, validation),
        refuse_rejects(counts, examples, validation),
    )
    refusals = [refusal for refusal in refused if refusal is not None]
    if refusals and not allow_anomalies:
        raise _error(refusals)
    if refusals:
        _note(refusals)


def stoppers(findings: Iterable[Finding], validation: Validation) -> list[Finding]:
    """Return the findings at or above the severity that stops, worst first, then by column."""
    if validation.stop_at == "never":
        return []
    least = SEVERITIES.index(validation.stop_at)
    stopping = [f for f in findings if SEVERITIES.index(f.severity) >= least]
    return sorted(stopping, key=_order)


def refuse_findings(
    findings: Iterable[Finding], findings_dir: str, validation: Validation
) -> Refusal | None:
    """Refuse the findings that stop the run, in a table; None where none does."""
    shown = merge_environments(stoppers(findings, validation))
    if not shown:
        return None
    rows = [(f.severity, f.column or "(rows)", w, f.what, f.expected, f.seen) for f, w in shown]
    says, change = _WORDS[any(finding.kind == RULE for finding, _ in shown)]
    anomalies = f"{len(rows)} anomal{'y' if len(rows) == 1 else 'ies'}"
    drawn = table.render(
        ("severity", "column", "where", "what", "expected", "seen"),
        rows[:_SHOWN],
        widths=(8, 20, 14, 20, 26, 26),
    )
    more = f"\n  … and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return Refusal(
        what=f"the data are not what {says}: {anomalies}\n\n{drawn}{more}\n",
        where=os.path.join(findings_dir, FINDINGS),
        expected=f"no anomaly of severity {validation.stop_at!r} or above (validation.stop_at)",
        remedy=_widen(dict.fromkeys(f.fix for f, _ in shown), change),
        notes=tuple(
            f"{severity}: {column} in {where}: {what}; expected {expected}; seen {seen}"
            for severity, column, where, what, expected, seen in rows
        ),
    )


def refuse_rejects(counts: Counts | None, examples: str, validation: Validation) -> Refusal | None:
    """Refuse too many rejected records, with their reasons; None where they are few enough."""
    if counts is None or not counts.records_read:
        return None
    fraction, most = counts.records_rejected / counts.records_read, validation.max_rejected_fraction
    if fraction <= most:
        return None
    rejected = (
        f"{counts.records_rejected:,} of {counts.records_read:,} records ({_percent(fraction)}) "
        "were rejected"
    )
    by_count = sorted(counts.rejected_by_reason.items(), key=lambda item: (-item[1], item[0]))
    drawn = table.render(
        ("records", "reason"), [(f"{n:,}", reason) for reason, n in by_count], widths=(12, 90)
    )
    return Refusal(
        what=f"{rejected}\n\n{drawn}\n",
        where=f"{os.path.join(examples, 'rejects', '*.parquet')} (line, column, value, reason)",
        expected=f"at most {_percent(most)} (validation.max_rejected_fraction)",
        remedy="correct the records, or the types in schema.pbtxt, or source.null_values, or raise "
        "validation.max_rejected_fraction",
        notes=(f"{rejected}; expected at most {_percent(most)}",),
    )


def merge_environments(findings: Iterable[Finding]) -> list[tuple[Finding, str]]:
    """Return each finding once with where it was found.

    What is wrong with the examples is wrong with requests made of them too: only what is wrong
    with the requests alone, or has no counterpart there, is told apart.
    """
    merged: dict[Finding, set[str]] = {}
    for finding in findings:
        key = finding.model_copy(update={"environment": TRAINING})
        merged.setdefault(key, set()).add(finding.environment)
    return [
        (finding, f"{finding.split} as requests" if environments == {SERVING} else finding.split)
        for finding, environments in merged.items()
    ]


def _order(finding: Finding) -> tuple[int, str, int, str]:
    split = SPLITS.index(finding.split) if finding.split in SPLITS else len(SPLITS)
    return -SEVERITIES.index(finding.severity), finding.column, split, finding.kind


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.4g} %"


def _widen(fixes: Iterable[str], change: str) -> str:
    fixes = list(fixes)
    more = [f"… and {len(fixes) - _SHOWN} more"] if len(fixes) > _SHOWN else []
    lines = [f"correct the data, or, where they are right, {change}:"]
    lines += [f"  {fix}" for fix in fixes[:_SHOWN] + more]
    return _NEXT_LINE.join(lines)


def _error(refusals: Sequence[Refusal]) -> DataError:
    remedies = [*(r.remedy for r in refusals), f"or run again with {_ALLOW}, which is recorded"]
    return DataError(
        "\n".join(refusal.what for refusal in refusals),
        where=_NEXT_LINE.join(refusal.where for refusal in refusals),
        expected=_NEXT_LINE.join(refusal.expected for refusal in refusals),
        remedy=_NEXT_LINE.join(remedies),
    )


def _note(refusals: Sequence[Refusal]) -> None:
    """Put what was let through into the run's summary, and that a person chose so."""
    notes = [note for refusal in refusals for note in refusal.notes]
    progress.note("gate", allowed_by_a_person=_ALLOW, let_through=len(notes))
    for number, note in enumerate(notes, start=1):
        progress.note("gate", **{f"let_through_{number}": note})
