-- Messages that are more than a text, and messages that change.
ALTER TABLE messages
  -- The number of its last change among the changes of its chat; 0: as it was sent.
  ADD COLUMN change integer NOT NULL DEFAULT 0,
  -- What it has beside its text; NULL for a plain one, which is what nearly all are.
  ADD COLUMN content jsonb;
CREATE INDEX messages_changed ON messages (chat_id, change) WHERE change > 0;
CREATE INDEX messages_in_thread ON messages (chat_id, ((content ->> 'thread')::integer), seq)
  WHERE content ? 'thread';

ALTER TABLE chats
  ADD COLUMN picture text,
  ADD COLUMN description text,
  ADD COLUMN metadata jsonb,
  -- Who may do what, and how the chat works; NULL: as a new one does.
  ADD COLUMN settings jsonb,
  -- A group that anyone may find and join.
  ADD COLUMN is_open boolean NOT NULL DEFAULT false,
  ADD COLUMN member_count integer NOT NULL DEFAULT 2,
  -- Numbers the changes of messages: 1, 2, 3 … without gap, under the chat's lock.
  ADD COLUMN changes integer NOT NULL DEFAULT 0,
  -- The last message that mentions anyone.
  ADD COLUMN mention_seq integer NOT NULL DEFAULT 0;
UPDATE chats SET member_count = 1 WHERE low_id = high_id;
CREATE INDEX chats_open ON chats (lower(title) text_pattern_ops, id) WHERE is_open;

ALTER TABLE members
  ADD COLUMN joined_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN delivered_seq integer NOT NULL DEFAULT 0,
  -- What the member has begun to write.
  ADD COLUMN draft jsonb,
  -- The member's own folders; NULL: none.
  ADD COLUMN labels text[],
  -- Of a direct chat: a stranger wrote, and this member has not said yet whether it wants that.
  ADD COLUMN request text CHECK (request IN ('pending', 'declined')),
  -- There are rows of this member and chat in `marks`.
  ADD COLUMN has_marks boolean NOT NULL DEFAULT false,
  -- Slow mode: the next message may come then.
  ADD COLUMN slow_until timestamptz;

-- Of few members each: what waits for an answer, and what is in a folder.
CREATE INDEX members_requests ON members (user_id, active_day DESC) WHERE request = 'pending';
CREATE INDEX members_labelled ON members (user_id) WHERE labels IS NOT NULL;
-- For whom a message is gone.
CREATE INDEX members_cleared ON members (chat_id, cleared_seq) WHERE cleared_seq > 0;
-- Few of a group's many: who leads it, found without the others.
CREATE INDEX members_leading ON members (chat_id, role, user_id) WHERE role <> 'member';

-- Who is no longer in a group, so that a device that was away hears of it.
CREATE TABLE departures (
  user_id bigint NOT NULL,
  chat_id uuid NOT NULL,
  rev integer NOT NULL,
  left_at timestamptz NOT NULL DEFAULT now(),
  -- Was removed, and cannot come back by a link or by itself.
  banned boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, chat_id)
);
CREATE INDEX departures_by_time ON departures (user_id, left_at);
-- What no device that comes back asks for any more.
CREATE INDEX departures_by_age ON departures (left_at) WHERE NOT banned;

CREATE TABLE invites (
  code text PRIMARY KEY,
  chat_id uuid NOT NULL,
  created_by bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  max_uses integer,
  uses integer NOT NULL DEFAULT 0
);
CREATE INDEX invites_of_chat ON invites (chat_id, created_at);

-- What a message was before a change of its text.
CREATE TABLE message_edits (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  change integer NOT NULL,
  body text NOT NULL,
  content jsonb,
  edited_by bigint NOT NULL,
  edited_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chat_id, seq, change)
);

CREATE TABLE reactions (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  emoji text NOT NULL,
  user_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chat_id, seq, emoji, user_id)
);

CREATE TABLE votes (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  user_id bigint NOT NULL,
  option smallint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chat_id, seq, user_id, option)
);

CREATE TABLE pins (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  pinned_by bigint NOT NULL,
  pinned_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chat_id, seq)
);

-- user_id 0: all members.
CREATE TABLE mentions (
  chat_id uuid NOT NULL,
  user_id bigint NOT NULL,
  seq integer NOT NULL,
  PRIMARY KEY (chat_id, user_id, seq)
);

-- What one user alone has of a message: a star, its reactions and votes, 'deleted for me'.
CREATE TABLE marks (
  user_id bigint NOT NULL,
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  rev integer NOT NULL,
  starred_at timestamptz,
  deleted boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, chat_id, seq)
);
CREATE INDEX marks_changed ON marks (user_id, changed_at);
CREATE INDEX marks_starred ON marks (user_id, starred_at) WHERE starred_at IS NOT NULL;

-- Messages that disappear.
CREATE TABLE expiring (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (chat_id, seq)
);
CREATE INDEX expiring_by_time ON expiring (expires_at);

-- Messages to be sent later; the id is the client_id of the message.
CREATE TABLE scheduled (
  id uuid PRIMARY KEY,
  user_id bigint NOT NULL,
  chat_id uuid NOT NULL,
  body text,
  -- What it has beside its text, as it was given: it is looked up when it is sent.
  extras jsonb NOT NULL DEFAULT '{}',
  -- As exact as the wire has it, for cursors.
  due_at timestamptz(3) NOT NULL,
  -- When it is tried, and tried again where it is not known to be sent.
  try_at timestamptz NOT NULL,
  -- A node has begun to send it: it is no longer its sender's to change.
  taken boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The code of the error for which it was not sent.
  failed text
);
CREATE INDEX scheduled_due ON scheduled (try_at) WHERE failed IS NULL;
CREATE INDEX scheduled_of_user ON scheduled (user_id, due_at, id);

CREATE TABLE reminders (
  user_id bigint NOT NULL,
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  due_at timestamptz(3) NOT NULL,
  note text,
  told boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, chat_id, seq)
);
CREATE INDEX reminders_due ON reminders (due_at) WHERE NOT told;
CREATE INDEX reminders_of_user ON reminders (user_id, due_at, chat_id, seq);

ALTER TABLE users
  -- Who may begin a chat with this user, and who sees when it was last there; NULL: as the site says.
  ADD COLUMN write_from text CHECK (write_from IN ('everyone', 'requests', 'contacts', 'nobody')),
  ADD COLUMN last_seen_to text CHECK (last_seen_to IN ('everyone', 'contacts', 'nobody')),
  ADD COLUMN receipts boolean NOT NULL DEFAULT true,
  ADD COLUMN last_seen_at timestamptz,
  -- When whom it blocks last changed, for devices that were away; NULL: never.
  ADD COLUMN blocks_at timestamptz;
