"""Real outputs against the published schemas, and the schemas against outputs that were spoiled."""

import copy
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import jsonschema

BINARY = "cli/pipescope"
V3 = "experiments/deepseek_v3_h800.yaml"
SIMULATE = ["simulate", V3]
STEPS = {
    "op": SIMULATE,
    "sensitivity": SIMULATE + ["--sensitivity"],
    "schedule": SIMULATE + ["--fidelity", "schedule", "--schedule", "1f1b"],
    "bf16": SIMULATE + ["--set", "training.precision=bf16", "--set", "memory.enforce=false"],
    "compare": ["compare", V3, "--schedules", "1f1b,zb1p,dualpipe"],
}
SHOW = ["schedule", "show"]
SIZE = ["--ranks", "4", "--microbatches", "8"]
TRACE = "tests/sim/trace/data/small_trace.json"
TREE = "h800_2048_fat_tree"
COMM = ["comm", TREE, "--gpus", "16", "--pattern"]
FEW = ["--tokens", "128"]
OPTIMIZE = ["schedule", "optimize", "--microbatches", "4", "--ranks"]
# By schema, commands that write it; the first one's output is spoiled as well.
COMMANDS = {
    "schedule": [
        SHOW + ["dualpipe"] + SIZE,
        SHOW + ["1f1b", "--cost", "F=1,I=2.5,W=1,comm=0.1"] + SIZE,
        SHOW + ["interleaved-1f1b", "--chunks", "2"] + SIZE,
        SHOW + ["seq1f1b", "--slices", "2"] + SIZE,
    ],
    "optimize": [
        OPTIMIZE + ["2"],
        OPTIMIZE + ["2", "--method", "exact"],
        OPTIMIZE + ["2", "--placement", "bidirectional", "--overlap"],
    ],
    "topology": [["topology", "show", TREE], ["topology", "show", "gb200_nvl72"]],
    "model": [["model", "show", "deepseek_v3"], ["model", "show", "gemma2_2b"]],
    "comm": [
        COMM + ["dispatch", "--slow-gpu", "5 x 1.2"] + FEW,
        COMM + ["combine", "--kernels", "v2"] + FEW,
        COMM + ["dispatch", "--kernels", "low-latency"] + FEW,
        COMM + ["all-to-all", "--algorithm", "hierarchical"],
        COMM + ["all-reduce"],
        COMM + ["p2p"],
    ],
    "trace": [
        ["trace", "show", TRACE, "--replay", "--scale", "GEMM=0.5"],
        ["trace", "show", TRACE],
        ["trace", "show", TRACE, TRACE],
    ],
    "plan": [
        ["plan", V3, "--pipeline", "16", "--tensor", "1", "--expert", "64", "--sms", "20"]
        + ["--micro-batch", "1", "--schedules", "dualpipe,zb1p"],
    ],
    "kernels": [
        ["kernels", "bench", "--kernel", "rope"],
        ["kernels", "check", "--kernel", "rope"],
        ["kernels", "list"],
        ["kernels", "predict", "--kernel", "router"],
    ],
    "validate": [
        ["validate", "--model", "micro", "--schedules", "1f1b,dualpipe", "--repetitions", "1"],
        ["validate", "--model", "micro", "--schedules", "zbv", "--repetitions", "1", "--dp", "2"],
    ],
}
# Objects whose keys are the input's own, and keys that only some outputs have.
FREE = {"definitions", "scales", "compared", "shape", "set", "overrides", "breakdown_s"}
OPTIONAL = {"replay", "baseline", "baseline_time_s", "oversubscription"}
GROUPS = "".join(f"  {line}\n" for line in ["groups: 4", "group_switches: 4", "switch_nics: 4"])
GROUPS += "  global_cables: 2\n  switch_ports: 16\n"
FABRICS = [
    "kind: fat-tree\n  levels: 2\n  switch_ports: 16\n",
    "kind: multi-plane\n  planes: 4\n  levels: 1\n  switch_ports: 64\n",
    "kind: dragonfly\n" + GROUPS,
    "kind: dragonfly-plus\n  group_spines: 4\n" + GROUPS,
    "kind: torus\n  dimensions: [2, 4]\n  switch_nics: 8\n",
    "kind: explicit\n  switches:\n    - {name: a, level: leaf, nics: ['0-7.0-7']}\n",
]
SWEEP = ["sweep", V3, "--grid", "parallel.pipeline=15,16", "--schedules", "dualpipe,zb1p"]


def run(arguments):
    done = subprocess.run([BINARY] + arguments, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def schema(name):
    with open(f"reports/schema/{name}.schema.json", encoding="utf-8") as file:
        loaded = json.load(file)
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def places(value, path=()):
    """The path of every member and item of a JSON value; of a list only the first item's."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path + (key,)
            yield from places(inner, path + (key,))
    elif isinstance(value, list) and value:
        yield from places(value[0], path + (0,))


def parent(value, path):
    for step in path[:-1]:
        value = value[step]
    return value


class Schema(unittest.TestCase):
    def test_steps_and_comparisons(self):
        validator = schema("step")
        for name, arguments in STEPS.items():
            with self.subTest(name):
                validator.validate(json.loads(run(arguments + ["--format", "json"])))

    def test_a_stored_file(self):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            run(SIMULATE + ["--json", file.name])
            with open(file.name, encoding="utf-8") as stored:
                schema("step").validate(json.load(stored))

    def test_others(self):
        for name, commands in COMMANDS.items():
            for arguments in commands:
                with self.subTest(" ".join(arguments)):
                    output = json.loads(run(arguments + ["--format", "json"]))
                    schema(name).validate(output)

    def test_every_kind_of_fabric(self):
        with open("tests/scenarios/small_cluster.yaml", encoding="utf-8") as file:
            tree = file.read()
        for fabric in FABRICS:
            with self.subTest(fabric), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(re.sub("kind: fat-tree.*?\n(?=  link)", fabric, tree, flags=re.S))
                file.flush()
                output = json.loads(run(["topology", "show", file.name, "--format", "json"]))
                schema("topology").validate(output)

    def test_lines_of_a_sweep(self):
        lines = run(SWEEP + ["--format", "json"]).splitlines()
        self.assertEqual(len(lines), 4)
        for line in lines:
            schema("sweep").validate(json.loads(line))
        self.assertIn("error", json.loads(lines[0]))

    def test_every_schema_is_tried(self):
        files = {path.name for path in pathlib.Path("reports/schema").glob("*.schema.json")}
        self.assertEqual(files, {f"{name}.schema.json" for name in [*COMMANDS, "step", "sweep"]})

    def test_every_key_is_held_to(self):
        """Taken away, renamed or of another type, each key is missed."""
        spoiled = {name: (commands[0], 6) for name, commands in COMMANDS.items()}
        spoiled["step"] = (SIMULATE + ["--sensitivity"], 90)
        for name, (arguments, least) in spoiled.items():
            output = json.loads(run(arguments + ["--format", "json"]))
            self.expect_spoiled_ones_are_missed(schema(name), output, least)

    def expect_spoiled_ones_are_missed(self, validator, output, least):
        paths = [path for path in places(output) if not FREE & set(path[:-1])]
        self.assertGreater(len(paths), least)
        for path in paths:
            key = path[-1]
            spoiled = [copy.deepcopy(output)]
            was = parent(output, path)[key]
            parent(spoiled[0], path)[key] = 1 if isinstance(was, bool) else False
            if isinstance(key, str) and not OPTIONAL & {key}:  # a list may have one item fewer
                spoiled.append(copy.deepcopy(output))
                del parent(spoiled[1], path)[key]
            if isinstance(key, str):
                spoiled.append(copy.deepcopy(output))
                parent(spoiled[-1], path)[key + "_"] = parent(spoiled[-1], path).pop(key)
            for wrong in spoiled:
                self.assertFalse(validator.is_valid(wrong), path)

    def test_the_same_bytes(self):
        arguments = SIMULATE + ["--format", "json"]
        self.assertEqual(run(arguments), run(arguments))


if __name__ == "__main__":
    unittest.main()
