# shellcheck shell=sh disable=SC2154
# The lock of a deploy root: a folder that appears with its content in one rename, and a lease
# that the live side renews. Whoever is dead for LEASE seconds holds nobody up.

# age_of STAMP: seconds since then; a stamp from the future (the clock was set back) would hold forever.
age_of() {
  age=$(($(now) - ${1:-0}))
  if [ "$age" -lt -5 ]; then age=$LEASE; fi
  echo "$age"
}
lease_age() { age_of "$(slurp "$1")"; }
lock_is_mine() { [ "$(slurp "$C/lock/token")" = "$TOKEN" ]; }

# lock_take HOLDER: prints taken, or held and who holds it.
lock_take() {
  if lock_is_mine; then
    lock_renew && echo taken
    return
  fi
  mkdir -p "$C" && chmod 755 "$C"
  offer=$C/lock-offer-$TOKEN
  rm -rf "$offer"
  mkdir "$offer"
  write "$offer/token" "$TOKEN"
  write "$offer/holder" "$1"
  write "$offer/lease" "$(now)"
  lock_bury
  if [ ! -d "$C/lock" ] && mv -T "$offer" "$C/lock" 2>/dev/null && lock_is_mine; then
    echo taken
  else
    rm -rf "$offer"
    echo "held $(lease_age "$C/lock/lease") $(slurp "$C/lock/holder")"
  fi
}

# lock_bury: moves an expired lock away, under a name made of its token. Of two that wait, the second
# finds that name taken and leaves the first one's fresh lock alone. The token is read before the
# lease: were the lock replaced in between, the lease read is a fresh one.
lock_bury() {
  dead=$(slurp "$C/lock/token")
  stamp=$(slurp "$C/lock/lease")
  if [ -z "$dead" ] || [ -z "$stamp" ] || [ "$(age_of "$stamp")" -lt "$LEASE" ]; then return 0; fi
  if [ ! -e "$C/lock-dead-$dead" ]; then mv -T "$C/lock" "$C/lock-dead-$dead" 2>/dev/null || :; fi
}
lock_renew() { lock_is_mine && write "$C/lock/lease" "$(now)"; }
lock_release() {
  if lock_is_mine && mv -T "$C/lock" "$C/lock-done-$TOKEN" 2>/dev/null; then rm -rf "$C/lock-done-$TOKEN"; fi
  find "$C" -maxdepth 1 -name 'lock-dead-*' -mmin +5 -exec rm -rf {} + 2>/dev/null || :
}

# lock_break: for a person who knows better. Prints broken, free, or busy when a host script is at work.
lock_break() {
  if [ ! -d "$C/lock" ]; then echo free; return; fi
  if alive "$D/supervisor"; then echo "busy $(slurp "$C/lock/holder")"; return; fi
  holder=$(slurp "$C/lock/holder")
  rm -rf "$C/lock"
  echo "broken $holder"
}
