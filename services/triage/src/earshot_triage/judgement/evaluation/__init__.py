"""How good the judge is: cross-validation, measures with intervals, baselines beside it, and the report."""
