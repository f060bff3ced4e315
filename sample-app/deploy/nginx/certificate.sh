#!/bin/sh
# Run by nginx's entry point before nginx: the given certificate, or one of its own that nobody trusts.
set -eu

given=${TLS_GIVEN:-/etc/nginx/tls}
used=${TLS_USED:-/run/tls}
name=${TLS_NAME:-localhost}

umask 077
if [ -s "$given/tls.crt" ] && [ -s "$given/tls.key" ]; then
  cp "$given/tls.crt" "$given/tls.key" "$used/"
  echo "certificate: taken from $given"
else
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 \
    -subj "/CN=$name" -addext "subjectAltName=DNS:$name,IP:127.0.0.1" \
    -keyout "$used/tls.key" -out "$used/tls.crt" 2>/dev/null
  echo "certificate: made for $name, for 30 days, trusted by nobody"
fi
