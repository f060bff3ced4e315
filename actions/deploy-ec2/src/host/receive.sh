# shellcheck shell=sh disable=SC2154
# Takes a tar stream on stdin into a folder that nothing serves from, adds what the previous release
# already has, and checks every file. Prints the paths that are missing or wrong; exit code 3 then.
# The stream holds meta/manifest, meta/sums, meta/reuse, links and empty folders, files, meta/end.
# Set before: T, TOKEN, UNPACK (zstd, gzip, none), PREV, FIRST (1: begin anew).
set -eu
umask 022
in=$T/.goci/incoming-$TOKEN
if [ "$FIRST" = 1 ]; then rm -rf "$in"; fi
mkdir -p "$in/tree"
cd "$in"
rm -f meta/end

unpack() {
  # What follows the archive's end is drained: a reader that stops early breaks the sender's pipe.
  tar -xpf - || return 1
  cat >/dev/null
}
case $UNPACK in
  zstd) zstd -dcq | unpack ;;
  gzip) gzip -dc | unpack ;;
  *) unpack ;;
esac
if [ ! -f meta/end ]; then
  echo "the stream was cut short" >&2
  exit 4
fi
if [ "$FIRST" = 1 ] && [ -s meta/reuse ]; then
  # Copies, no hard links: a program that edits its files must not change the release before it.
  tar -C "$T/releases/$PREV" -cf - -T meta/reuse 2>/dev/null | tar -C tree -xpf - || :
fi
if [ -s meta/sums ] && ! (cd tree && sha256sum -c ../meta/sums) >meta/result 2>/dev/null; then
  sed -n 's/^\(.*\): FAILED.*$/\1/p' meta/result
  exit 3
fi
