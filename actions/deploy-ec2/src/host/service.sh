# shellcheck shell=sh disable=SC2154,SC2153
# Starting and stopping a release, by systemd or by hand. MANAGER, STOP_S (seconds) are set before;
# a release keeps the manager that it was started by, since only that one can stop it.

manager_of() {
  kept=$(slurp "$C/releases/$1/manager")
  echo "${kept:-$MANAGER}"
}
systemctl_of() {
  by=$1
  shift
  case $by in
    systemd) systemctl "$@" ;;
    *) XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemctl --user "$@" ;;
  esac
}

# service_pids RELEASE: every living process of it.
service_pids() {
  { members "$1" && strays "$1"; } | sort -u
}
# strays RELEASE: processes that left its session (daemons, detached children): they still carry the
# mark that its start script put into their environment. A container may have the same paths: what
# is on another network is not ours.
strays() {
  grep -lF "GOCI_RELEASE=$T/releases/$1/" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ entry _; do
    if [ "$(readlink "/proc/$entry/ns/net")" = "$(readlink /proc/self/ns/net)" ]; then echo "$entry"; fi
  done
}
members() {
  case $(manager_of "$1") in
    nohup)
      { read -r led _ boot; } 2>/dev/null <"$C/releases/$1/pid" || return 0
      # When the leader's number was given to a stranger, its session is a stranger's too.
      if [ "$boot" != "$(boot_id)" ]; then return 0; fi
      if [ -e "/proc/$led" ] && ! alive "$C/releases/$1/pid" && pid_start "$led" >/dev/null; then return 0; fi
      session "$led"
      ;;
    *)
      [ "$(current_id)" = "$1" ] || return 0
      # By its control group, and by the session of its first process where control groups are hidden.
      led=$(systemctl_of "$(manager_of "$1")" show -p MainPID --value "$UNIT.service" 2>/dev/null)
      if [ "${led:-0}" -gt 0 ]; then session "$led"; fi
      grep -l "/$UNIT\.service" /proc/[0-9]*/cgroup 2>/dev/null | while read -r entry; do
        entry=${entry%/cgroup}
        echo "${entry##*/}"
      done
      ;;
  esac
}
service_alive() {
  case $(manager_of "$1") in
    nohup) alive "$C/releases/$1/pid" ;;
    *) systemctl_of "$(manager_of "$1")" --quiet is-active "$UNIT.service" ;;
  esac
}

# service_start RELEASE: returns at once. Of the shell's files and its session the process keeps
# nothing: an inherited stdout would hold the connection open.
service_start() {
  write "$C/releases/$1/manager" "$MANAGER"
  case $MANAGER in
    nohup)
      rm -f "$C/releases/$1/pid"
      setsid sh "$C/releases/$1/run" >>"$C/releases/$1/app.log" 2>&1 </dev/null &
      CHILD=$!
      # The process writes the same line itself: should this script die here, it is still known.
      write "$C/releases/$1/pid" "$CHILD $(pid_start "$CHILD") $(boot_id)"
      ;;
    *)
      unit_install && systemctl_of "$MANAGER" restart "$UNIT.service"
      ;;
  esac
}
unit_path() {
  case $MANAGER in
    systemd) echo "/etc/systemd/system/$UNIT.service" ;;
    *) echo "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/$UNIT.service" ;;
  esac
}
unit_install() {
  unit=$(unit_path)
  cmp -s "$C/unit" "$unit" && return 0
  mkdir -p "${unit%/*}"
  cat "$C/unit" >"$unit.$$" && mv -f "$unit.$$" "$unit" || return 1
  systemctl_of "$MANAGER" daemon-reload && systemctl_of "$MANAGER" --quiet enable "$UNIT.service"
}

# service_stop RELEASE: SIGTERM to all of it, SIGKILL after STOP_S.
service_stop() {
  case $(manager_of "$1") in
    nohup) session_stop "$1" ;;
    *) unit_stop "$(manager_of "$1")" ;;
  esac
}
# unit_stop MANAGER: does not block, so that the lock's lease goes on during a long stop.
unit_stop() {
  systemctl_of "$1" stop --no-block "$UNIT.service" 2>/dev/null || return 0
  while :; do
    case $(systemctl_of "$1" is-active "$UNIT.service" 2>/dev/null) in
      active | activating | deactivating | reloading)
        tick
        nap
        ;;
      *) return 0 ;;
    esac
  done
}
session_stop() {
  pids=$(service_pids "$1")
  [ -n "$pids" ] || return 0
  # shellcheck disable=SC2086
  kill -TERM $pids 2>/dev/null
  end=$(($(now) + STOP_S))
  while [ -n "$(service_pids "$1")" ]; do
    tick
    if [ "$(now)" -ge "$end" ]; then
      # shellcheck disable=SC2046
      kill -KILL $(service_pids "$1") 2>/dev/null
    fi
    nap
  done
}

# service_log RELEASE LINES: what it said last.
service_log() {
  case $(manager_of "$1") in
    nohup) tail -n "$2" "$C/releases/$1/app.log" 2>/dev/null || tail -n "$2" "$C/failed/$1.log" 2>/dev/null ;;
    systemd) journalctl -u "$UNIT.service" -n "$2" --no-pager -o cat 2>/dev/null ;;
    *) XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} journalctl --user -u "$UNIT.service" -n "$2" --no-pager -o cat 2>/dev/null ;;
  esac || :
}
tick() { :; }
