// What the serving paths answered, compared with training.

function proofCard(card) {
  const real = Object.entries(card.by_split).map(([split, rows]) => `${countText(rows)} ${split}`).join(", ");
  const largest = (value) => [value === null ? NONE : value === 0 ? "0" : value.toExponential(1), value];
  const heads = [["serving path", true], ["rows", false], ["refused", false], ["questions", false], ["values", false], ["differing", false], ["largest difference", false], ["", true]];
  const rows = card.paths.map((path) => [
    path.name, [countText(path.rows), path.rows], [countText(path.refused), path.refused], [countText(path.questions), path.questions], [countText(path.values), path.values], [countText(path.differing), path.differing], largest(path.largest),
    [tag(path.failed ? "no answer" : path.differing ? "differs" : "equal", path.failed || path.differing ? "bad" : "good"), path.differing],
  ]);
  const questions = () => sortableTable("Questions", [["serving path", true], ["question", true], ["rows", false], ["values", false], ["differing", false], ["largest difference", false]],
    card.questions.map((one) => [one.serving_path, one.question, [countText(one.rows), one.rows], [countText(one.values), one.values], [countText(one.differing), one.differing], largest(one.largest)]));
  return [panel(
    para(`${card.proven ? "Each serving path gives what training computed" : "Serving would not give what training computed"}: ${plural(card.real, "real row")}${real ? ` (${real})` : ""} and ${countText(card.adversarial)} adversarial ones were tried. Features have to be equal; scores may differ by ${card.tolerance.toExponential(0)} of themselves.`),
    sortableTable("Serving paths", heads, rows),
    ...(card.failures.length ? headed("Without an answer", ...card.failures.map((one) => para(`${one.path}: ${one.reason}`, "reason"))) : []),
    ...(card.differences.length ? headed("Largest differences", sortableTable("Largest differences", [["feature", true], ["expected", false], ["got", false], ["relative", false], ["row", true], ["serving path", true]],
      card.differences.map((one) => [one.feature, one.expected, one.got, [one.relative === null ? NONE : one.relative.toExponential(1), one.relative], h("span", { title: Object.entries(one.content).map(([name, value]) => `${name}=${value}`).join(", "), textContent: one.row }), one.path]))) : []),
    questionsOf(questions, card.questions.length),
  )];
}

function questionsOf(make, count) {
  const details = h("details", {}, h("summary", { textContent: plural(count, "question") }));
  details.addEventListener("toggle", () => details.append(make()), { once: true });
  return details;
}
