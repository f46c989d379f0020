import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { ChatId, closed, Cursor, ExactTime, oneOf, opt, Username } from './schema.ts'

export const SearchQuery = closed({
  q: opt(
    Type.String({
      maxLength: LIMITS.sought,
      description: 'Words, all of which a message has; of the last one its beginning is enough.',
    }),
  ),
  chatId: opt(ChatId),
  from: opt(Username),
  kind: opt(oneOf(['text', 'poll', 'location', 'card'])),
  has: opt(
    oneOf(['link', 'file', 'image', 'video', 'audio'], 'file: any, also the three that follow.'),
  ),
  after: opt(ExactTime),
  before: opt(ExactTime),
  limit: opt(Type.Integer({ minimum: 1, maximum: LIMITS.page, default: 20 })),
  cursor: opt(Cursor),
})
export type SearchQuery = Static<typeof SearchQuery>
