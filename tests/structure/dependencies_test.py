"""Who may use whom. Data flows one way: a report never simulates, an engine never prints."""

import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/structure")
import source_tree

EVERYTHING = [
    "sim",
    "sim/base",
    "sim/timeline",
    "sim/model",
    "sim/flow",
    "sim/measured",
    "sim/trace",
    "sim/replay",
    "topology",
    "schedules",
    "kernels",
    "reports",
]
# Longest prefix wins, so that sim/ is everything in sim/ but the seven named here. A folder may
# always use itself.
MAY_USE = {
    "sim/base": [],
    "sim/timeline": ["sim/base", "schedules"],
    "sim/model": ["sim/base"],
    "sim/flow": ["sim/base"],
    "sim/measured": ["sim/base"],
    "sim/trace": ["sim/base", "sim/timeline", "sim/measured", "schedules"],
    "sim/replay": ["sim", "sim/base", "sim/timeline", "sim/trace"],
    "topology": ["sim/base"],
    "schedules": ["sim/base"],
    "sim": [
        "sim/base",
        "sim/timeline",
        "sim/model",
        "sim/flow",
        "sim/measured",
        "topology",
        "schedules",
    ],
    "kernels": ["sim/base", "sim/timeline", "sim/measured", "schedules"],
    # The types that a result is made of; neither the experiment nor lowering nor an engine.
    "reports": [
        "sim/base",
        "sim/timeline",
        "sim/trace",
        "sim/replay",
        "sim/model",
        "sim/result",
        "sim/costs",
        "sim/exchange",
        "sim/collective",
        "schedules",
        "topology",
    ],
    "cli": EVERYTHING,
    "tests": EVERYTHING + ["cli"],
}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
DEPS = re.compile(r"\bdeps\s*=[^\[]*\[([^\]]*)\]")
LABEL = re.compile(r'"//([^":]*)')


def holds(folder, path):
    return path == folder or path.startswith(folder + "/")


def area(path):
    fitting = [folder for folder in MAY_USE if holds(folder, path)]
    return max(fitting, key=len, default=None)


def allowed(user, used):
    """Whether a file in area `user` may use the file or package `used`."""
    area_used = area(used)
    if area_used is None or area_used == user:
        return True
    return any(
        holds(folder, used) and len(folder) >= len(area_used) for folder in MAY_USE[user]
    )


def uses(path, lines):
    """(line number, used path) of each include and of each label among deps."""
    if path.endswith(source_tree.CPP):
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1)
    elif os.path.basename(path) == "BUILD":
        text = "\n".join(lines)
        for deps in DEPS.finditer(text):
            for label in LABEL.finditer(text, deps.start(1), deps.end(1)):
                yield text.count("\n", 0, label.start()) + 1, label.group(1)


def offences(root):
    found = []
    for path in source_tree.files(root):
        user = area(path)
        if user is None:
            continue
        for number, used in uses(path, source_tree.lines(path, root)):
            if not allowed(user, used):
                found.append(f"{path}:{number}: {user} may not use {used}")
    return found


class Dependencies(unittest.TestCase):
    def test_the_table_of_the_design_holds(self):
        source_tree.fail_if_any(self, offences(source_tree.ROOT))

    def test_the_table_is_not_idle(self):
        paths = source_tree.files()
        for folder in ("sim/base", "sim/timeline", "sim/model", "topology", "schedules", "reports"):
            self.assertTrue(any(holds(folder, path) for path in paths), folder)

    def test_offences_are_found_and_named(self):
        wrong = {
            "sim/base/a.h": '#include "schedules/token.h"',
            "topology/a.cc": '  #  include "sim/costs/routing.h"',
            "schedules/a.cc": '#include "sim/timeline/timeline.h"',
            "sim/model/a.cc": '#include "sim/costs/routing.h"',
            "sim/timeline/a.cc": '#include "topology/cluster.h"',
            "reports/a.cc": '#include "sim/engine/engine.h"',
            "reports/b.cc": '#include "sim/simulate.h"',
            "sim/trace/a.cc": '#include "sim/model/config.h"',
            "kernels/a.cu": '#include "sim/model/config.h"',
            "sim/a.cc": '#include "reports/html.h"',
            "cli/a.cc": '#include "tests/schedules/testing.h"',
            "schedules/BUILD": 'cc_library(\n  deps = [\n    "//sim/base",\n    "//sim/model",\n  ])',
        }
        right = {
            "sim/timeline/b.cc": '#include "schedules/token.h"',
            "sim/engine/b.cc": '#include "sim/lowering/lower.h"\n#include "topology/cluster.h"',
            "reports/c.cc": '#include "sim/result/result_types.h"\n#include <vector>',
            "sim/base/BUILD": 'cc_library(visibility = ["//schedules:__pkg__"], deps = ["@system//:x"])',
            "cli/b.cc": '#include "sim/engine/engine.h"',
        }
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**wrong, **right}.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text + "\n")
            found = offences(root)
        self.assertEqual(sorted(wrong), sorted(line.split(":")[0] for line in found))
        self.assertIn("schedules/BUILD:4: schedules may not use sim/model", found)


if __name__ == "__main__":
    unittest.main()
