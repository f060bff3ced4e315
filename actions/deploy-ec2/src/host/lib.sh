# shellcheck shell=sh disable=SC2034,SC2154
# What every script on the host knows: files, time, processes, sockets. POSIX sh, dash and busybox.
# Set before: T (deploy root), TOKEN (this run), UNIT, PORT (app port), MV_T (1 when mv knows -T).
C=$T/.goci
D=$C/deploy
LEASE=60
umask 022

now() { date +%s; }

# nap: a short sleep; whole seconds where sleep knows no fractions.
nap() { sleep "${NAP:=$(sleep 0.01 2>/dev/null && echo 0.05 || echo 1)}"; }

# write FILE TEXT: whole or not at all. Private: details of a run are nobody else's.
write() { (umask 077 && printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"); }

# slurp FILE: its text, nothing when there is none.
slurp() { cat "$1" 2>/dev/null || :; }

# rename_over LINK PATH: one rename(2), so that PATH never is missing. An old busybox without -T
# would move into the folder behind the link; it gets the two-step way.
rename_over() {
  if [ "${MV_T:=$(mv_knows_t)}" = 1 ]; then mv -fT "$1" "$2"; else rm -f "$2" && mv -f "$1" "$2"; fi
}
mv_knows_t() {
  probe=$C/.mv-$$
  mkdir -p "$probe/b" && ln -s b "$probe/a" && ln -s b "$probe/c" &&
    mv -fT "$probe/a" "$probe/c" 2>/dev/null && [ -L "$probe/c" ] && [ ! -L "$probe/a" ] && echo 1 || echo 0
  rm -rf "$probe"
}

# current_id: the release that `current` names.
current_id() {
  link=$(readlink "$T/current" 2>/dev/null) || return 0
  echo "${link##*/}"
}
point_current() {
  rm -f "$T/.current-$TOKEN"
  ln -s "releases/$1" "$T/.current-$TOKEN" && rename_over "$T/.current-$TOKEN" "$T/current"
}

# pid_start PID: when the process started, in ticks since boot; fails when it is gone or a zombie.
# Fields are counted after the last `)`: a program's name may hold blanks and parentheses.
pid_start() {
  { IFS= read -r stat_line; } 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086
  set -- ${stat_line##*) }
  case $1 in Z | X) return 1 ;; esac
  shift 19
  echo "$1"
}
boot_id() { slurp /proc/sys/kernel/random/boot_id; }

# alive FILE: whether the process that FILE names (pid, start, boot) is that very one and lives.
# A pid alone lies: it is given to someone else sooner or later.
alive() {
  { read -r id_pid id_start id_boot; } 2>/dev/null <"$1" || return 1
  [ "$id_boot" = "$(boot_id)" ] && [ "$(pid_start "$id_pid")" = "$id_start" ]
}

# session PID: the living members of the session that PID leads or led.
session() {
  for entry in /proc/[0-9]*/stat; do
    { IFS= read -r stat_line; } 2>/dev/null <"$entry" || continue
    # shellcheck disable=SC2086
    set -- "$1" "${stat_line%% *}" ${stat_line##*) }
    case $3 in Z | X) continue ;; esac
    if [ "$6" = "$1" ]; then echo "$2"; fi
  done
}

# listeners: inodes of the sockets that a connection to 127.0.0.1:PORT may reach.
listeners() {
  hex=$(printf '%04X' "$PORT")
  any='00000000|0100007F|0{32}|0{24}01000000|0{16}FFFF00000100007F'
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    grep -E "^ *[0-9]+: ($any):$hex [0-9A-F]+:0000 0A " |
    while read -r _ _ _ _ _ _ _ _ _ inode _; do echo "$inode"; done
}

# port_state RELEASE: own, foreign or none: who listens, seen from that release.
port_state() {
  inodes=$(listeners)
  if [ -z "$inodes" ]; then
    echo none
    return
  fi
  for pid in $(service_pids "$1"); do
    open=$(ls -l "/proc/$pid/fd" 2>/dev/null) || continue
    for inode in $inodes; do
      case $open in *"socket:[$inode]"*)
        echo own
        return
        ;;
      esac
    done
  done
  echo foreign
}

# port_holder: the program that listens, where this user may see it.
port_holder() {
  for inode in $(listeners); do
    for entry in /proc/[0-9]*; do
      case $(ls -l "$entry/fd" 2>/dev/null) in *"socket:[$inode]"*)
        echo "$(slurp "$entry/comm") (pid ${entry##*/})"
        return
        ;;
      esac
    done
  done
}
