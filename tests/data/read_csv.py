"""Opens the CSV of a run with pandas and polars, without options, and checks what they make of it.

Run by tests/command_line/python.rs with the folder of a run; its environment comes from .ci/python.
"""

import sys
from pathlib import Path

import pandas as pd
import polars as pl

# Columns that hold words in every file; all others hold numbers, or nothing.
BOOLEANS = {"phases", "forwarding"}
WORDS = set(
    "system scenario qos scheduler sharing residency fusion precision objective sla sla_reference trigger decision_cost late unassigned phases "
    "execution_distribution data_placement "
    "group name accelerator part tenant network layer request_qos met_by_batch "
    "from to site variant loss step".split()
)


def check(path: Path) -> None:
    """The same rows and columns in both, with types that are those of the content."""
    one, other = pd.read_csv(path), pl.read_csv(path)
    assert len(one) == len(other) > 0, path
    assert len(one.columns) == len(other.columns), path
    for name, of_pandas, of_polars in zip(other.columns, one.dtypes, other.dtypes):
        is_empty = other[name].null_count() == len(other)
        is_number = pd.api.types.is_numeric_dtype(of_pandas) and (of_polars.is_numeric() or is_empty)
        has_no_words = is_empty and name in WORDS
        assert is_number != (name in WORDS) or name in BOOLEANS or has_no_words, (path, name, of_pandas, of_polars)
    if "sla_rate" in one.columns:
        assert abs(one["sla_rate"].mean() - other["sla_rate"].mean()) < 1e-12
        assert one["sla_rate"].isna().sum() == other["sla_rate"].null_count()


for name in sys.argv[2:]:
    check(Path(sys.argv[1]) / name)
    print("read", name)
