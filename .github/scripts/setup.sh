#!/bin/sh
# usage: setup.sh [demo] [test] [bench] [venv]
# Finds out which system packages these targets lack. As root on Debian or Ubuntu, and in CI where sudo asks
# for no password, it installs them by name; elsewhere it prints the command to run and fails.
set -eu

# Programs of a server lie where a plain user's PATH does not reach.
PATH=$PATH:/usr/sbin:/sbin
packages=''
wishes=''

has() { command -v "$1" >/dev/null 2>&1; }

# wish: for the demo, whose other stages run without it.
wish() { case " $wishes " in *" $1 "*) ;; *) wishes="$wishes $1" ;; esac; }

need() { case " $packages " in *" $1 "*) ;; *) packages="$packages $1" ;; esac; }

has_postgres() {
  has initdb && return
  for program in /usr/lib/postgresql/*/bin/initdb; do [ -x "$program" ] && return; done
  return 1
}

for target in "$@"; do
  case $target in
    venv) python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv ;;
    demo | test | bench)
      has git || need git
      has sshd || need openssh-server
      has ssh-keygen || need openssh-client
      has_postgres || need postgresql
      # A real engine and a real registry. The CLI may be newer than Debian's.
      if [ "$target" = demo ]; then want=wish; else want=need; fi
      { has dockerd && has docker; } || $want docker.io
      has docker-registry || $want docker-registry
      ;;
  esac
  [ "$target" != bench ] || has rsync || need rsync
  # Go projects are tested with the real go; any version will do.
  [ "$target" != test ] || has go || need golang-go
  # Images for tests are made of one program, which needs no libraries when it is static; buildah and skopeo judge what docker-push makes.
  if [ "$target" = test ]; then
    has buildah || need buildah
    has skopeo || need skopeo
    { has busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1; } || need busybox-static
  fi
  # The configuration of sample-app's stack is tested with the servers that read it.
  if [ "$target" = test ]; then
    has nginx || need nginx-light
    { has prometheus && has promtool; } || need prometheus
    has redis-server || need redis-server
    has openssl || need openssl
  fi
done

[ -n "$packages$wishes" ] || exit 0

# A hosted runner is not root but may become it without a question; a person is told what to run instead.
if [ "${CI:-}" = true ] && [ "$(id -u)" != 0 ] && has sudo && sudo -n true 2>/dev/null; then
  exec sudo -n env PATH="$PATH" CI=true sh "$0" "$@"
fi

command="apt-get install -y --no-install-recommends"
can_install() { has apt-get && [ "$(id -u)" = 0 ]; }

if [ -n "$packages" ] && ! can_install; then
  if has apt-get; then
    echo "setup: system packages are missing; run: sudo $command$packages" >&2
  else
    echo "setup: these programs are missing; install what your system calls them:$packages" >&2
  fi
  exit 1
fi
if ! can_install; then
  echo "setup: goes on without$wishes; what needs them is skipped"
  exit 0
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
# Servers are wanted as programs: their packages must not start them on well-known ports.
if [ -e "$policy" ]; then made=''; else
  made=$policy
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
trap 'rm -f "$log" $made' EXIT
trap 'exit 130' INT TERM
export DEBIAN_FRONTEND=noninteractive

# install PACKAGES: the lists may be missing or old; they are fetched only when the first try fails.
install() {
  echo "setup: installing$1"
  # shellcheck disable=SC2086 # several words each
  $command $1 >"$log" 2>&1 </dev/null ||
    { apt-get update >>"$log" 2>&1 </dev/null && $command $1 >>"$log" 2>&1 </dev/null; }
}

if [ -n "$packages" ] && ! install "$packages"; then
  tail -n 20 "$log" >&2
  echo "setup: the packages could not be installed; run: $command$packages" >&2
  exit 1
fi
if [ -n "$wishes" ] && ! install "$wishes"; then
  echo "setup: goes on without$wishes, which could not be installed; what needs them is skipped"
fi
