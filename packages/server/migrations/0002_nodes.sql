-- Which process a node is, where its host can tell: of one that was killed, the next one there sees that
-- it is gone, and need not wait for its heart to stop.
ALTER TABLE nodes ADD COLUMN process text;
