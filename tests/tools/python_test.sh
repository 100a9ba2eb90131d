#!/bin/bash
# Debian's own Python, whatever stands first in PATH. -B: no byte code beside the sources.
exec /usr/bin/python3 -B "$@"
