"""Nets that were learned in Python, as policies of the program: the same decisions on both sides, and errors."""

import itertools

import gymnasium
import numpy as np
import pytest
from conftest import QUICKSTART, SMALL

import mascot
import mascot.envs

SYSTEM, ACCELERATORS = "hetero-6", 6
INPUTS, OUTPUTS = 3 * ACCELERATORS + 10, ACCELERATORS + 1
# Decisions are free: the environment does not charge the agent for its net.
FREE = {**SMALL, "loads": [0.9], "schedulers": ["edf"], "decision_cost": "ideal"}
FUNCTIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "tanh": np.tanh,
}


def net(*activations, seed=3, hidden=24):
    """Layers with random weights, which are balanced where features are about 0.4, so that choices differ."""
    draws = np.random.default_rng(seed)
    sizes = [INPUTS, *[hidden] * (len(activations) - 1), OUTPUTS]

    def layer(inputs, outputs):
        weight = draws.normal(size=(outputs, inputs)) / np.sqrt(inputs)
        bias = -0.4 * weight.sum(axis=1) if inputs == INPUTS else np.zeros(outputs)
        return weight.astype(np.float32), bias.astype(np.float32)

    pairs = itertools.pairwise(sizes)
    return [(*layer(*pair), activation) for pair, activation in zip(pairs, activations, strict=True)]


def actions(layers, observation):
    """What the net does, by its definition."""
    rows = observation["sub_jobs"]
    x = np.concatenate([rows, np.repeat(observation["queue"][None], len(rows), axis=0)], axis=1)
    for weight, bias, activation in layers:
        x = FUNCTIONS[activation](x @ weight.T + bias)
    return np.where(observation["action_mask"] == 1, x, -np.inf).argmax(axis=1)


@pytest.fixture
def policy(tmp_path):
    return mascot.export_policy(tmp_path / "mine", net("tanh", "linear"), system=SYSTEM)


# Draws that meet some deadlines, hold some requests, and use four accelerators or more.
@pytest.mark.parametrize(
    ("activations", "draw"), [(("tanh", "softsign", "linear"), 8), (("relu", "linear"), 2), (("tanh",), 2)]
)
def test_actions_are_those_of_numpy(activations, draw, tmp_path):
    layers = net(*activations, seed=draw)
    path = mascot.export_policy(tmp_path / "mine.toml", layers, system=SYSTEM)
    options = {"max_sub_jobs": 128, "rewards": {"met": 1.0, "missed": -1000.0}}
    env = gymnasium.make("mascot/Layers-v0", experiment=QUICKSTART, **options, **FREE)
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        held, worth, over, told = 0, 0.0, False, []
        while not over:
            action = actions(layers, observation)
            held += np.count_nonzero((action == ACCELERATORS) & (observation["mask"] == 1))
            observation, reward, over, _, info_of_step = env.step(action)
            worth += reward
            told.append((np.inf if over else info_of_step["now_us"], worth))
        run = {**FREE, "first_seed": info["run_seed"], "seeds": 1, "schedulers": [{"name": "mlp", "policy": path}]}
        requests = mascot.run(QUICKSTART, **run, logs=["requests"], table="requests")
        assert len(requests) == FREE["requests"]
        assert 0 < requests["met"].sum() < len(requests)
        assert held > 0
        # At every decision the same requests have ended.
        paid = np.where(requests["met"] == 1, 1.0, -1000.0)
        assert [worth for _, worth in told] == [paid[requests["end_us"] <= now].sum() for now, _ in told]


def test_the_program_runs_it_to_the_same_bytes(program, policy, tmp_path):
    chosen = [{"name": "mlp", "policy": str(policy)}]
    sets = [f"--set={key}={value!r}" for key, value in {**SMALL, "seeds": 1}.items() if key != "schedulers"]
    literal = f'[{{ name = "mlp", policy = "{policy}" }}]'
    done = program("run", QUICKSTART, "--out", tmp_path / "cli", *sets, f"--set=schedulers={literal}")
    assert done.returncode == 0, done.stderr
    mascot.run(QUICKSTART, **{**SMALL, "seeds": 1, "schedulers": chosen}, out=tmp_path / "python")
    summaries = [(tmp_path / where / "summary.csv").read_bytes() for where in ("cli", "python")]
    assert summaries[0] == summaries[1]
    assert "policy of `mlp` for `hetero-6`" in program("validate", policy).stdout


def test_it_is_charged_for_its_operations(tmp_path):
    def energy(hidden):
        path = mascot.export_policy(tmp_path / f"of_{hidden}", net("tanh", "linear", hidden=hidden), system=SYSTEM)
        run = {**SMALL, "loads": [0.9], "seeds": 1, "schedulers": [{"name": "mlp", "policy": path}]}
        (row,) = mascot.run(QUICKSTART, **run).to_dict("records")
        return row["energy_policy_uj"] / row["decisions"]

    # 24 units are 24 x (28 + 7 + 12) operations for a sub-job, 240 ten times as many.
    assert energy(240) > 5 * energy(24) > 0.0


class Tensor:
    """What is used of a tensor of PyTorch."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def test_a_state_dict_is_its_layers(tmp_path):
    listed = net("relu", "relu", "linear")
    state = {}
    for place, (weight, bias, _) in zip([0, 2, 4], listed, strict=True):
        state |= {f"{place}.weight": Tensor(weight), f"{place}.bias": Tensor(bias)}
    one = mascot.export_policy(tmp_path / "one", listed, system=SYSTEM)
    two = mascot.export_policy(tmp_path / "two", state, system=SYSTEM, activation="relu")
    assert one.read_bytes() == two.read_bytes()
    assert one.with_suffix(".safetensors").read_bytes() == two.with_suffix(".safetensors").read_bytes()
    # A bias may be missing, and numbers of 64 bits are rounded.
    weight = listed[0][0]
    mascot.export_policy(one, [(weight[:OUTPUTS].astype(np.float64), None, "linear")], system=SYSTEM, overwrite=True)
    assert "linear" in one.read_text()


def changed(layers, number, *, weight=None, bias=None, activation=None):
    """The layers, one of which is another."""
    old = layers[number]
    new = (old[0] if weight is None else weight, old[1] if bias is None else bias, activation or old[2])
    return [*layers[:number], new, *layers[number + 1 :]]


LAYERS = net("tanh", "linear")


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        (changed(LAYERS, 0, weight=LAYERS[0][0][:0]), r"layer 0: the weight has the shape \(0, 28\)"),
        (changed(LAYERS, 0, weight=LAYERS[0][0][:, 1:]), r"`0.weight` has the shape \[24, 27\].*28 inputs.*7 outputs"),
        (changed(LAYERS, 1, weight=LAYERS[1][0][1:]), r"`1.weight` has the shape \[6, 24\]; expected \[7, 24\]"),
        (changed(LAYERS, 1, bias=LAYERS[1][1][1:]), r"`1.bias` has the shape \[6\]"),
        (changed(LAYERS, 1, bias=LAYERS[1][0]), "layer 1: the bias has the shape .* expected 1 dimensions"),
        (changed(LAYERS, 0, weight=LAYERS[0][0].astype(int)), "layer 0: the weight holds int64"),
        (changed(LAYERS, 0, weight=LAYERS[0][0] * np.nan), "layer 0: the weight holds nan"),
        (changed(LAYERS, 0, weight=LAYERS[0][0].astype(float) * 1e300), "layer 0: the weight holds .*e.*32 bits"),
        (changed(LAYERS, 0, activation="tan"), r"layer 0: no activation `tan` \(did you mean `tanh`\?\)"),
        ([LAYERS[0][:2]], r"layer 0: expected \(weight, bias, activation\)"),
        ([], "expected a list"),
        ("net", "expected a list"),
        ({"0.weight": LAYERS[0][0], "0.running_mean": LAYERS[0][1]}, "`0.running_mean` is no weight or bias"),
        ({"0.bias": LAYERS[0][1]}, "no `0.weight`"),
    ],
)
def test_what_is_no_net_is_refused_and_nothing_is_written(layers, named, tmp_path):
    with pytest.raises(mascot.ConfigError, match=named):
        mascot.export_policy(tmp_path / "mine", layers, system=SYSTEM)
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_both_or_neither(policy, tmp_path):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["mine.safetensors", "mine.toml"]
    with pytest.raises(mascot.ConfigError, match=r"mine\.toml is there already: overwrite=True"):
        mascot.export_policy(policy, LAYERS, system=SYSTEM)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(mascot.RunError, match=r"folder\.toml"):
        mascot.export_policy(tmp_path / "folder", LAYERS, system=SYSTEM, overwrite=True)
    (tmp_path / "folder.toml").rmdir()
    with pytest.raises(mascot.ConfigError, match="no system `hetero-9`"):
        mascot.export_policy(tmp_path / "other", LAYERS, system="hetero-9")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_net_for_another_system_is_told_how_to_go_on(policy):
    other = {**SMALL, "systems": ["simba-6"], "schedulers": [{"name": "mlp", "policy": policy}]}
    with pytest.raises(mascot.ConfigError, match=r"(?s)was trained for .*mascot\.export_policy\(.*system=\"simba-6\"\)"):
        mascot.run(QUICKSTART, **other)
    assert len(mascot.run(QUICKSTART, **{**other, "schedulers": [{"name": "mlp", "policy": policy, "transfer": True}]})) == 4
    with pytest.raises(mascot.ConfigError, match=r"there is no policy for `hetero-6`, policies/mlp-hetero-6\.toml"):
        mascot.run(QUICKSTART, **{**SMALL, "schedulers": ["mlp"]})
