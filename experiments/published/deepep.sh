#!/bin/bash
# Debian's own Python, whatever stands first in PATH.
exec /usr/bin/python3 -B experiments/published/deepep.py "$@"
