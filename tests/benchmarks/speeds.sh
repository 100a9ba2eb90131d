#!/bin/bash
# Runs all benchmarks that speeds.csv names; see speeds.py.
exec /usr/bin/python3 tests/benchmarks/speeds.py "$@"
