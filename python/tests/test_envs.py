"""Environments: what Gymnasium and PettingZoo ask of them, and exact values."""

import warnings

import gymnasium
import numpy as np
import pytest
from conftest import QUICKSTART, RING, SMALL
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

import mascot
import mascot.envs
from mascot.envs.clients import ClientsEnv
from mascot.problems import FangMini

pytestmark = pytest.mark.filterwarnings("ignore:.*more than any schedule can carry")

LAYERS = {"experiment": QUICKSTART, **SMALL, "requests": 20}


def makers(fang_mini):
    """Every kind of environment, by name."""
    problem = FangMini("step", 0.6)
    return {
        "mascot/Layers-v0": LAYERS,
        "mascot/Serving-Free-v0": {"experiment": fang_mini, **problem.options},
        "mascot/Serving-Route-v0": {"experiment": RING},
        "mascot/Serving-Select-v0": {"experiment": RING, "window_us": 5_000},
    }


NAMES = ["mascot/Layers-v0", "mascot/Serving-Free-v0", "mascot/Serving-Route-v0", "mascot/Serving-Select-v0"]


def equal(one, other) -> bool:
    """Whether two observations are the same."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
    return np.array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_accepts_it(name, fang_mini):
    env = gymnasium.make(name, **makers(fang_mini)[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(bound|infinity|Box observation space|any schedule can carry).*")
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_episodes(name, fang_mini):
    env = gymnasium.make(name, **makers(fang_mini)[name]).unwrapped

    def episodes(seed):
        seen, actions = [], np.random.default_rng(5)
        for episode in range(2):
            observation, _ = env.reset(seed=seed if episode == 0 else None)
            terminated = False
            while not terminated:
                nvec = getattr(env.action_space, "nvec", None)
                action = actions.integers(env.action_space.n if nvec is None else nvec)
                observation, reward, terminated, truncated, info = env.step(action)
                seen.append((observation, reward, info["now_us"]))
                assert not truncated
        return seen

    once, again, other = episodes(3), episodes(3), episodes(4)
    assert len(once) == len(again)
    assert all(equal(a[0], b[0]) and a[1:] == b[1:] for a, b in zip(once, again, strict=True))
    assert len(once) != len(other) or any(not equal(a[0], b[0]) for a, b in zip(once, other, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_many_do_what_each_does_alone(name, fang_mini):
    options = {**makers(fang_mini)[name], "max_steps": 7}
    many = gymnasium.make_vec(name, num_envs=3, vectorization_mode="vector_entry_point", **options)
    each = [gymnasium.make(name, **options).unwrapped for _ in range(3)]
    seen, _ = many.reset(seed=11)
    alone = [env.reset(seed=11 + place)[0] for place, env in enumerate(each)]
    over = [False] * 3
    many.action_space.seed(1)
    for _ in range(40):
        for place in range(3):
            row = {key: part[place] for key, part in seen.items()} if isinstance(seen, dict) else seen[place]
            assert equal(row, alone[place])
        actions = many.action_space.sample()
        seen, rewards, terminated, truncated, infos = many.step(actions)
        for place, env in enumerate(each):
            if over[place]:
                alone[place], info = env.reset()
                told = 0.0, False, False
            else:
                alone[place], *told, info = env.step(actions[place])
            assert (rewards[place], terminated[place], truncated[place]) == tuple(told)
            assert infos["now_us"][place] == info["now_us"]
            over[place] = told[1] or told[2]
    assert any(over) or truncated.shape == (3,)


def test_threads_and_views_change_nothing(fang_mini):
    problem = FangMini("step", 0.6)

    def play(**options):
        env = mascot.envs.ServingVectorEnv(fang_mini, role="free", num_envs=5, **problem.options, **options)
        env.reset(seed=1)
        env.action_space.seed(2)
        steps = [env.step(env.action_space.sample())[:2] for _ in range(50)]
        return np.array([rewards.copy() for _, rewards in steps]), steps

    rewards, kept = play()
    assert (play(threads=2)[0] == rewards).all()
    _, views = play(copy=False)
    assert all(observation is views[0][0] for observation, _ in views)
    assert kept[0][0] is not kept[1][0]


def test_a_run_is_terminated_at_its_end_and_truncated_before(fang_mini):
    problem = FangMini("step", 0.6)
    env = gymnasium.make("mascot/Serving-Free-v0", experiment=fang_mini, max_steps=5, **problem.options)
    env.reset(seed=1)
    flags = [env.step(0)[2:4] for _ in range(5)]
    assert flags == [(False, False)] * 4 + [(False, True)]


def test_who_always_launches_small_is_worth_what_the_theory_says(problem, tmp_path):
    """At p = 0.6 every answer of the small variant, alone and at once, takes a slot: each is worth 0.7."""
    options = {**problem.options, "time_price_per_s": 0.0}
    env = gymnasium.make("mascot/Serving-Free-v0", experiment=problem.write(tmp_path, requests=300), **options)
    env.reset(seed=1)
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, _ = env.step(1)
        total += reward
    assert total == pytest.approx(0.7 * 300, abs=1e-9)


def test_losses_and_prices_are_what_they_say(fang_mini):
    problem = FangMini("step", 0.6)

    def play(**options):
        told = {**problem.options, "time_price_per_s": 0.0, **options}
        env = gymnasium.make("mascot/Serving-Free-v0", experiment=fang_mini, **told)
        _, info = env.reset(seed=3)
        begin, total, terminated = info["now_us"], 0.0, False
        actions = np.random.default_rng(1)
        while not terminated:
            _, reward, terminated, _, info = env.step(actions.integers(13))
            total += reward
        return total, info["now_us"] - begin

    quality, elapsed_us = play()
    # Each of the 500 requests loses what it is not worth.
    assert play(reward="loss")[0] == pytest.approx(quality - 500, abs=1e-9)
    assert play(time_price_per_s=100.0)[0] == pytest.approx(quality - 100 * elapsed_us / 1e6, rel=1e-9)


def test_the_rule_that_the_experiment_names_decides_the_rest(fang_mini):
    """With one site and no way to do worse, routing all requests there gives what the rule gives."""
    env = gymnasium.make("mascot/Serving-Route-v0", experiment=fang_mini, requests=200)
    env.reset(seed=1)
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, info = env.step(0)
        total += reward
    assert list(info["action_mask"]) == [1, 1]
    assert 0.6 < total / 200 <= 1.0
    env.reset(seed=1)
    terminated, total = False, 0.0
    while not terminated:
        _, reward, terminated, _, _ = env.step(1)
        total += reward
    assert total == 0.0


@pytest.mark.parametrize("dispatcher", [0, 1])
def test_a_rule_in_the_place_of_the_agent_earns_what_the_program_says(dispatcher):
    plan = mascot.Plan(RING)
    label = plan.schedulers[dispatcher]
    env = gymnasium.make("mascot/Serving-Select-v0", experiment=plan, dispatchers=[label], window_us=500.0)
    _, info = env.reset(seed=5)
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, _ = env.step(0)
        total += reward
    serving = mascot.run(RING, first_seed=info["run_seed"], table="serving")
    whole = serving[(serving["scheduler"] == label) & (serving["group"] == "all")]
    assert total / 100 == pytest.approx(whole["quality"].item(), abs=1e-12)


def test_every_site_is_there_to_choose():
    env = gymnasium.make("mascot/Serving-Route-v0", experiment=RING)
    assert env.action_space.n == len(mascot.Plan(RING).sites()) + 1

    def worth(choose) -> float:
        _, info = env.reset(seed=2)
        total, terminated = 0.0, False
        while not terminated:
            _, reward, terminated, _, info = env.step(choose(info["action_mask"]))
            total += reward
        return total

    # All to one site is worse than to the sites in turn, and better than nowhere.
    turn = iter(range(10**9))
    assert worth(lambda mask: next(turn) % 4) > worth(lambda mask: 0) > worth(lambda mask: 4) == 0.0


def test_layers_are_held_and_run():
    env = mascot.envs.LayersEnv(QUICKSTART, rewards={"met": 1.0, "missed": -1.0}, **{**SMALL, "requests": 20, "loads": [0.6]})
    observation, _ = env.reset(seed=1)
    held = env.action_space.nvec[0] - 1
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, _ = env.step(np.full(16, held))
        total += reward
    assert total == -20.0
    observation, _ = env.reset(seed=1)
    total, terminated = 0.0, False
    while not terminated:
        assert not observation["action_mask"][observation["mask"] == 0, :held].any()
        able = observation["action_mask"][:, :held]
        alone = np.where(able == 1, observation["sub_jobs"][:, :held] + observation["sub_jobs"][:, 2 * held : 3 * held], np.inf)
        observation, reward, terminated, _, _ = env.step(np.where(able.any(1), alone.argmin(1), held))
        total += reward
    assert total > 0.0
    assert env.action_masks().shape == (16 * (held + 1),)


def test_who_holds_everything_for_ever_misses_everything():
    told = {**SMALL, "requests": 5, "warmup_requests": 0, "drain_requests": 0, "loads": [0.6], "late": "finish"}
    env = mascot.envs.LayersEnv(QUICKSTART, rewards={"met": 1.0, "missed": -2.0}, **told)
    env.reset(seed=1)
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, _ = env.step(np.full(16, env.action_space.nvec[0] - 1))
        total += reward
    assert total == -10.0


def test_requests_come_in_slots(fang_mini):
    """The arrivals of the small problem: at most one in a millisecond, with probability 0.6."""
    requests = mascot.Plan(fang_mini, requests=20_000).requests(seed=1)
    slots = requests["arrival_s"].to_numpy() * 1e3
    assert np.abs(slots - slots.round()).max() < 1e-6
    assert np.diff(slots).min() > 0.5
    # Three standard errors.
    assert len(slots) / slots[-1] == pytest.approx(0.6, abs=3 * np.sqrt(0.6 * 0.4 / slots[-1]))


@pytest.fixture
def free(fang_mini):
    env = gymnasium.make("mascot/Serving-Free-v0", experiment=fang_mini).unwrapped
    env.reset(seed=1)
    return env


@pytest.mark.parametrize(
    ("action", "named"),
    [(13, "action 13"), (-1, "action -1"), (0.5, "float64"), ([1, 2], r"\(2,\)"), ("a", "<U1"), (None, "object")],
)
def test_wrong_actions_are_named(free, action, named):
    with pytest.raises(mascot.ConfigError, match=named):
        free.step(action)
    free.step(0)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"experiment": QUICKSTART, "scenarios": ["light"]}, "expected fleets"),
        ({"wait_us": 0.0}, "wait_us"),
        ({"reward": "profit"}, "profit"),
        ({"dispatchers": ["best"]}, "no dispatcher `best`"),
        ({"max_steps": 0}, "max_steps"),
        ({"no_such_key": 1}, "no_such_key"),
    ],
)
def test_wrong_options_are_named(fang_mini, options, named):
    with pytest.raises(mascot.ConfigError, match=named):
        gymnasium.make("mascot/Serving-Free-v0", **{"experiment": fang_mini, **options})


def test_wrong_options_of_layers_are_named(fang_mini):
    with pytest.raises(mascot.ConfigError, match="expected systems"):
        mascot.envs.LayersEnv(fang_mini)
    with pytest.raises(mascot.ConfigError, match="`kept`"):
        mascot.envs.LayersEnv(QUICKSTART, rewards={"kept": 1.0}, **SMALL)
    env = mascot.envs.LayersEnv(QUICKSTART, **SMALL)
    with pytest.raises(mascot.ConfigError, match="reset comes first"):
        env.step(np.zeros(16, int))


def test_pettingzoo_accepts_agents_at_the_clients():
    parallel_api_test(ClientsEnv(RING), num_cycles=300)


def test_agents_at_the_clients_get_their_own_rewards():
    env = ClientsEnv(RING)
    observations, infos = env.reset(seed=1)
    assert env.possible_agents == ["bursts at a", "bursts at c"]
    total = dict.fromkeys(env.possible_agents, 0.0)
    asked = dict.fromkeys(env.possible_agents, 0)
    while env.agents:
        (now,) = [agent for agent in env.agents if observations[agent][0] == 1.0]
        asked[now] += 1
        # Agent c gives all of its requests up.
        observations, rewards, terminated, truncated, infos = env.step({"bursts at a": 0, "bursts at c": 4})
        total = {agent: total[agent] + rewards[agent] for agent in total}
    assert min(asked.values()) > 0
    assert total["bursts at a"] > 0.0 == total["bursts at c"]
    assert all(terminated.values())
    assert not any(truncated.values())
    assert infos["bursts at a"]["action_mask"].tolist() == [1] * 5
    with pytest.raises(mascot.ConfigError, match="the run is over"):
        env.step({})
    env.reset()
    with pytest.raises(mascot.ConfigError, match="agent `bursts at a`"):
        env.step({})


def test_agents_know_nothing_of_each_other():
    """What another agent does changes nothing that an agent sees, but through the queues that they share."""
    env = ClientsEnv(RING)

    def seen(choice: int) -> list[list[float]]:
        observations, _ = env.reset(seed=1)
        rows = []
        while env.agents and len(rows) < 20:
            rows.append(observations["bursts at a"].tolist())
            observations, *_ = env.step({"bursts at a": 4, "bursts at c": choice})
        return rows

    assert seen(0) == seen(1) == seen(4)


def test_nothing_is_drawn(fang_mini):
    with pytest.raises(TypeError, match="render_mode"):
        mascot.envs.ServingEnv(fang_mini, role="free", render_mode="human")


def test_the_compiled_half_checks_its_arrays(fang_mini):
    env = mascot.envs.ServingEnv(fang_mini, role="free")
    batch = env._batch
    envs, (_, wide) = batch._envs, batch.observations.shape
    narrow = np.zeros((1, wide - 1), np.float32)
    with pytest.raises(mascot.ConfigError, match="observations: expected the shape"):
        envs.reset(0, 1, narrow, batch.masks, batch.now_us)
    with pytest.raises(mascot.ConfigError, match="no environment 1 of 1"):
        envs.reset(1, 1, batch.observations, batch.masks, batch.now_us)
    with pytest.raises(TypeError):
        envs.reset(0, 1, batch.observations.astype(float), batch.masks, batch.now_us)
    envs.reset(0, 1, batch.observations, batch.masks, batch.now_us)
    flags = batch.rewards, batch.now_us, batch.terminated, batch.truncated
    with pytest.raises(mascot.ConfigError, match="actions: expected the shape"):
        envs.step(np.zeros((2, 1), np.int64), batch.observations, batch.masks, *flags)
    with pytest.raises(mascot.ConfigError, match="masks: expected the shape"):
        envs.step(np.zeros((1, 1), np.int64), batch.observations, batch.masks[:, 1:], *flags)
    envs.step(np.zeros((1, 1), np.int64), batch.observations, batch.masks, *flags)
