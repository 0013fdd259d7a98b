"""Schedulers in Python: the same runs as the same rule in Rust, and errors that name what is wrong."""

import pytest
from conftest import QUICKSTART, SMALL

import mascot


@pytest.fixture(scope="module")
def plan() -> mascot.Plan:
    # Decisions are free, so that counted operations make no difference.
    return mascot.Plan(QUICKSTART, **{**SMALL, "decision_cost": "ideal", "schedulers": ["fcfs"]})


def first_come_first_served(view):
    """Each layer that may be assigned to the idle accelerator with the least latency, the oldest requests first."""
    idle = {place for place, accelerator in enumerate(view["accelerators"]) if not accelerator["busy"]}
    for place, sub_job in enumerate(view["sub_jobs"]):
        able = [m for m in idle if sub_job["alone_us"][m] != float("inf")]
        if able:
            best = min(able, key=lambda m: sub_job["alone_us"][m])
            idle.remove(best)
            yield place, best, -float(place)


def test_a_function_is_a_scheduler(plan):
    metrics = plan.simulate(first_come_first_served, case=0, seed=1)
    assert 0.0 < metrics["sla_rate"] <= 1.0
    assert metrics == plan.simulate(first_come_first_served, case=0, seed=1)
    assert metrics != plan.simulate(first_come_first_served, case=0, seed=2)


def test_it_is_told_what_may_be_known(plan):
    views = []

    def look(view):
        views.append(view)
        return first_come_first_served(view)

    plan.simulate(look)
    assert [view["now_us"] for view in views] == sorted(view["now_us"] for view in views)
    for view in views:
        assert set(view) == {"now_us", "jobs", "sub_jobs", "accelerators"}
        assert len(view["accelerators"]) == len(plan.accelerators())
        assert all(sub_job["job"] < len(view["jobs"]) for sub_job in view["sub_jobs"])
        assert all(job["arrival_us"] <= view["now_us"] for job in view["jobs"])


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        ([(0, 99)], "accelerator"),
        ([(10_000, 0)], "10000"),
        ([(0,)], r"\(0,\)"),
        ([("a", 0)], "'a'"),
        (["x"], "x"),
        ([(0, 0, float("nan"))], "priority"),
    ],
)
def test_wrong_decisions_are_errors(plan, returned, named):
    with pytest.raises((mascot.ConfigError, mascot.RunError), match=named):
        plan.simulate(lambda _: returned)


def test_its_own_exceptions_come_through(plan):
    def fails(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plan.simulate(fails)
    with pytest.raises(TypeError):
        plan.simulate(lambda _: 3)
