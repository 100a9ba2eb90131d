"""Runs the unittest cases of one file and writes them to $XML_OUTPUT_FILE, a test case each."""

import importlib.util
import os
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


class Recorder(unittest.TextTestResult):
    """Keeps what became of each case."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cases = []

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        group, name = type(test).__name__, test._testMethodName
        took = {"classname": group, "name": name, "time": "0"}
        self.cases.append(ElementTree.Element("testcase", took))

    def stopTest(self, test):
        self.cases[-1].set("time", f"{time.monotonic() - self.began:.3f}")
        super().stopTest(test)

    def note(self, kind, message):
        if not self.cases:  # in setUpClass or setUpModule: no case has begun
            self.cases.append(ElementTree.Element("testcase", {"name": "set-up"}))
        ElementTree.SubElement(self.cases[-1], kind, {"message": message})

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("failure", str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self.note("error", repr(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note("failure", f"{subtest}: {err[1]}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", reason)


def printable(text):
    """XML 1.0 has no place for most control characters."""
    return "".join(c if c in "\n\t" or c >= " " else "?" for c in text)


def write_xml(cases, path):
    for case in cases:
        for element in case.iter():
            for key, value in element.items():
                element.set(key, printable(value))
    suite = ElementTree.Element("testsuite", {"name": "unittest", "tests": str(len(cases))})
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def main(path):
    spec = importlib.util.spec_from_file_location("tested", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tested"] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Recorder)
    result = runner.run(suite)
    if "XML_OUTPUT_FILE" in os.environ:
        write_xml(result.cases, os.environ["XML_OUTPUT_FILE"])
    # A file without a case would pass for ever.
    return 0 if result.wasSuccessful() and result.cases else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
