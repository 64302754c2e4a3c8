"""The harness compares before it times, reports what is missing, and calls a loss a loss. Times are never asserted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import harness, report
from benchmarks.catalogue import NAMES, load
from benchmarks.harness import Benchmark, Outcome, Variant, numbers, outcomes
from benchmarks.threads import one_thread

ROOT = Path(__file__).parents[2]


def absent():
    import no_such_library  # noqa: F401


def benchmark(peers, ours=lambda x: (x, x + 1)):
    return Benchmark("toy", "adds one", lambda: iter([Variant.at("small", 2.0, ours, peers)]), {"peer": 1, "other": 2})


def measure(peers, **options):
    (outcome,) = outcomes(benchmark(peers, **options), seconds=0.0)
    return outcome


def test_equal_results_are_timed():
    outcome = measure({"peer": lambda: lambda x: [np.array([x, x + 1])]})
    assert outcome.error is None
    assert outcome.ours_ms > 0
    assert outcome.peers["peer"] > 0
    assert outcome.ratio["peer"] == outcome.peers["peer"] / outcome.ours_ms
    assert outcome.versions["numpy"] == np.__version__


def test_a_variant_may_have_a_goal_of_its_own():
    variants = [Variant("a", lambda: 1.0, {}), Variant("b", lambda: 1.0, {}, goal={"peer": 7})]
    goals = [o.goal for o in outcomes(Benchmark("toy", "is one", lambda: iter(variants), {"peer": 1}), seconds=0.0)]
    assert goals == [{"peer": 1}, {"peer": 7}]


def test_a_variant_of_long_runs_has_so_many_rounds():
    long = Variant("long", lambda: 1.0, {"peer": lambda: lambda: 1.0}, rounds=3)
    (outcome,) = outcomes(Benchmark("toy", "nothing", lambda: iter([long]), {}), seconds=0.5)
    assert outcome.rounds == 3
    assert outcome.peers["peer"] > 0


def test_different_results_are_not_timed():
    outcome = measure({"peer": lambda: lambda x: (x, x + 1.001)})
    assert outcome.error == "number 1: ours gives 3.0, peer gives 3.001"
    assert outcome.ours_ms is None
    assert outcome.ratio == {}


def test_a_different_number_of_results_is_a_mismatch():
    assert measure({"peer": lambda: lambda x: x}).error == "ours gives 2 numbers, peer gives 1"


def test_nan_is_a_mismatch():
    assert measure({"peer": lambda: lambda x: (x, float("nan"))}).error is not None


def test_a_run_that_spoils_its_inputs_is_noticed():
    state = [0.0]

    def drifting(x):
        state[0] += 1
        return x, x + state[0]

    assert measure({"peer": lambda: drifting}).error == ("number 1: ours gives 3.0, peer gives 4.0")


def test_a_missing_peer_is_named():
    outcome = measure({"peer": absent, "other": lambda: lambda x: (x, x + 1)})
    assert outcome.missing == ["peer"]
    assert list(outcome.peers) == ["other"]
    assert "    peer         not installed" in report.row(outcome)
    assert "| peer | not installed |" in report.markdown([outcome])


def test_a_peer_that_raises_is_reported_and_the_others_are_timed():
    def broken(x):
        raise RuntimeError("its cache is damaged\nat length")

    outcome = measure({"peer": lambda: broken, "other": lambda: lambda x: (x, x + 1)})
    assert outcome.failed == {"peer": "RuntimeError: its cache is damaged"}
    assert list(outcome.peers) == ["other"]
    assert "    peer         failed: RuntimeError: its cache is damaged" in report.row(outcome)
    assert "| peer | failed |" in report.markdown([outcome])


def test_several_names_and_an_unknown_one(capsys):
    with pytest.raises(SystemExit):
        command.main(["notebook_eager", "nonsense"])
    assert "unknown benchmark nonsense; there are notebook_eager" in capsys.readouterr().err


def test_numbers_of_any_nesting():
    assert numbers((1.0, [np.ones((1, 2)), (3,), None])).tolist() == [1.0, 1.0, 1.0, 3.0, 0.0]


def test_a_loss_is_printed_as_plainly_as_a_win():
    outcome = Outcome("toy", "small", {"peer": 1, "other": 2}, 0.002, {"peer": 0.001, "other": 0.008, "third": 0.002})
    assert report.row(outcome).splitlines() == [
        "  small",
        "    ours             2.00 µs",
        "    peer             1.00 µs   we are 2.00× SLOWER   goal 1: MISSED",
        "    other            8.00 µs   we are 4.00× faster   goal 2: met",
        "    third            2.00 µs   we are 1.00× faster",
    ]
    assert report.markdown([outcome]).splitlines()[2:] == [
        "| `toy` small | 2.00 µs | peer | 1.00 µs | 0.50 | 1 **missed** |",
        "| `toy` small | 2.00 µs | other | 8.00 µs | 4.00 | 2 met |",
        "| `toy` small | 2.00 µs | third | 2.00 µs | 1.00 |  |",
    ]


def test_who_used_more_than_one_core_is_told(monkeypatch):
    """The clock and the processors as a test sets them: the peer's runs take two seconds of processors in each one."""
    clock, processors = [0.0], [0.0]

    def work(seconds, cores):
        def run(x):
            clock[0] += seconds
            processors[0] += seconds * cores
            return x, x + 1

        return run

    monkeypatch.setattr(harness.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(harness.time, "process_time", lambda: processors[0])
    outcome = measure({"peer": lambda: work(2.0, 1.9), "other": lambda: work(1.0, 1.15)}, ours=work(1.0, 1.0))
    assert outcome.cores == pytest.approx({"ours": 1.0, "peer": 1.9, "other": 1.15})
    assert outcome.as_json()["cores"] == {"ours": 1.0, "peer": 1.9, "other": 1.15}
    assert outcome.rounds >= 15
    assert report.row(outcome).splitlines()[1:4] == [
        "    ours             1.00 s",
        "    peer             2.00 s (1.9 cores)   we are 2.00× faster   goal 1: met",
        "    other            1.00 s   we are 1.00× faster   goal 2: MISSED",
    ]
    assert "| `toy` small | 1.00 s | peer | 2.00 s (1.9 cores) | 2.00 | 1 met |" in report.markdown([outcome])
    assert "cores of which up to 1.9 are used, in the rows that say so" in report.circumstances([outcome])


def test_a_busy_machine_is_told():
    outcome = Outcome("toy", "small", {}, 1.0, {"peer": 1.0}, cores={"ours": 0.5, "peer": 0.7})
    assert report.circumstances([outcome]).endswith(
        "busy with other work: half of the runs had less than 0.60 of a core."
    )
    outcome.cores = {"ours": 1.0, "peer": 0.99}
    assert "cores of which one is used" in report.circumstances([outcome])
    assert "busy" not in report.circumstances([outcome])


def test_the_variables_of_threads_are_set_unless_they_are(monkeypatch):
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "2"})
    one_thread()
    ones = dict.fromkeys(("GATEGRAD_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), "1")
    assert os.environ == {"OMP_NUM_THREADS": "2", **ones}


def run_command(monkeypatch, capsys, toy, *arguments):
    monkeypatch.setattr(command, "load", lambda _: toy)
    status = command.main(["chain_eager", "--seconds", "0", *arguments])
    return status, capsys.readouterr()


def test_json_is_one_object_per_line(monkeypatch, capsys):
    toy = benchmark({"peer": lambda: lambda x: (x, x + 1)})
    status, printed = run_command(monkeypatch, capsys, toy, "--json")
    assert status == 0
    (line,) = printed.out.splitlines()
    fields = json.loads(line)
    assert {"name", "variant", "ours_ms", "peers", "ratio", "goal", "cores", "versions"} <= set(fields)
    assert fields["ratio"]["peer"] == pytest.approx(fields["peers"]["peer"] / fields["ours_ms"])


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_mismatch_fails_the_command(monkeypatch, capsys, form):
    status, printed = run_command(monkeypatch, capsys, benchmark({"peer": lambda: lambda x: (x, x)}), *form)
    assert status == 1
    assert printed.err == ("toy, small: results differ: number 1: ours gives 3.0, peer gives 2.0\n")


def test_the_table_is_written_between_the_comments(monkeypatch, capsys, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Speed\n<!-- benchmarks: how -->\nold\n<!-- end of benchmarks -->\nLicence\n")
    toy = benchmark({"peer": lambda: lambda x: (x, x + 1)})
    status, _ = run_command(monkeypatch, capsys, toy, "--write", str(page))
    assert status == 0
    lines = page.read_text().splitlines()
    assert lines[:3] == ["Speed", "<!-- benchmarks: how -->", ""]
    assert re.match(r"\d{4}-\d\d-\d\d, .+ cores of which one is used, .*numpy " + re.escape(np.__version__), lines[3])
    assert lines[5].startswith("| benchmark | ours |")
    assert lines[7].startswith("| `toy` small | ")
    assert lines[-3:] == ["", "<!-- end of benchmarks -->", "Licence"]
    assert "old" not in lines


def test_a_page_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match="needs two lines, <!-- benchmarks: … --> and <!-- end of benchmarks -->"):
        report.insert("table", "a page")


def test_without_a_name_the_names_are_listed():
    done = subprocess.run([sys.executable, "-m", "benchmarks"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_ours_runs_and_repeats_itself(name):
    for variant in load(name).variants():
        result = numbers(variant.ours())
        assert np.all(np.isfinite(result))
        assert np.array_equal(result, numbers(variant.ours()))


def test_the_sigmoid_neuron_against_its_closed_form():
    (neuron,) = [variant for variant in load("notebook_eager").variants() if "exp" in variant.name]
    w0, x0, w1, x1, w2 = neuron.ours.args[0]
    z = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    local = z * (1 - z)
    expected = [z, x0 * local, w0 * local, x1 * local, w1 * local, local]
    assert numbers(neuron.ours()) == pytest.approx(np.array(expected), rel=1e-13)
