"""Tables, JSON and figures of benchmarks."""

import json

from benchmarks.framework import report, timing

BENCHMARK = timing.Benchmark("fake", "A title", "The work.", "n", float, "n", 1, lambda quick: [])


def timings():
    return [
        timing.Timing(method, size, direction, factor * size**2, 0.0, 1.0, 0.5, 0.1, 3, 1)
        for method, factor in (("ours", 1e-3), ("theirs", 2e-3))
        for size in (1, 2, 4)
        for direction in timing.DIRECTIONS
        if (method, size) != ("theirs", 4)
    ]


def test_table_has_medians_in_milliseconds_and_slopes():
    forward, backward = report.table(BENCHMARK, timings()).split("\n\n")
    lines = [line.split() for line in forward.splitlines()]
    assert lines[0] == ["forward,", "ms", "n=1", "n=2", "n=4", "slope"]
    assert lines[1] == ["ours", "1", "4", "16", "2.00"]
    assert lines[2] == ["theirs", "2", "8", "2.00"]
    assert backward.startswith("forward and backward, ms")
    assert len({len(line) for line in forward.splitlines()}) == 1


def test_files_hold_everything(tmp_path):
    paths = report.write(BENCHMARK, timings(), {"cores": 2}, "python -m benchmarks fake", tmp_path / "new")
    assert [path.name for path in paths] == ["fake.json", "fake.png"]
    content = json.loads(paths[0].read_text())
    assert content["environment"] == {"cores": 2}
    assert content["command"] == "python -m benchmarks fake"
    assert content["work"] == "The work."
    assert len(content["rows"]) == 10
    assert content["rows"][0]["median"] == 1e-3
    assert {row["method"] for row in content["slopes"]} == {"ours", "theirs"}
    assert paths[1].read_bytes().startswith(b"\x89PNG")
