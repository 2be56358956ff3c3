#!/bin/sh
# Brings Temporal's two databases to the schema of this version; again it changes nothing.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_db_password)
export SQL_PASSWORD

upgrade() {
  database=$1
  versions=/etc/temporal/schema/postgresql/v12/$2/versioned
  tool() {
    temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal \
      --database "$database" "$@"
  }
  # Fails on a database that has no versions yet.
  tool update-schema --schema-dir "$versions" && return
  tool setup-schema --version 0.0
  tool update-schema --schema-dir "$versions"
}

upgrade temporal temporal
upgrade temporal_visibility visibility
