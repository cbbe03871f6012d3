"""Tables, JSON and figures of benchmarks."""

import json

from benchmarks.framework import report, timing

BENCHMARK = timing.Benchmark("fake", "A title", "The work.", "n", float, "n", 1, lambda quick: [])


def timings(section="", megabyte=None):
    return [
        timing.Timing(
            method,
            size,
            direction,
            factor * size**2,
            0.1,
            1.0,
            0.5,
            0.1,
            3,
            1,
            megabyte,
            section,
            {"rows": 2},
        )
        for method, factor in (("ours", 1e-3), ("theirs", 2e-3))
        for size in (1, 2, 4)
        for direction in timing.DIRECTIONS
        if (method, size) != ("theirs", 4)
    ]


def test_table_has_medians_in_milliseconds_and_slopes():
    forward, backward, compilation = report.table(BENCHMARK, timings()).split("\n\n")
    lines = [line.split() for line in forward.splitlines()]
    assert lines[0] == ["forward,", "ms", "n=1", "n=2", "n=4", "slope"]
    assert lines[1] == ["ours", "1", "4", "16", "2.00"]
    assert lines[2] == ["theirs", "2", "8", "2.00"]
    assert backward.startswith("forward and backward, ms")
    assert len({len(line) for line in forward.splitlines()}) == 1
    assert compilation.splitlines()[0].startswith("compilation, forward and backward, s")
    assert compilation.splitlines()[1].split() == ["ours", "0.5", "0.5", "0.5"]


def test_sections_have_tables_of_their_own():
    blocks = report.table(BENCHMARK, timings("one") + timings("two", 3.0)).split("\n\n")
    assert [block.split(",")[0] for block in blocks] == [
        "one: forward",
        "one: forward and backward",
        "one: compilation",
        "two: forward",
        "two: forward and backward",
        "two: compilation",
        "two: memory",
    ]
    assert blocks[-1].splitlines()[1].split() == ["ours", "3", "3", "3"]


def test_absences_are_told_once_a_reason():
    left_out = [
        timing.LeftOut("theirs", 4, "one", "forward", "would take long"),
        timing.LeftOut("theirs", 8, "one", "forward", "would take longer"),
        timing.LeftOut("other", None, "one", None, "not installed"),
    ]
    lines = report.absences(left_out, "n").splitlines()
    assert lines == [
        "Not timed",
        "- theirs (one; forward; n=4, 8): would take long",
        "- other (one): not installed",
    ]
    assert report.absences([], "n") == ""


def test_files_hold_everything(tmp_path):
    left_out = [timing.LeftOut("other", None, "", None, "not installed")]
    measurement = timing.Measurement(timings(), left_out)
    conclusions = [timing.Conclusion("So what", "A text.", {"number": 1})]
    command = "python -m benchmarks fake"
    paths = report.write(BENCHMARK, measurement, conclusions, {"cores": 2}, command, tmp_path / "new")
    assert [path.name for path in paths] == ["fake.json", "fake.png"]
    content = json.loads(paths[0].read_text())
    assert content["environment"] == {"cores": 2}
    assert content["command"] == command
    assert content["work"] == "The work."
    assert len(content["rows"]) == 10
    assert content["rows"][0]["median"] == 1e-3
    assert content["rows"][0]["about"] == {"rows": 2}
    assert {row["method"] for row in content["slopes"]} == {"ours", "theirs"}
    assert content["left_out"][0]["why"] == "not installed"
    assert content["conclusions"] == {"So what": {"number": 1}}
    assert paths[1].read_bytes().startswith(b"\x89PNG")
