#!/bin/sh
# The output shown in README.md is what the binary prints.
exec python3 "$1" "$2" README.md
