#!/bin/sh
# Runs once, on an empty volume: a role and its databases for each of those that share this PostgreSQL.
# In a subshell, because the image sources a file that it may not execute.
(
  set -eu
  create() {
    role=$1
    PASSWORD=$(cat "/run/secrets/${role}_db_password")
    export PASSWORD
    shift
    if [ "${#PASSWORD}" -lt 16 ]; then
      echo "the password of $role is shorter than 16 characters" >&2
      exit 1
    fi
    psql --set=ON_ERROR_STOP=1 --set=role="$role" --username=postgres <<'SQL'
\getenv password PASSWORD
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
    for database; do createdb --username=postgres --owner="$role" "$database"; done
  }
  create slipway slipway
  create temporal temporal temporal_visibility
) || exit 1
