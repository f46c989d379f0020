#!/bin/sh
# Runs once, when the database volume is empty: a role without special rights, and its database and schema.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --set "password=$MICROCHATTER_DB_PASSWORD" \
  --username postgres --dbname postgres <<'SQL'
CREATE ROLE microchatter LOGIN PASSWORD :'password';
CREATE DATABASE microchatter;
REVOKE ALL ON DATABASE microchatter FROM PUBLIC;
GRANT CONNECT ON DATABASE microchatter TO microchatter;
\connect microchatter
CREATE SCHEMA microchatter AUTHORIZATION microchatter;
SQL
