# shellcheck shell=sh disable=SC2154
# What the runner asks of the host between reading it and leaving it: each a short call.

# prepare_root: the folders of the deploy root. Exit code 9: the lock is not ours.
prepare_root() {
  lock_is_mine || return 9
  mkdir -p "$T/releases" "$T/shared" "$C/releases"
  for entry in "$C"/incoming-*; do
    if [ "$entry" != "$C/incoming-$TOKEN" ]; then rm -rf "$entry"; fi
  done
}

# place RELEASE: the received tree becomes the release, whole or not at all. SHARED and EXECUTABLE
# hold one path a line, OWNER the service user where that is somebody else.
place() {
  in=$C/incoming-$TOKEN
  printf '%s\n' "$SHARED" | while IFS= read -r path; do
    [ -n "$path" ] || continue
    mkdir -p "$T/shared/$path"
    case $path in */*) mkdir -p "$in/tree/${path%/*}" ;; esac
    ln -s "$T/shared/$path" "$in/tree/$path"
    if [ -n "$OWNER" ]; then chown "$OWNER" "$T/shared/$path"; fi
  done
  printf '%s\n' "$EXECUTABLE" | while IFS= read -r path; do
    if [ -f "$in/tree/$path" ]; then chmod 755 "$in/tree/$path"; fi
  done
  if [ -n "$OWNER" ]; then chown -R "$OWNER" "$in/tree"; fi
  mv -f "$in/meta/manifest" "$C/releases/$1/manifest"
  rename_whole "$in/tree" "$T/releases/$1"
  rm -rf "$in"
}
rename_whole() {
  if [ -e "$2" ]; then echo "$2 exists" >&2 && return 1; fi
  mv -f "$1" "$2"
}

# launch: starts the host script for NEW; its text is in SCRIPT. Exit code 9: the lock is not ours.
launch() {
  lock_is_mine || return 9
  rm -rf "$D"
  mkdir -p "$D"
  chmod 755 "$D"
  write "$D/token" "$TOKEN"
  write "$D/lease" "$(now)"
  write "$D/pair" "$NEW ${PREV:--} $FRESH"
  write "$D/status" "launching - "
  write "$D/script" "$SCRIPT"
  setsid sh "$D/script" >"$D/log" 2>&1 </dev/null &
}

# beat: the runner lives. Prints whether the lock still is ours.
beat() {
  if [ "$(slurp "$D/token")" = "$TOKEN" ]; then write "$D/lease" "$(now)"; fi
  if lock_renew; then echo mine; else echo lost; fi
}

# look: the state of this run's host script.
look() {
  if [ "$(slurp "$D/token")" != "$TOKEN" ]; then
    echo "none - "
    return
  fi
  # Seen dead first and read after: a last word spoken in between still is heard.
  if alive "$D/supervisor"; then state=alive; else state=gone; fi
  slurp "$D/status"
  echo "$state $(current_id)"
}

# tell FILE VERDICT: leaves a verdict for this run's host script.
tell() {
  if [ "$(slurp "$D/token")" = "$TOKEN" ]; then write "$D/$1" "$2"; fi
}

# discard RELEASE: takes away what this run brought and never started.
discard() {
  rm -rf "$C/incoming-$TOKEN"
  case $1 in "" | "$(current_id)" | "$(slurp "$C/good")" | "$(slurp "$C/previous")") return 0 ;; esac
  if [ ! -f "$C/releases/$1/since" ]; then rm -rf "$T/releases/$1" "$C/releases/$1"; fi
}

# settle: what to do with a deployment that its host script left unfinished: prints its pair of releases.
settle() {
  read -r state _ <"$D/status" 2>/dev/null || return 0
  case $state in committed | left | failed | removed | rolled-back | rollback-failed | superseded) return 0 ;; esac
  if ! alive "$D/supervisor"; then slurp "$D/pair"; fi
}

# supersede: asks somebody else's host script to go back.
supersede() {
  if alive "$D/supervisor"; then write "$D/verdict" "rollback superseded"; fi
}
