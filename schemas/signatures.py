"""The names of an export's signatures, and of their inputs and outputs."""

SERVING_DEFAULT = "serving_default"  # serialised tf.Examples → scores, logits
RAW_COLUMNS = "raw_columns"  # one dense input a column → scores, logits
PREDICT = "predict"  # one dense input a column → what a person wants to know
TRANSFORM_FEATURES = "transform_features"  # serialised tf.Examples → transformed features
CLASSIFICATION = "classification"  # serialised tf.Examples → names of classes, scores [rows, 2]
REGRESSION = "regression"  # serialised tf.Examples → outputs
EVALUATION = "evaluation"  # raw columns and the label's → scores of model and baseline, label

EXAMPLES = "examples"  # input of SERVING_DEFAULT and TRANSFORM_FEATURES
INPUTS = "inputs"  # input of CLASSIFICATION and REGRESSION, as TensorFlow Serving names it

SCORES = "scores"
LOGITS = "logits"
CLASSES = "classes"
OUTPUTS = "outputs"
BASELINE_SCORES = "baseline_scores"
UNCALIBRATED_SCORES = "uncalibrated_scores"  # of EVALUATION, of a model that is calibrated
SCORE = "score"  # of PREDICT: the probability of the second class
PREDICTION = "prediction"  # of PREDICT: a number, in the label's unit
CLASS = "class"  # of PREDICT: the second class's name where the score reaches the threshold
PROBABILITIES = "probabilities"  # of PREDICT: of both classes [rows, 2]
SPREAD = "spread"  # of PREDICT, if asked for: standard deviation of the members' scores
LOWER = "lower"  # of PREDICT, if asked for: the ends of the interval around a prediction
UPPER = "upper"
PREDICTION_SET = "prediction_set"  # of PREDICT, if asked for: 1 for each class that is likely
COVERED = "covered"  # of EVALUATION: 1 where the label is in the interval or the set
WARNINGS = "warnings"  # of PREDICT, if asked for: what is odd about a row, "" if nothing is
OUT_OF_VOCABULARY = "out_of_vocabulary"  # of PREDICT, if asked for: how many values of a row are
LABEL = "label"

PADDING = -1  # of TRANSFORM_FEATURES: after the ids of a list

# The input of each signature that takes serialised tf.Examples.
EXAMPLE_INPUTS = {
    SERVING_DEFAULT: EXAMPLES,
    TRANSFORM_FEATURES: EXAMPLES,
    CLASSIFICATION: INPUTS,
    REGRESSION: INPUTS,
}

# The signatures of a request's raw columns, each of which may be left out.
BY_COLUMN = (RAW_COLUMNS, PREDICT)

# What PREDICT reports of a row in addition to the model's answer.
ABOUT_A_ROW = (WARNINGS, OUT_OF_VOCABULARY)

# TensorFlow Serving answers :classify and :regress only from signatures marked so.
METHOD_NAMES = {
    CLASSIFICATION: "tensorflow/serving/classify",
    REGRESSION: "tensorflow/serving/regress",
}

# What the graph says before the names of columns with other values.
NOT_INTEGERS = "columns hold something else than integers within ±2**53"
NOT_BOOLEANS = "columns hold something else than their two values"
NOT_NUMBERS = "columns hold something else than numbers"
NOT_TIMES = "columns hold something else than times in their format or unit"
MISSING_IN_LISTS = "columns have a missing value within a list"
LISTS_TOO_LONG = "columns have more values in a list than value_count.max"
