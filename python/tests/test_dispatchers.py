"""Dispatchers in Python: the same runs as the same rule in Rust, and errors that name what is wrong."""

import pytest
from conftest import QUICKSTART, RING, SMALL

import mascot

pytestmark = pytest.mark.filterwarnings("ignore:.*more than any schedule can carry")

# Decisions are free, so that counted operations make no difference.
FREE = {**RING, "decision_cost": "ideal", "dispatchers": [{"route": "closest", "variant": "fits", "batch": "greedy"}]}


@pytest.fixture(scope="module")
def plan() -> mascot.Plan:
    return mascot.Plan(FREE)


def copy_of(fleet):
    """The rule `closest` with `fits` and `greedy`."""

    def fitting(view, queue, requests):
        model, count = fleet["models"][queue["model"]], len(requests)
        batch = next(place for place, size in enumerate(model["batches"]) if size >= count)
        asked = max(fleet["tenants"][request["tenant"]]["min_accuracy"] for request in requests)
        ranked = sorted(enumerate(model["variants"]), key=lambda of: -of[1]["accuracy"])
        allowed = [of for of in ranked if of[1]["accuracy"] >= asked] or ranked
        service = {place: of["service_us"][view["site"]][batch] for place, of in allowed}
        due = min(request["due_us"] for request in requests)
        fits = [place for place in service if view["now_us"] + queue["loading_us"][place] + service[place] <= due]
        return fits[0] if fits else min(service, key=service.get)

    def decide(view):
        if view["moment"] == "arrived":
            sites = view["sites"]
            able = [place for place, site in enumerate(sites) if site["serves"]]
            yield "send", view["request"]["id"], min(able, key=lambda at: sites[at]["way_there_us"] + sites[at]["way_back_us"])
            return
        free = view["free_slots"]
        for queue in sorted(view["queues"], key=lambda queue: min(request["due_us"] for request in queue["requests"])):
            waiting, largest = queue["requests"], fleet["models"][queue["model"]]["batches"][-1]
            while free > 0 and waiting:
                batch, waiting = waiting[:largest], waiting[largest:]
                yield "launch", queue["model"], fitting(view, queue, batch), len(batch)
                free -= 1

    return decide


def test_a_copy_of_a_rule_gives_its_metrics(plan):
    summary, serving = (mascot.run(FREE, seeds=2, table=table) for table in ("summary", "serving"))
    whole = serving[serving["group"] == "all"]
    for seed in (1, 2):
        told = plan.serve(copy_of(plan.fleet()), seed=seed)
        (row,) = summary[summary["seed"] == seed].to_dict("records")
        (of_fleet,) = whole[whole["seed"] == seed].to_dict("records")
        compared = [name for name in told if name in row and row[name] == row[name]]
        assert len(compared) > 15
        assert {name: told[name] for name in compared} == {name: row[name] for name in compared}
        compared = [name for name in told if name in of_fleet and of_fleet[name] == of_fleet[name]]
        assert "quality" in compared
        assert {name: told[name] for name in compared} == {name: of_fleet[name] for name in compared}


def test_it_is_told_what_may_be_known(plan):
    views, decide = [], copy_of(plan.fleet())

    def look(view):
        views.append(view)
        return decide(view)

    plan.serve(look)
    fleet = plan.fleet()
    assert [site["name"] for site in fleet["sites"]] == plan.sites()
    assert [tenant["name"] for tenant in fleet["tenants"]] == plan.tenants()
    assert {view["moment"] for view in views} == {"arrived", "free"}
    for view in views:
        if view["moment"] == "arrived":
            assert view["request"]["arrival_us"] == view["now_us"] < view["request"]["deadline_us"]
            assert [site["way_there_us"] > 0.0 for site in view["sites"]].count(False) == 1
        else:
            assert view["free_slots"] > 0
            assert all(request["queued_us"] <= view["now_us"] for queue in view["queues"] for request in queue["requests"])


def test_all_that_a_dispatcher_may_do(plan):
    """Rejects a request of each five, wakes up to launch, and picks requests by their ids."""
    counts = dict.fromkeys(["arrived", "free", "wake"], 0)

    def decide(view):
        counts[view["moment"]] += 1
        if view["moment"] == "arrived":
            request = view["request"]["id"]
            return [("reject", request) if request % 5 == 0 else ("send", request, 0)]
        if view["moment"] == "free":
            return [("wake", view["now_us"] + 10.0)]
        queue = view["queues"][0]
        return [("launch", queue["model"], 0, [queue["requests"][-1]["id"]])]

    told = plan.serve(decide)
    assert min(counts.values()) > 0
    assert told["answered"] == 80
    assert told["requests"] == 100


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        ("send", r"returned 's': expected \(\"send\", request, site\)"),
        ([("send", 0)], r"\('send', 0\): expected"),
        ([("launch", 0, 0, 1)], "'launch'"),
        ([("send", 0, 99)], "site: 99.*does not serve the tenant"),
        ([("send", 0, -1)], "-1"),
        ([("send", 0, 0), ("send", 0, 0)], "has left its node"),
    ],
)
def test_wrong_actions_are_errors(plan, returned, named):
    with pytest.raises((mascot.ConfigError, mascot.RunError), match=named):
        plan.serve(lambda _: returned)


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        ([("launch", 0, 99, 1)], "no such variant"),
        ([("launch", 0, 0, 10_000)], "no such variant or batch"),
        ([("launch", 0, 0, ["a"])], r"\['a'\]"),
        ([("wake", float("nan"))], r"nan.*at_us"),
        ([("send", 0, 0)], "expected .*launch"),
    ],
)
def test_wrong_launches_are_errors(plan, returned, named):
    def decide(view):
        return [("send", view["request"]["id"], 0)] if view["moment"] == "arrived" else returned

    with pytest.raises((mascot.ConfigError, mascot.RunError), match=named):
        plan.serve(decide)


def test_its_own_exceptions_come_through_and_systems_have_none(plan):
    def fails(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plan.serve(fails)
    with pytest.raises(TypeError):
        plan.serve(lambda _: 3)
    # Whoever does nothing serves nobody.
    assert plan.serve(lambda _: [])["answered"] == 0
    of_system = mascot.Plan(QUICKSTART, **SMALL)
    for call in (of_system.fleet, lambda: of_system.serve(lambda _: [])):
        with pytest.raises(mascot.ConfigError, match="system `hetero-6`: expected a fleet"):
            call()
