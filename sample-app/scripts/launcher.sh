#!/bin/sh
# Starts sample-app from any folder, also through a symlink. exec keeps the process id, so that signals,
# LISTEN_PID and service managers reach the service itself.
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=${self%/*}/$link ;; esac
done
root=$(CDPATH='' cd -P -- "${self%/*}" && pwd -P) || exit 1

fail() {
  echo "sample-app: cannot start: $1" >&2
  exit 127
}

node=$root/runtime/node
if [ -f "$node" ]; then
  built_for='@PLATFORM@'
  here="$(uname -s) $(uname -m)"
  [ "$here" = "$built_for" ] || fail "this build is for $built_for, this machine is $here: build there, or with SAMPLE_APP_RUNTIME=host"
  # Some archives and artifact stores drop file modes.
  [ -x "$node" ] || chmod +x "$node" || fail "$node is not executable"
else
  node=$(command -v node) || fail "no node on PATH: install Node.js 20 or newer, or build with the runtime"
fi

# One arena in place of eight a core: one thread does nearly all the work, the others would only keep pages.
MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-1}
export MALLOC_ARENA_MAX
exec "$node" @FLAGS@ "$root/app/main.cjs" "$@"
