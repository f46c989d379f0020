import type { Check } from './check.ts'

/** [FILE-6] What a message shows is kept for it, and nothing else is. */
export const FILES: Check = {
  name: 'message_files',
  sql: (within) => `
    SELECT chat_id, NULL::bigint,
      'message ' || seq || CASE WHEN shown IS NULL THEN ' keeps a file that it does not show'
        WHEN kept IS NULL THEN ' shows a file that is not kept for it'
        ELSE ' has a file that is gone' END, 'neither or both'
    FROM (SELECT chat_id, seq, file_id, true AS kept FROM message_files WHERE ${within('chat_id')}) k
    FULL JOIN (
      SELECT m.chat_id, m.seq, f.id::uuid AS file_id, true AS shown
      FROM messages m CROSS JOIN LATERAL (
        SELECT jsonb_path_query(m.content, '$.files[*].id') #>> '{}' AS id
        UNION SELECT m.content #>> '{preview,image,id}') f
      WHERE ${within('m.chat_id')} AND f.id IS NOT NULL) s USING (chat_id, seq, file_id)
    LEFT JOIN files ON files.id = file_id AND NOT files.gone
    WHERE kept IS NULL OR shown IS NULL OR files.id IS NULL`,
}
