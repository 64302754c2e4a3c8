"""The table of GradBench's logs: medians, who is fastest beside us, what was wrong, and what the logs say of themselves."""

import json

import pytest

from benchmarks.gradbench import table
from benchmarks.gradbench.table import circumstances, markdown, read

PLACE = {"date": "2031-02-03", "processor": "Abacus", "cores": 4, "system": "Linux"}
HOW = "Medians of a tool's calls; in brackets the first call, with compilation."


def lines(tool, milliseconds, valid=True, success=True, compile=(), busy=None, description="n=3", **config):
    reply = {
        "id": 2,
        "success": success,
        "timings": [{"name": "compile", "nanoseconds": int(ms * 1e6)} for ms in compile],
    }
    reply["timings"] += [{"name": "evaluate", "nanoseconds": int(ms * 1e6)} for ms in milliseconds]
    if busy is not None:
        reply["timings"].append({"name": "processor", "nanoseconds": int(sum(milliseconds) * 1e6 * busy)})
    evaluate = {"id": 2, "kind": "evaluate", "module": "lse", "function": "primal"}
    rounds = [
        ({"id": 0, "kind": "start", "eval": "lse"}, {"id": 0, "tool": tool, "config": config}),
        ({"id": 1, "kind": "define", "module": "lse"}, {"id": 1, "success": True}),
        (evaluate | ({"description": description} if description else {}), reply),
    ]
    if success:
        rounds.append(({"id": 3, "kind": "analysis", "of": 2, "valid": valid}, {"id": 3}))
    entries = [entry for message, response in rounds for entry in ({"message": message}, {"response": response})]
    return [json.dumps(entry) for entry in [*entries, {"outcome": "success"}]]


def log(*arguments, **options):
    return read(lines(*arguments, **options))


def rows(*logs):
    return markdown(list(logs)).splitlines()[2:]


def test_a_log_is_read():
    found = log("ours", [3.0, 1.0, 2.0], compile=[40.0], busy=1.5)
    (row,) = found.rows.values()
    assert (found.tool, list(found.rows)) == ("ours", [("lse", "primal", "n=3")])
    assert (row.best, row.first) == (2.0, [40.0])
    assert row.cores == [] == log("ours", [3.0]).rows["lse", "primal", "n=3"].cores  # too short to tell, not told
    assert log("ours", [30.0], busy=1.5).rows["lse", "primal", "n=3"].cores == [1.5]


def test_the_fastest_peer_is_named_and_losses_stand_out():
    logs = [log("ours", [2.0]), log("pytorch", [5.0]), log("other", [4.0])]
    assert markdown(logs).splitlines() == [
        "| evaluation | ours | PyTorch | other | fastest peer / ours |",
        "|---|--:|--:|--:|:--|",
        "| lse primal n=3 | 2.00 ms | 5.00 ms | 4.00 ms | other 2.00 |",
    ]
    fast = log("manual", [1.0])  # comes before the others, wherever its log is
    assert rows(*logs, fast) == [
        "| lse primal n=3 | 2.00 ms | 1.00 ms | 5.00 ms | 4.00 ms | C++ by hand **0.50 behind** |"
    ]


def test_the_first_call_is_in_brackets_where_a_tool_compiles():
    head, _, row = markdown([log("ours", [2.0], compile=[30.0]), log("jax", [0.5], compile=[4e3])]).splitlines()
    assert head == "| evaluation | ours [first call] | JAX [first call] | fastest peer / ours |"
    assert row == "| lse primal n=3 | 2.00 ms [30.00 ms] | 500.00 µs [4.00 s] | JAX **0.25 behind** |"


def test_of_several_runs_the_quickest_counts():
    runs = [log("ours", [2.0], compile=[30.0]), log("ours", [1.0], compile=[5.0]), log("jax", [3.0]), log("jax", [4.0])]
    assert rows(*runs) == ["| lse primal n=3 | 1.00 ms [30.00 ms] | 3.00 ms | JAX 3.00 |"]
    assert "Medians of a tool's calls, of 2 runs the quickest;" in circumstances(runs)


def test_messages_without_a_description_are_one_row():
    twice = lines("ours", [2.0], description=None)
    again = [
        line.replace('"id": 2', '"id": 4').replace('"of": 2', '"of": 4').replace("2000000", "4000000")
        for line in twice[4:]
    ]
    assert markdown([read([*twice[:-1], *again])]).splitlines()[2:] == ["| lse primal | 3.00 ms |  |"]


@pytest.mark.parametrize("wrong", ["ours", "other"])
def test_wrong_results_have_no_time(wrong):
    logs = [log(tool, [2.0], valid=tool != wrong) for tool in ("ours", "other")]
    cells = ["**wrong**" if tool == wrong else "2.00 ms" for tool in ("ours", "other")]
    assert rows(*logs) == [f"| lse primal n=3 | {cells[0]} | {cells[1]} |  |"]
    assert "**1 cells below hold no time: what was computed was wrong, or nothing was**" in circumstances(logs)


def test_a_wrong_result_in_one_of_the_runs_is_wrong():
    assert rows(log("ours", [1.0]), log("jax", [1.0]), log("jax", [1.0], valid=False))[0].split(" | ")[2] == "**wrong**"


def test_what_a_tool_has_not_is_empty_and_what_it_failed_at_is_told():
    failed = log("other", [], success=False)
    assert rows(log("ours", [2.0]), failed) == ["| lse primal n=3 | 2.00 ms | failed |  |"]
    more = log("other", [1.0], description="n=4")
    assert rows(log("ours", [2.0]), more) == [
        "| lse primal n=3 | 2.00 ms |  |  |",
        "| lse primal n=4 |  | 1.00 ms |  |",
    ]


def test_who_used_more_than_one_core_is_told():
    logs = [log("ours", [20.0], busy=1.0), log("jax", [10.0], busy=1.9)]
    assert rows(*logs) == ["| lse primal n=3 | 20.00 ms | 10.00 ms (1.9 cores) | JAX **0.50 behind** |"]
    assert "up to 1.9 are used, in the rows that say so" in circumstances(logs)


def test_the_page_is_written_by_the_command(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("Speed\n<!-- gradbench: how -->\nold\n<!-- end of gradbench -->\nLicence\n")
    logs = []
    for tool, version in (("gategrad", {"numpy": "9.1"}), ("jax", {"jax": "7.2"})):
        logs.append(tmp_path / f"{tool}.jsonl")
        place = PLACE if tool == "gategrad" else {}
        logs[-1].write_text("\n".join(lines(tool, [20.0], busy=1.0, versions=version, **place)))
    assert table.main([*map(str, logs), "--write", str(page), "--commit", "abc"]) == 0
    assert page.read_text().splitlines() == [
        "Speed",
        "<!-- gradbench: how -->",
        "",
        "2031-02-03, Abacus, 4 cores of which one is used, Linux; jax 7.2, numpy 9.1.",
        f"GradBench abc: every result valid. {HOW} Of 1 rows, gategrad is ahead of every peer in 1 and behind the fastest in 0.",
        "",
        "| evaluation | gategrad | JAX | fastest peer / gategrad |",
        "|---|--:|--:|:--|",
        "| lse primal n=3 | 20.00 ms | 20.00 ms | JAX 1.00 |",
        "",
        "<!-- end of gradbench -->",
        "Licence",
    ]
    assert table.main([str(logs[0])]) == 0
    assert "| lse primal n=3 | 20.00 ms |  |" in capsys.readouterr().out
