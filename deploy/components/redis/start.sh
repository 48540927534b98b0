#!/bin/sh
# Starts Redis with the passwords of the Secret: as hashes in a file of its own, never as an argument.
#   start.sh FOLDER-WITH-USERS.ACL FOLDER-TO-WRITE [redis-server's arguments]
set -eu
umask 077
given="$1"
run="$2"
shift 2
hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
: "${REDIS_PASSWORD:?is not set}" "${REDIS_ADMIN_PASSWORD:?is not set}"
grep -v '^#' "$given/users.acl" |
  sed -e "s/REDIS_PASSWORD_SHA256/$(hash "$REDIS_PASSWORD")/" -e "s/REDIS_ADMIN_PASSWORD_SHA256/$(hash "$REDIS_ADMIN_PASSWORD")/" > "$run/users.acl"
unset REDIS_PASSWORD REDIS_ADMIN_PASSWORD
exec redis-server "$given/redis.conf" --aclfile "$run/users.acl" "$@"
