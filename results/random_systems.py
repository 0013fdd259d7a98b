"""Writes twenty systems drawn at random, and the experiment that compares policies on them, into a folder.

Run it as `python3 results/random_systems.py FOLDER`, and then `mascot run FOLDER/random.toml`.
"""
import pathlib
import random
import sys

SYSTEMS = 20
# The draw is fixed, so that everybody gets the same systems.
SEED = 1
# Three dataflows in three sizes, with their MACs.
MODELS = {f"{kind}_{macs}": macs for kind, sizes in [("simba", [256, 768, 1024]), ("eyeriss", [256, 768, 1024]),
                                                     ("nvdla", [256, 512, 1024])] for macs in sizes}
# The bandwidth per MAC of hetero-6, in GB/s.
PER_MAC = 32 / 4608
SCHEDULERS = ["sjf", "edf_drop", "gated", {"name": "gated", "label": "gated_speed", "speed": 2}, "learned_gate"]


def system(name, draw):
    models = sorted(draw.choice(list(MODELS)) for _ in range(draw.randint(2, 10)))
    share = draw.choice([0.5, 1, 2])
    gbps = round(share * PER_MAC * sum(MODELS[model] for model in models), 1)
    lines = [f'name = "{name}"', f'source = "drawn by results/random_systems.py: {share} times the bandwidth per MAC of hetero-6"',
             f"dram_bandwidth_gbps = {gbps}", f"mapping_bandwidth_gbps = {gbps}"]
    for model in dict.fromkeys(models):
        lines += ["", "[[accelerator]]", f'model = "{model}"', f"count = {models.count(model)}"]
    return "\n".join(lines) + "\n"


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(it)}" for key, it in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)


def main(folder):
    systems = folder / "accel-models" / "systems"
    systems.mkdir(parents=True, exist_ok=True)
    draw = random.Random(SEED)
    names = [f"random-{number:02}" for number in range(1, SYSTEMS + 1)]
    for name in names:
        (systems / f"{name}.toml").write_text(system(name, draw))
    (folder / "random.toml").write_text(f"""systems = [{", ".join(map(toml, names))}]
scenarios = ["light", "heavy", "mixed"]
loads = [0.8, 1.0]
deadline_factor = [2, 4]
sla_reference = "own"
schedulers = [{", ".join(map(toml, SCHEDULERS))}]
seeds = 5
requests = 500
""")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
