# shellcheck shell=sh disable=SC2154
# What the host is and what runs on it. Only reads. Prints `name value` lines.

existing_parent() {
  folder=$1
  while [ ! -e "$folder" ] && [ "$folder" != / ]; do
    folder=${folder%/*}
    folder=${folder:-/}
  done
  echo "$folder"
}
has() { if command -v "$1" >/dev/null 2>&1; then echo "has $1"; fi; }

inspect_host() {
  for tool in tar gzip zstd sha256sum setsid curl wget; do has "$tool"; done
  echo "uid $(id -u)"
  echo "user $(id -un)"
  echo "arch $(uname -m)"
  parent=$(existing_parent "$T")
  if [ ! -d "$parent" ]; then echo "blocked $parent is not a folder"; fi
  if [ -w "$parent" ] && [ -x "$parent" ]; then echo "writable yes"; else echo "writable no"; fi
  echo "parent $parent"
  # shellcheck disable=SC2046
  set -- $(df -Pk "$parent" 2>/dev/null | tail -n 1)
  echo "free-kb ${4:-0}"
  # shellcheck disable=SC2046
  set -- $(df -Pi "$parent" 2>/dev/null | tail -n 1)
  echo "free-inodes ${4:-}"
  if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then echo "sudo yes"; fi
  if [ -d /run/systemd/system ]; then echo "systemd yes"; fi
  if XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemctl --user show-environment >/dev/null 2>&1; then
    echo "systemd-user yes"
  fi
  inspect_releases
  inspect_lock
}

inspect_releases() {
  id=$(current_id)
  good=$(slurp "$C/good")
  echo "current $id"
  echo "good $good"
  echo "previous $(slurp "$C/previous")"
  if [ -L "$T/current" ] && [ ! -d "$T/current" ]; then echo "dangling yes"; fi
  if [ -n "$id" ]; then
    echo "digest $(slurp "$C/releases/$id/digest")"
    echo "fingerprint $(slurp "$C/releases/$id/fingerprint")"
    echo "run $(slurp "$C/releases/$id/run-number")"
    if service_alive "$id"; then echo "alive yes"; fi
  fi
  echo "port $(port_state "${id:-none}")"
  echo "holder $(port_holder)"
  for entry in "$T/releases"/*; do
    meta=$C/releases/${entry##*/}
    digest=$(slurp "$meta/digest")
    # Without its run file a release cannot be started again.
    if [ -f "$meta/since" ] && [ -f "$meta/run" ]; then state=proven; else state=-; fi
    if [ -d "$entry" ]; then echo "release ${entry##*/} ${digest:--} $state"; fi
  done
}

inspect_lock() {
  if [ -d "$C/lock" ]; then
    echo "lock $(lease_age "$C/lock/lease") $(slurp "$C/lock/token")"
    echo "lock-holder $(slurp "$C/lock/holder")"
  fi
  if [ -f "$D/status" ]; then
    echo "deploy $(slurp "$D/token") $(slurp "$D/status")"
    if alive "$D/supervisor"; then echo "supervisor alive"; fi
  fi
}
