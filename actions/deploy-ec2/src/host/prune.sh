# shellcheck shell=sh disable=SC2154
# Releases that nobody needs any more. Only proven ones count as kept; the current one and the one
# to go back to are never touched, whatever their age. KEEP is set before.

prune_list() {
  for entry in "$T/releases"/*; do
    name=${entry##*/}
    if [ ! -d "$entry" ]; then continue; fi
    since=$(slurp "$C/releases/$name/since")
    echo "${since:-0} $name"
  done | sort -rn | {
    kept=0
    while read -r since name; do
      kept=$((kept + 1))
      case $name in "$(current_id)" | "$(slurp "$C/good")" | "$(slurp "$C/previous")" | "${NEW:-}" | "${PREV:-}") continue ;; esac
      # Without a date it was never proven: left over by a run that is no more.
      if [ "$since" = 0 ] || [ "$kept" -gt "$KEEP" ]; then echo "$name"; fi
    done
  }
}
prune() {
  prune_list | while read -r name; do
    [ -n "$(service_pids "$name")" ] && continue
    rm -rf "$T/releases/${name:?}" "$C/releases/${name:?}" && echo "$name"
  done
  for entry in "$C"/incoming-*; do
    if [ "$entry" != "$C/incoming-$TOKEN" ]; then rm -rf "$entry"; fi
  done
}
