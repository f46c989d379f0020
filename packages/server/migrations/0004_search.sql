-- What messages are found by. It is written beside the sends, a moment later, so that they pay nothing for
-- it (store/findable.ts says how what is not in it yet is found all the same).
CREATE TABLE findable (
  chat_id uuid NOT NULL,
  seq integer NOT NULL,
  at timestamptz NOT NULL,
  -- Each word, and what else one may look for, with its chat before it: of a word that all use, a look into
  -- one chat reads what is of that chat.
  terms tsvector NOT NULL,
  PRIMARY KEY (chat_id, seq)
);
-- Without a list of what is still to be put in: each look into a chat would read that list.
CREATE INDEX findable_terms ON findable USING gin (terms) WITH (fastupdate = off);

-- Up to where the messages of a chat and their changes are in it; a chat without a row: nothing yet.
CREATE TABLE indexed (
  chat_id uuid PRIMARY KEY,
  seq integer NOT NULL,
  changes integer NOT NULL,
  -- The rules by which its words were taken.
  language text NOT NULL
);
