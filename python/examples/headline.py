# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From installation to the headline picture
#
# Which share of requests is answered in time when many tenants run DNNs on six accelerators that share one memory, and how
# much do schedulers differ? This notebook is a script, too (`jupytext --to ipynb python/examples/headline.py`).
#
# ```sh
# pip install './python[pandas]'
# ```

# %%
from pathlib import Path

import mascot

try:
    from IPython.display import SVG, display
except ImportError:  # as a script
    SVG, display = str, print

# %% [markdown]
# A sweep: two scenarios, four loads relative to what the system can carry at most, four schedulers. More seeds and requests
# make the intervals narrow; the lab notebook (`results/README.md`) has ten seeds of 1,000 requests.

# %%
EXPERIMENT = {
    "systems": ["hetero-6"],
    "scenarios": ["light", "mixed"],
    "loads": [0.5, 0.7, 0.9, 1.1],
    "schedulers": ["prema", "edf_drop", "gated", "learned_gate"],
    "seeds": 3,
    "requests": 150,
}
FOLDER = Path("results/headline-notebook")

runs = mascot.run(EXPERIMENT, out=FOLDER, overwrite=True)
print(f"{len(runs)} runs")

# %% [markdown]
# Means and standard errors over seeds:

# %%
rates = runs.groupby(["scenario", "load", "scheduler"])["sla_rate"].agg(["mean", "sem"]).round(3)
print(rates.unstack("scheduler")["mean"])

# %% [markdown]
# The same as `mascot rank` tells it, with the differences to `gated`, paired by seed:

# %%
print(mascot.command("rank", FOLDER, "--over", "gated"))

# %% [markdown]
# And the picture: the share of requests in time against the load.

# %%
page = mascot.report(FOLDER)
pictures = sorted((FOLDER / "report").glob("*.svg"))
display(SVG(str(pictures[0])))
print(page)
