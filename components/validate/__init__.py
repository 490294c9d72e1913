"""Examples → statistics → anomalies → a gate that stops the run."""
