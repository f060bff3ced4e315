#!/bin/sh
# Starts redis with the password from the environment, which unlike an argument other processes cannot read.
set -eu
config=${REDIS_CONFIG:-/etc/redis/redis.conf}
whole=$(mktemp)
{
  cat "$config"
  printf 'requirepass "%s"\n' "$(printf '%s' "$REDISCLI_AUTH" | sed 's/[\\"]/\\&/g')"
} >"$whole"
exec redis-server "$whole" "$@"
