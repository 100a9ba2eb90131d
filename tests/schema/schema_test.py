"""Real outputs against the published schemas, and the schemas against outputs that were spoiled."""

import copy
import json
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
SCHEDULES = {
    "dualpipe": SHOW + ["dualpipe"] + SIZE,
    "costs": SHOW + ["1f1b", "--cost", "F=1,I=2.5,W=1,comm=0.1"] + SIZE,
    "chunks": SHOW + ["interleaved-1f1b", "--chunks", "2"] + SIZE,
    "slices": SHOW + ["seq1f1b", "--slices", "2"] + SIZE,
}


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

    def test_schedules(self):
        validator = schema("schedule")
        for name, arguments in SCHEDULES.items():
            with self.subTest(name):
                validator.validate(json.loads(run(arguments + ["--format", "json"])))

    def test_every_key_is_held_to(self):
        """Taken away, renamed or of another type, each key of a step is missed."""
        validator = schema("step")
        step = json.loads(run(SIMULATE + ["--sensitivity", "--format", "json"]))
        paths = list(places(step))
        self.assertGreater(len(paths), 90)
        for path in paths:
            key = path[-1]
            spoiled = [copy.deepcopy(step)]
            was = parent(step, path)[key]
            parent(spoiled[0], path)[key] = 1 if isinstance(was, bool) else False
            if isinstance(key, str):  # a list may have one item fewer
                spoiled += [copy.deepcopy(step), copy.deepcopy(step)]
                del parent(spoiled[1], path)[key]
                parent(spoiled[2], path)[key + "_"] = parent(spoiled[2], path).pop(key)
            for wrong in spoiled:
                self.assertFalse(validator.is_valid(wrong), path)

    def test_the_same_bytes(self):
        arguments = SIMULATE + ["--format", "json"]
        self.assertEqual(run(arguments), run(arguments))


if __name__ == "__main__":
    unittest.main()
