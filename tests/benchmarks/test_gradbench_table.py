"""The table of GradBench's logs: medians, ratios to the first tool, and what was found wrong."""

import json

from benchmarks.gradbench.table import markdown, read


def log(tool, milliseconds, valid=True, success=True):
    reply = {"id": 2, "success": success, "timings": [{"name": "compile", "nanoseconds": 9**9}]}
    reply["timings"] += [{"name": "evaluate", "nanoseconds": int(ms * 1e6)} for ms in milliseconds]
    rounds = [
        ({"id": 0, "kind": "start", "eval": "lse"}, {"id": 0, "tool": tool}),
        ({"id": 1, "kind": "define", "module": "lse"}, {"id": 1, "success": True}),
        ({"id": 2, "kind": "evaluate", "module": "lse", "function": "primal", "description": "n=3"}, reply),
    ]
    if success:
        rounds.append(({"id": 3, "kind": "analysis", "of": 2, "valid": valid}, {"id": 3}))
    lines = [
        json.dumps(line) for message, response in rounds for line in ({"message": message}, {"response": response})
    ]
    return read([*lines, json.dumps({"outcome": "success"})])


def rows(*logs):
    return markdown(list(logs)).splitlines()[2:]


def test_a_log_is_read():
    assert log("ours", [3.0, 1.0, 2.0]) == ("ours", {("lse", "primal", "n=3"): (2.0, True)})


def test_ratios_are_to_the_first_and_losses_stand_out():
    table = markdown([log("ours", [2.0]), log("slow", [5.0]), log("fast", [1.0])])
    assert table.splitlines() == [
        "| evaluation | ours | slow | fast | ratio slow | ratio fast |",
        "|---|--:|--:|--:|--:|--:|",
        "| lse primal n=3 | 2 ms | 5 ms | 1 ms | 2.50 | **0.50** |",
    ]


def test_wrong_results_have_no_time():
    assert rows(log("ours", [2.0]), log("other", [1.0], valid=False)) == ["| lse primal n=3 | 2 ms | **wrong** |  |"]
    assert rows(log("ours", [2.0], valid=False), log("other", [1.0])) == ["| lse primal n=3 | **wrong** | 1 ms |  |"]


def test_what_a_tool_cannot_do_stays_empty():
    assert rows(log("ours", [2.0]), log("other", [], success=False)) == ["| lse primal n=3 | 2 ms |  |  |"]
