"""mascot: multi-tenant DNN scheduling on heterogeneous accelerators that share DRAM bandwidth.

>>> import mascot
>>> frame = mascot.run("experiments/quickstart.toml", seeds=2)

Experiments are paths, or dicts with the same keys. Tables are pandas data frames, errors are exceptions with the text of
the program. ``mascot.envs`` has environments for Gymnasium and PettingZoo.
"""

from mascot._commands import command, cost_table, report, run, trace, validate
from mascot._experiment import Experiment
from mascot._mascot import ConfigError, InvariantError, RunError, __version__
from mascot._plan import Action, Assignment, Dispatcher, Plan, Scheduler
from mascot._policy import export_policy

__all__ = [
    "Action",
    "Assignment",
    "ConfigError",
    "Dispatcher",
    "Experiment",
    "InvariantError",
    "Plan",
    "RunError",
    "Scheduler",
    "__version__",
    "command",
    "cost_table",
    "export_policy",
    "report",
    "run",
    "trace",
    "validate",
]
