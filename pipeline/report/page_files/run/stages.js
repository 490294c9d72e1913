// The DAG, and what each stage took.

function stagesCard(card) {
  const took = (stage) => ({ done: secondsText(stage.seconds), failed: `failed, ${secondsText(stage.seconds)}` })[stage.state] ?? (stage.state === "waiting" ? "not reached" : stage.state);
  const known = card.stages.filter((stage) => stage.rank !== null);
  const heads = [["stage", true], ["state", true], ["takes from", true], ["time", false], ["share", false], ["rows", false], ["rows/s", false], ["peak memory", false]];
  const total = card.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const rows = card.stages.map((stage) => [
    stage.name,
    [tag(stage.state === "waiting" ? "not reached" : stage.state, { failed: "bad", cached: "good" }[stage.state]), stage.state],
    stage.after.join(", ") || NONE,
    stage.state === "cached" || stage.state === "waiting" ? [NONE, null] : [secondsText(stage.seconds), stage.seconds],
    total && stage.seconds ? [shareText(stage.seconds / total), stage.seconds] : [NONE, null],
    stage.rows ? [countText(stage.rows), stage.rows] : [NONE, null],
    stage.rate ? [countText(Math.round(stage.rate)), stage.rate] : [NONE, null],
    stage.memory ? [bytesText(stage.memory), stage.memory] : [NONE, null],
  ]);
  const cached = card.stages.filter((stage) => stage.state === "cached").length;
  const summary = `${secondsText(card.seconds)} in all${cached ? `; ${plural(cached, "stage")} used the results of an earlier run` : ""}.`;
  return [panel(
    para(summary),
    key([["computed", "train"], ["from the cache", "test"], ["failed", "bad"], ["not reached", "soft"]]),
    graphOf(known, took),
    timelineOf(card.stages, took),
    sortableTable("Stages", heads, rows),
    para("Peak memory is the most that the run's process had in memory until the stage ended.", "note"),
  )];
}

/** The DAG without dependencies that follow from others, in the direction that has more room. */
function graphOf(stages, took) {
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const behind = (name, seen = new Set()) => {
    for (const before of byName.get(name).after) if (!seen.has(before)) behind(before, seen.add(before));
    return seen;
  };
  const edges = stages.flatMap((stage) => stage.after.filter((one) => !stage.after.some((other) => other !== one && behind(other).has(one))).map((one) => [one, stage.name]));
  const lanes = new Map(), perRank = new Map();
  for (const stage of stages) {
    const lane = perRank.get(stage.rank) ?? 0;
    perRank.set(stage.rank, lane + 1);
    lanes.set(stage.name, lane);
  }
  const ranks = Math.max(...stages.map((stage) => stage.rank)) + 1, most = Math.max(...perRank.values());
  const room = byId("cards").clientWidth - 42;
  const kind = room > ranks * 122 ? "dag_wide" : room > ranks * 94 ? "dag_middle" : "dag_tall";
  const down = kind === "dag_tall";
  // Beside others of its rank a stage is moved away from the middle, half a lane where it is alone.
  const place = (stage) => {
    const lane = lanes.get(stage.name) - (perRank.get(stage.rank) - 1) / 2;
    return down ? [lane, -stage.rank] : [stage.rank, -lane];
  };
  const table = stages.map((stage) => {
    const [x, y] = place(stage);
    return { stage: stage.name, state: stage.state, about: [took(stage), stage.rows ? `${compact(stage.rows)} rows` : ""].filter(Boolean).join(" · "), x, y };
  });
  const lines = edges.map(([from, to]) => {
    const [[x, y], [x2, y2]] = [place(byName.get(from)), place(byName.get(to))];
    return { x, y, x2, y2 };
  });
  const shown = picture("Dependencies", kind, down ? ranks * 54 : most * 58 + 20, { table, edges: lines }, "The stages and their dependencies", "Dependencies that follow from others are left out.");
  shown.classList.add("graph");
  return shown;
}

const compact = (count) => (count < 10_000 ? countText(count) : count.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 }));

function timelineOf(stages, took) {
  let at = 0;
  const table = stages.filter((stage) => stage.state !== "waiting").map((stage) => {
    const start = stage.started ?? at;
    if (stage.state !== "cached") at = start + stage.seconds;
    return { stage: stage.name, state: stage.state, start: stage.state === "cached" ? at : start, end: at, about: took(stage) };
  });
  return picture("Timeline", "timeline", table.length * 20 + 44, { table }, "When each stage ran");
}
