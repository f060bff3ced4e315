# shellcheck shell=sh disable=SC2154
# Stop, switch, start, wait, roll back: the one script that changes what serves. It is detached
# from the connection and outlives the runner. The runner renews D/lease and leaves a verdict in
# D/verdict: commit, rollback, confirm (the old release answers well), refute, leave. When the
# lease runs out the script goes back by itself, so the host ends old-healthy or new-healthy.
# No `set -e` here: a script that dies on the first failure is what leaves a host half done.
# Set before: NEW, PREV (may be empty), FRESH (1: NEW was uploaded by this run), MODE (deploy or
# recover), LIMIT_S, BACK_S, ROLLBACK (1/0), KEEP, TOKEN, HEALTH_PATH.

say() { write "$D/status" "$1 ${2:--} ${3:-}"; }
tick() {
  now=$(now)
  if [ $((now - BEAT)) -ge 15 ]; then
    BEAT=$now
    lock_renew || :
  fi
}
runner_gone() { [ "$(lease_age "$D/lease")" -ge "$LEASE" ]; }
verdict() { slurp "$D/verdict"; }
overdue() { [ "$(now)" -ge "$END" ]; }

# finish STATE CODE TEXT: the last word. A runner that lives gives the lock back itself.
finish() {
  say "$@"
  if runner_gone; then lock_release; fi
  exit 0
}

# exit_text: how the new release ended, in `how`. No subshell around it: only its parent may wait for it.
exit_text() {
  how=ended
  if [ -n "${CHILD:-}" ]; then
    wait "$CHILD" 2>/dev/null
    code=$?
    if [ "$code" -gt 128 ]; then how="was ended by signal $((code - 128))"; else how="ended with exit code $code"; fi
  fi
}

# port_free: waits a moment for it. A process counts as gone when its first thread is; the others
# may hold its sockets for a few milliseconds more.
port_free() {
  free_by=$(($(now) + 3))
  while [ -n "$(listeners)" ]; do
    if [ "$(now)" -ge "$free_by" ]; then return 1; fi
    nap
  done
}

switch() {
  say stopping
  # What runs may be neither: a release that was left in place without proof.
  for old in $(printf '%s\n' "$(current_id)" "$PREV" "$NEW" | sort -u); do service_stop "$old"; done
  port_free || fail PORT_IN_USE "port $PORT is held by $(port_holder)"
  point_current "$NEW" || fail PERMISSION_DENIED "the link current could not be moved"
  say starting
  service_start "$NEW" || fail START_FAILED "the service could not be started"
  watch_new
}

watch_new() {
  END=$(($(now) + LIMIT_S))
  while :; do
    tick
    case $(verdict) in
      commit) if service_alive "$NEW" && [ "$(port_state "$NEW")" = own ]; then commit; fi ;;
      "rollback superseded") go_back SUPERSEDED "another run has taken over" ;;
      rollback*) go_back ROLLED_BACK "the run asked for it" ;;
      leave) finish left ;;
    esac
    if ! service_alive "$NEW"; then died; fi
    case $(port_state "$NEW") in
      own) if [ "$(slurp "$D/status")" != "listening - " ]; then say listening; fi ;;
      none) if [ "$(slurp "$D/status")" != "starting - " ]; then say starting; fi ;;
      foreign) fail PORT_IN_USE "port $PORT is held by $(port_holder), which is not the new release" ;;
    esac
    if runner_gone; then go_back RUNNER_LOST "the runner was not heard of for $LEASE s"; fi
    if overdue; then fail HEALTH_CHECK_FAILED "no verdict within $LIMIT_S s"; fi
    nap
  done
}
died() {
  exit_text
  if [ "${code:-1}" = 0 ] && [ -n "$(service_pids "$NEW")" ]; then
    fail START_FAILED "the new release $how and left its work to a process in the background; it must stay in the foreground"
  fi
  if [ "$(port_state "$NEW")" = foreign ]; then fail PORT_IN_USE "the new release $how, and port $PORT is held by $(port_holder)"; fi
  fail START_FAILED "the new release $how before it was healthy"
}

# fail CODE TEXT: goes back, or with ROLLBACK=0 leaves things as they are and says so.
fail() {
  if [ "$ROLLBACK" = 1 ]; then go_back "$@"; fi
  finish failed "$@"
}

commit() {
  if [ "$(slurp "$C/good")" != "$NEW" ]; then
    if [ -n "$PREV" ]; then write "$C/previous" "$PREV"; fi
    write "$C/good" "$NEW"
    write "$C/releases/$NEW/since" "$(now)"
  fi
  prune
  finish committed
}

# go_back CODE TEXT: by compare-and-swap: when `current` is no release of this deployment, somebody
# else is at work.
go_back() {
  case $(current_id) in
    "$NEW" | "$PREV" | "$(slurp "$C/was")") ;;
    *) finish superseded "$1" "current names $(current_id)" ;;
  esac
  say rolling-back "$@"
  write "$D/reason" "$1 $2"
  if [ "$PREV" != "$NEW" ]; then service_stop "$NEW"; fi
  if [ -z "$PREV" ]; then
    rm -f "$T/current"
    forget_new
    finish removed "$@"
  fi
  point_current "$PREV"
  if ! service_alive "$PREV"; then
    say restarting "$@"
    port_free || :
    service_start "$PREV" || finish rollback-failed "$@"
  fi
  watch_old "$@"
}
watch_old() {
  END=$(($(now) + BACK_S))
  rm -f "$D/verdict-old"
  while :; do
    tick
    if ! service_alive "$PREV"; then finish rollback-failed "$1" "$2; and $PREV ended when it was started again"; fi
    case $(port_state "$PREV") in
      own)
        if [ "$(cut -d ' ' -f 1 "$D/status")" != restored ]; then say restored "$@"; fi
        case $(slurp "$D/verdict-old") in
          confirm)
            forget_new
            finish rolled-back "$@"
            ;;
          refute) finish rollback-failed "$1" "$2; and $PREV did not answer well again" ;;
        esac
        if runner_gone && host_probe; then
          forget_new
          finish rolled-back "$@"
        fi
        ;;
      foreign) finish rollback-failed "$1" "$2; and port $PORT is held by $(port_holder)" ;;
    esac
    if overdue; then finish rollback-failed "$1" "$2; and $PREV was not well again within $BACK_S s"; fi
    nap
  done
}

# host_probe: with no runner to ask, the host asks itself; without curl and wget, listening must do.
host_probe() {
  url=http://127.0.0.1:$PORT$HEALTH_PATH
  if command -v curl >/dev/null 2>&1; then
    curl -sf -o /dev/null -m 5 "$url"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -T 5 -O /dev/null "$url"
  fi
}

# forget_new: a failed release keeps its log only; what was there before this run stays.
forget_new() {
  if [ "$FRESH" != 1 ] || [ "$NEW" = "$PREV" ]; then return 0; fi
  mkdir -p "$C/failed"
  tail -n 500 "$C/releases/$NEW/app.log" >"$C/failed/$NEW.log" 2>/dev/null || :
  rm -rf "$T/releases/$NEW" "$C/releases/$NEW"
  # shellcheck disable=SC2012
  ls -t "$C/failed" | tail -n +3 | while read -r old; do rm -f "$C/failed/$old"; done
}

run_supervisor() {
  trap '' HUP INT
  BEAT=0
  write "$D/supervisor" "$$ $(pid_start $$) $(boot_id)"
  lock_renew || finish superseded LOCKED "the lock is somebody else's"
  if [ "$MODE" = deploy ]; then write "$C/was" "$(current_id)"; fi
  if [ "$MODE" = recover ]; then go_back "${REASON_CODE:-ROLLED_BACK}" "the run asked for it"; fi
  switch
}
