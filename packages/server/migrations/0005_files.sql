-- Uploads, whole or on their way, and the images of link previews. The bytes are in a folder or an object
-- store, under the id. A row comes before the first byte and goes after the last, so that no byte is left
-- that nobody knows of.
CREATE TABLE files (
  id uuid PRIMARY KEY,
  owner_id bigint NOT NULL,
  name text NOT NULL,
  -- Bytes that were announced, and those that are kept; once it is whole, those of what is served.
  size bigint NOT NULL,
  received bigint NOT NULL DEFAULT 0,
  -- The media type that its sender claims.
  claimed text,
  -- Of an upload to an object store: its parts so far.
  parts jsonb,
  -- Who writes to it: another one that comes takes it over.
  writer uuid,
  -- What it is, by its bytes: the rest of the File of the wire; NULL: not whole yet, or not looked at.
  details jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- When it goes, unless a message has it by then; NULL: a message has it.
  expires_at timestamptz,
  -- Somebody is about to send it: it does not go before.
  held_until timestamptz,
  -- Its bytes are being deleted: it cannot be sent any more.
  gone boolean NOT NULL DEFAULT false
);
CREATE INDEX files_by_owner ON files (owner_id);
CREATE INDEX files_due ON files (expires_at) WHERE expires_at IS NOT NULL;

-- Which messages have it: the one that it was sent with, and those that pass it on.
CREATE TABLE message_files (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  file_id uuid NOT NULL,
  PRIMARY KEY (chat_id, seq, file_id)
);
CREATE INDEX message_files_by_file ON message_files (file_id);

-- Secrets that all nodes share and nobody has to set, made at the first start.
CREATE TABLE keys (
  name text PRIMARY KEY,
  secret bytea NOT NULL
);

-- What was found behind links, for a day; NULL: nothing, for an hour. By the SHA-256 of the address, which may be
-- longer than an index takes.
CREATE TABLE previews (
  url_hash bytea PRIMARY KEY,
  found jsonb,
  fetched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX previews_by_age ON previews (fetched_at);
