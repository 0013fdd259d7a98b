"""Writes results/serving.csv: the means over seeds of the experiments on fleets, with 95 % intervals of the quality.

Run it in the root after `mascot run experiments/NAME.toml` for each of NAMES, as `python3 results/serving.py`.
"""
import csv
import math
import sys

NAMES = ["fang", "chen", "aset", "tan"]
ROW = ["system", "load", "scheduler"]
MEANS = ["quality", "served_rate", "accuracy", "batch_mean", "dispatch_us", "network_us", "queue_us", "service_us",
         "quality_jain", "quality_min_mean", "targets_reached"]
# The two-sided 95 % quantile of Student's t with 4 degrees of freedom, for 5 seeds.
T = 2.776


def rows(path, **only):
    with open(path, newline="") as file:
        found = [row for row in csv.DictReader(file) if all(row[key] == value for key, value in only.items())]
    groups = {}
    for row in found:
        groups.setdefault(tuple(row[key] for key in ROW), []).append(row)
    return groups


def mean(group, column):
    values = [float(row[column]) for row in group if row[column]]
    return sum(values) / len(values) if values else None


def half_width(group, column):
    values = [float(row[column]) for row in group]
    assert len(values) == 5, "the quantile is that of 5 seeds"
    center = sum(values) / 5
    return T * math.sqrt(sum((value - center) ** 2 for value in values) / 4 / 5)


def text(value):
    return "" if value is None else f"{value:.4g}"


def main(root="results", out="results/serving.csv"):
    with open(out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["experiment", "fleet", "load", "dispatcher", "quality_half_width", *MEANS, "energy_per_request_uj"])
        for name in NAMES:
            summary = rows(f"{root}/{name}/summary.csv")
            for key, group in rows(f"{root}/{name}/serving.csv", group="all").items():
                energy = mean(summary[key], "energy_per_request_uj")
                values = [half_width(group, "quality"), *(mean(group, column) for column in MEANS), energy]
                writer.writerow([name, *key, *map(text, values)])


main(*sys.argv[1:])
