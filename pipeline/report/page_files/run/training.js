// Losses and learning rates by epoch.

function trainingCard(card) {
  const rounds = card.folds.flatMap((fold) => fold.rounds.map((round) => ({ ...round, fold: fold.fold })));
  const table = ["loss", "eval_loss"].flatMap((name) => rounds.filter((round) => typeof round[name] === "number").map((round) => ({ epoch: round.epoch, split: name === "loss" ? "train" : "eval", loss: round[name], fold: round.fold })));
  const kept = card.folds.map((fold) => fold.rounds[fold.kept - 1]).filter((round) => round && typeof round.eval_loss === "number").map((round) => ({ epoch: round.epoch, loss: round.eval_loss }));
  const rates = rounds.filter((round) => typeof round.learning_rate === "number").map((round) => ({ epoch: round.epoch, value: round.learning_rate, fold: round.fold }));
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round.metrics ?? {})))];
  const tilesOf = [["training rows", countText(card.rows.train)], ["eval rows", countText(card.rows.eval)], ["time", secondsText(card.seconds)], ["rows a second", countText(Math.round(card.rate))]];
  const last = card.folds.map((fold) => keptOf(fold));
  const several = card.folds.length > 1;
  return [panel(
    tiles(tilesOf),
    para(several ? "" : last[0]),
    key([["train", "train"], ["eval", "eval", "6 3"], ["kept", "soft", "3 3"]]),
    grid(
      picture("Loss by epoch", "losses", 220, { table, kept }, "Loss by epoch, on train and eval"),
      rates.length ? picture("Learning rate of the deep part", "by_epoch", 220, { table: rates }, "Learning rate by epoch") : null,
      ...names.map((name) => picture(`${name} on eval`, "by_epoch", 220, { table: rounds.filter((round) => typeof round.metrics?.[name] === "number").map((round) => ({ epoch: round.epoch, value: round.metrics[name], fold: round.fold })) }, `${name} on eval by epoch`)),
    ),
    ...(several ? headed("Folds", foldsOf(card)) : []),
    ...trialsOf(card.trials),
    ...optionsOf(card.options),
  )];
}

function keptOf(fold) {
  const round = fold.rounds[fold.kept - 1];
  const of = `${fold.kept} of ${plural(fold.rounds.length, "round")}`;
  return round ? `The weights of round ${of} are kept, with a loss of ${metricText(round.eval_loss)} on eval.` : "";
}

function foldsOf(card) {
  return sortableTable("Folds", [["fold", true], ["rounds", false], ["kept", false], ["loss on train", false], ["loss on eval", false]],
    card.folds.map((fold) => {
      const round = fold.rounds[fold.kept - 1] ?? {};
      return [[String(fold.fold), fold.fold], [countText(fold.rounds.length), fold.rounds.length], [countText(fold.kept), fold.kept], [metricText(round.loss), round.loss], [metricText(round.eval_loss), round.eval_loss]];
    }));
}

function trialsOf(trials) {
  if (!trials?.length) return [];
  const done = trials.filter((trial) => typeof trial.value === "number");
  const names = [...new Set(trials.flatMap((trial) => Object.keys(trial.parameters)))];
  return headed(
    "Trials",
    picture("Loss of each trial", "by_epoch", 180, { table: done.map((trial) => ({ epoch: trial.number, value: trial.value, fold: null })) }, "Loss of each trial"),
    sortableTable("Trials", [["trial", false], ["state", true], ["loss", false], ...names.map((name) => [name, false])],
      trials.map((trial) => [[String(trial.number), trial.number], trial.state, [metricText(trial.value), trial.value], ...names.map((name) => [trial.parameters[name] === undefined ? NONE : String(trial.parameters[name]), trial.parameters[name] ?? null])]), [2, false]),
  );
}

function optionsOf(options) {
  const entries = Object.entries(options);
  if (!entries.length) return [];
  return [onDemand("Options of the model", "Options of the model", () => tableOf(null, [["model.", true], ["value", true]], entries.map(([name, value]) => [name, JSON.stringify(value)])))];
}
