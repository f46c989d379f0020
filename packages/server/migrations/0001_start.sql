-- Users: the site's own. Rows may be put in by plain SQL: username and password (an MD5 hex digest,
-- bcrypt or argon2) are enough.
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- NULL once the user is deleted: the name is free again, the messages stay.
  username text COLLATE "C" UNIQUE CHECK (length(username) BETWEEN 1 AND 128),
  password text,
  display_name text,
  picture text,
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- A JWT issued before this is refused: 'log out everywhere'.
  tokens_valid_after timestamptz,
  -- When the password was set anew: what was opened with the one before ends.
  password_at timestamptz,
  -- When the JWT was issued whose name, picture and role this row has: an older one changes nothing.
  claims_at timestamptz
);
-- The search of users, by the start of the username or of the display name.
CREATE INDEX users_by_lower_username ON users (lower(username) text_pattern_ops);
CREATE INDEX users_by_lower_name ON users (lower(display_name) text_pattern_ops);
-- MD5s that wait to be wrapped.
CREATE INDEX users_with_md5 ON users (id) WHERE password ~ '^[0-9a-fA-F]{32}$';

-- Names of deleted users, hashed: a token from before the deletion does not bring the account back.
CREATE TABLE erased (
  username_hash bytea PRIMARY KEY,
  erased_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erased_by_age ON erased (erased_at);

INSERT INTO users (username, display_name, role) VALUES ('system', 'System', 'user');

-- Session tokens: 256 random bits, of which only the SHA-256 is kept.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  token_hash bytea NOT NULL UNIQUE,
  user_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  address text,
  user_agent text
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Who has blocked whom. Writing here bumps rights_rev of the pair's chat in the same transaction.
CREATE TABLE blocks (
  blocker_id bigint NOT NULL,
  blocked_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (blocker_id, blocked_id)
);

-- One row a chat; it is the lock under which the chat's messages are numbered.
CREATE TABLE chats (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('direct', 'group')),
  -- The two of a direct chat, smaller id first: one chat per pair, whoever starts it.
  low_id bigint,
  high_id bigint,
  title text,
  last_seq integer NOT NULL DEFAULT 0,
  -- Counts every change that is not a new message.
  rev integer NOT NULL DEFAULT 0,
  -- Counts every change of who may send, and of what a send has to do. A send names the rights_rev
  -- that it was checked against, and finds no row if that has moved on.
  rights_rev integer NOT NULL DEFAULT 0,
  -- The day that members.active_day of all members stands at; NULL: the next message sets it anew.
  active_day date,
  -- Of the last message, or of the opening where there is none.
  last_at timestamptz NOT NULL DEFAULT now(),
  -- When something other than a message changed for all members, and the day that
  -- members.changed_day of all members is not older than.
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (low_id, high_id)
) WITH (fillfactor = 70);

-- A chat as one of its members has it. No indexed column changes with a message, except once a day,
-- so that a send rewrites the sender's row in place (measured: twice the messages a second).
CREATE TABLE members (
  chat_id uuid NOT NULL,
  user_id bigint NOT NULL,
  role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
  read_seq integer NOT NULL DEFAULT 0,
  -- 'Delete chat' hides all up to here, for this member alone.
  cleared_seq integer NOT NULL DEFAULT 0,
  pinned boolean NOT NULL DEFAULT false,
  archived boolean NOT NULL DEFAULT false,
  muted_until timestamptz,
  -- The day of the chat's last message; NULL: not on this member's list.
  active_day date,
  -- When something changed for this member alone, '-infinity' if nothing ever did; the day also of what
  -- changed for all, indexed.
  changed_at timestamptz NOT NULL DEFAULT '-infinity',
  changed_day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  PRIMARY KEY (chat_id, user_id)
) WITH (fillfactor = 70);
-- The list of chats: a prefix in order, the chats of one day sorted by their last message.
CREATE INDEX members_list ON members (user_id, archived, pinned DESC, active_day DESC);
-- What changed since a sync.
CREATE INDEX members_active ON members (user_id, active_day);
CREATE INDEX members_changed ON members (user_id, changed_day);

CREATE TABLE messages (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  sender_id bigint NOT NULL,
  client_id uuid NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (chat_id, seq)
);
-- The same sender, chat and client_id twice is one message.
CREATE UNIQUE INDEX messages_once ON messages (chat_id, sender_id, client_id);

-- What admins did.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  target text,
  address text
);

-- Answers of calls that carried an Idempotency-Key, written in the transaction of what they did.
CREATE TABLE idempotency (
  user_id bigint NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Nodes that are alive, by their heartbeat.
CREATE TABLE nodes (
  id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  has_bus boolean NOT NULL
);
